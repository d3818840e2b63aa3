import COpenSSL

/// An OCSP response (RFC 6960) that a server hands out with its certificate (RFC 6066 §8).
/// Immutable; read by workers.
struct Staple: Sendable {
    let bytes: [UInt8]
    /// The certificate that it is about; an `X509 *` that the same `SSL_CTX` holds.
    nonisolated(unsafe) let certificate: OpaquePointer
    /// When there is a newer one (Unix time); later nobody would believe it.
    let untilSeconds: Int
}
