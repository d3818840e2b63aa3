import COpenSSL

/// What is to be known of an X.509 certificate (RFC 5280) before anybody is shown it. A value.
public struct Certificate: Hashable, Sendable {
    /// The servers that it is for: the dNSNames of its subjectAltName, or, where it has none, its
    /// common name (RFC 6125 §6.4.4). Lower case, in their order; the first label may be `*`.
    public let names: [CertificateName]

    /// The certificates in a text (RFC 7468), in their order; what stands between them is passed
    /// over.
    /// - Throws: `missing` where there is none, `malformed` where one cannot be read.
    public static func all(in pem: [UInt8]) throws(CertificateFault) -> [Certificate] {
        let handles = try CertificateHandle.all(in: pem)
        return handles.map { Certificate(names: $0.names.map(CertificateName.init)) }
    }
}

/// A certificate with those that vouch for it, and its private key. A value.
public struct CertificateChain: Hashable, Sendable {
    /// The first is the server's own.
    public let certificates: [Certificate]

    /// - Parameters:
    ///   - chain: PEM.
    ///   - key: PEM, in any of the forms that OpenSSL reads; not encrypted.
    /// - Throws: as `Certificate.all`; `noKey`, `keyIsEncrypted`, or `keyDiffers` where the key is
    ///   another certificate's.
    public init(_ chain: [UInt8], key: [UInt8]) throws(CertificateFault) {
        let handles = try CertificateHandle.all(in: chain)
        let key = try KeyHandle(key)
        guard X509_check_private_key(handles[0].pointer, key.pointer) == 1 else {
            ERR_clear_error()
            throw .keyDiffers
        }
        certificates = handles.map { Certificate(names: $0.names.map(CertificateName.init)) }
    }
}
