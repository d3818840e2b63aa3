import Manifest
import Routing
import TLS

/// Certificates of Secrets and ConfigMaps, each read once however many refer to it. Owned by a
/// translation.
final class CertificateStore {
    private var chains: [ObjectIdentity: Result<CertificatePlan, ReferenceFault>] = [:]
    /// What is wrong with OCSP responses.
    private var staplesRefused: [ObjectIdentity: StapleFault] = [:]
    private var authorities: [ObjectIdentity: Result<String, ReferenceFault>] = [:]

    /// Where Envoy Gateway looks for an OCSP response (DER).
    static let stapleKey = "tls.ocsp-staple"

    /// `tls.crt` and `tls.key`, which belong together, and the OCSP response beside them, where it
    /// is of use (`stapleFault`).
    func chain(
        in secret: Secret, _ identity: ObjectIdentity
    ) -> Result<CertificatePlan, ReferenceFault> {
        if let known = chains[identity] { return known }
        let result: Result<CertificatePlan, ReferenceFault>
        do throws(CertificateFault) {
            let (chain, key) = (secret.data["tls.crt"] ?? [], secret.data["tls.key"] ?? [])
            let read = try CertificateChain(chain, key: key)
            result = .success(
                CertificatePlan(
                    name: "\(identity.namespace)/\(identity.name)",
                    chain: String(decoding: chain, as: UTF8.self),
                    key: String(decoding: key, as: UTF8.self),
                    names: read.certificates[0].names.map(\.text),
                    ocspStaple: staple(in: secret, identity, about: chain)))
        } catch {
            result = .failure(
                ReferenceFault(
                    reason: "InvalidCertificateRef",
                    message: "\(identity), \(Self.field(of: error)): \(error)"))
        }
        chains[identity] = result
        return result
    }

    private func staple(
        in secret: Secret, _ identity: ObjectIdentity, about chain: [UInt8]
    ) -> [UInt8]? {
        guard let staple = secret.data[Self.stapleKey] else { return nil }
        staplesRefused[identity] = Staple.fault(of: staple, about: chain)
        return staplesRefused[identity] == nil ? staple : nil
    }

    /// Why clients do not get the OCSP response of a Secret whose chain was asked for.
    func stapleFault(_ identity: ObjectIdentity) -> StapleFault? { staplesRefused[identity] }

    private static func field(of fault: CertificateFault) -> String {
        switch fault {
        case .missing, .malformed: "tls.crt"
        case .noKey, .keyIsEncrypted, .keyMalformed, .keyDiffers: "tls.key"
        }
    }

    /// `ca.crt`.
    /// - Parameter bytes: what stands there; nil = there is none.
    func authority(
        _ bytes: @autoclosure () -> [UInt8]?, _ identity: ObjectIdentity
    ) -> Result<String, ReferenceFault> {
        if let known = authorities[identity] { return known }
        let result: Result<String, ReferenceFault>
        if let bytes = bytes() {
            do throws(CertificateFault) {
                _ = try Certificate.all(in: bytes)
                result = .success(String(decoding: bytes, as: UTF8.self))
            } catch {
                result = .failure(Self.fault("\(identity), ca.crt: \(error)"))
            }
        } else {
            result = .failure(Self.fault("there is no \(identity) with ca.crt"))
        }
        authorities[identity] = result
        return result
    }

    private static func fault(_ message: String) -> ReferenceFault {
        ReferenceFault(reason: "InvalidCACertificateRef", message: message)
    }
}
