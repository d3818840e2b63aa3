import COpenSSL

/// An OCSP response (RFC 6960) that a server hands out with its certificate to clients that ask for
/// it (RFC 6066 §8). Immutable; read by workers.
///
/// Its signature is not looked at: who made it may be a responder whose certificate is nowhere to
/// be found here, and clients check it in any case.
public struct Staple: Sendable {
    /// DER.
    let bytes: [UInt8]
    /// The certificate that it is about, an `X509 *` that the same `SSL_CTX` holds.
    nonisolated(unsafe) let certificate: OpaquePointer
    /// From when to when it is believed (thisUpdate, nextUpdate; Unix time). `Int.max` = it does
    /// not say: there is always a newer one (RFC 6960 §4.2.2.1).
    let sinceSeconds: Int
    let untilSeconds: Int

    /// Responses have half a KiB, or 2 with the responder's certificate.
    static let bytesMax = 16_384
    /// A responder's clock may go before ours by so much (as `ocsp(1)` has it).
    private static let skewSeconds = 300

    /// Why a response cannot be handed out with the first certificate of a chain now; nil = it can.
    /// - Parameters:
    ///   - response: DER.
    ///   - chain: PEM that `Certificate.all` reads.
    public static func fault(
        of response: [UInt8], about chain: [UInt8], nowSeconds: Int = now
    ) -> StapleFault? {
        do throws(StapleFault) {
            // That the chain can be read is known.
            guard let certificates = try? CertificateHandle.all(in: chain) else { return .foreign }
            return try Staple(response, about: certificates).fault(nowSeconds: nowSeconds)
        } catch {
            return error
        }
    }

    /// Unix time.
    public static var now: Int { time(nil) }

    /// - Parameter chain: the first is the one that it has to be about.
    init(_ bytes: [UInt8], about chain: [CertificateHandle]) throws(StapleFault) {
        guard bytes.count <= Self.bytesMax else { throw .tooLong }
        let response = try ResponseHandle(bytes)
        guard let answer = response.answer(about: chain) else { throw .foreign }
        var (since, until): (UnsafeMutablePointer<ASN1_STRING>?, UnsafeMutablePointer<ASN1_STRING>?)
        switch OCSP_single_get0_status(answer, nil, nil, &since, &until) {
        case V_OCSP_CERTSTATUS_GOOD: break
        case V_OCSP_CERTSTATUS_REVOKED: throw .revoked
        default: throw .unknown
        }
        sinceSeconds = try Self.seconds(since)
        untilSeconds = until == nil ? .max : try Self.seconds(until)
        self.bytes = bytes
        certificate = chain[0].pointer
    }

    /// Whether its time is now.
    func fault(nowSeconds: Int) -> StapleFault? {
        if nowSeconds >= untilSeconds { return .expired }
        return nowSeconds < sinceSeconds - Self.skewSeconds ? .early : nil
    }

    private static func seconds(
        _ time: UnsafeMutablePointer<ASN1_STRING>?
    ) throws(StapleFault) -> Int {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { throw .malformed }
        return timegm(&parts)
    }
}

/// Why an OCSP response is of no use. A value; its description ends a sentence.
public enum StapleFault: Error, Hashable, Sendable, CaseIterable {
    case malformed
    case tooLong
    /// The responder had no answer (RFC 6960 §4.2.1, OCSPResponseStatus).
    case unsuccessful
    case foreign
    case revoked
    case unknown
    case expired
    case early
}

extension StapleFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed: "it is no OCSP response (DER, in base64 under data)"
        case .tooLong: "it has more than \(Staple.bytesMax) bytes"
        case .unsuccessful: "it tells of a failure of the responder; ask the responder again"
        case .foreign: "it is about another certificate than the first of tls.crt; ask for that one"
        case .revoked: "it says that the certificate is revoked; get a new certificate"
        case .unknown: "it says that the responder does not know the certificate"
        case .expired: "it has expired; ask the responder for a new one"
        case .early: "it is of the future; is the machine's clock right?"
        }
    }
}

// MARK: - As OpenSSL reads it

/// A response that was successful. Freed with its last reference.
private final class ResponseHandle {
    /// An `OCSP_BASICRESP *`.
    let pointer: OpaquePointer

    init(_ bytes: [UInt8]) throws(StapleFault) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let (read, length) = bytes.withUnsafeBufferPointer { buffer in
            var place = buffer.baseAddress
            let read = d2i_OCSP_RESPONSE(nil, &place, buffer.count)
            return (read, place.map { $0 - (buffer.baseAddress ?? $0) })
        }
        guard let read else { throw .malformed }
        defer { OCSP_RESPONSE_free(read) }
        guard length == bytes.count else { throw .malformed }
        guard OCSP_response_status(read) == OCSP_RESPONSE_STATUS_SUCCESSFUL else {
            throw .unsuccessful
        }
        guard let basic = OCSP_response_get1_basic(read) else { throw .malformed }
        pointer = basic
    }

    deinit { OCSP_BASICRESP_free(pointer) }

    /// What it says of the first certificate, an `OCSP_SINGLERESP *`; nil = nothing.
    func answer(about chain: [CertificateHandle]) -> OpaquePointer? {
        for place in 0..<OCSP_resp_count(pointer) {
            let answer = OCSP_resp_get0(pointer, place)
            if names(OCSP_SINGLERESP_get0_id(answer), chain) { return answer }
        }
        return nil
    }

    /// Whether a CertID (RFC 6960 §4.1.1) means the first of a chain: its serial number and the
    /// hashes of its issuer's name, and of its key where the chain has that.
    private func names(_ id: OpaquePointer?, _ chain: [CertificateHandle]) -> Bool {
        var name: UnsafeMutablePointer<ASN1_STRING>?
        var key: UnsafeMutablePointer<ASN1_STRING>?
        var serial: UnsafeMutablePointer<ASN1_STRING>?
        var algorithm: OpaquePointer?
        let leaf = chain[0].pointer
        guard let id,
            OCSP_id_get0_info(&name, &algorithm, &key, &serial, id) == 1,
            ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)) == 0,
            let digest = apus_digest(algorithm)
        else { return false }
        let issuerName = X509_get_issuer_name(leaf)
        let issuer = chain.dropFirst().first {
            X509_NAME_cmp(X509_get_subject_name($0.pointer), issuerName) == 0
        }
        return Self.equals(name) { X509_NAME_digest(issuerName, digest, $0, $1) }
            && (issuer.map { issuer in
                Self.equals(key) { X509_pubkey_digest(issuer.pointer, digest, $0, $1) }
            } ?? true)
    }

    private static func equals(
        _ text: UnsafeMutablePointer<ASN1_STRING>?,
        _ hash: (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>?) -> Int32
    ) -> Bool {
        var made = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard hash(&made, &count) == 1 else { return false }
        return made.prefix(Int(count)).elementsEqual(
            UnsafeBufferPointer(
                start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text))))
    }
}

// MARK: - Handing it out

extension SessionSource {
    /// Clients that ask get the response that the attachment has for the certificate they are
    /// shown, as long as it is believed.
    func hand(out staples: [Staple]) {
        guard !staples.isEmpty else { return }
        apus_ctx_set_status(pointer) { session, _ in
            guard let staples = Attachment.of(session)?.staples,
                let shown = SSL_get_certificate(session),
                let staple = staples.first(where: { $0.certificate == shown }),
                staple.fault(nowSeconds: Staple.now) == nil,
                let copy = apus_openssl_malloc(staple.bytes.count)
            else { return SSL_TLSEXT_ERR_NOACK }
            staple.bytes.withUnsafeBytes {
                copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: $0.count)
            }
            apus_ssl_set_status(
                session, copy.assumingMemoryBound(to: UInt8.self), staple.bytes.count)
            return SSL_TLSEXT_ERR_OK
        }
    }
}
