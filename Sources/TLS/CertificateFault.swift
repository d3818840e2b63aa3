import COpenSSL

/// Why a text is no certificate with its key. A value; its description ends a sentence.
public enum CertificateFault: Error, Hashable, Sendable {
    case missing
    /// The number of the certificate in the text, from 1, and what OpenSSL says of it.
    case malformed(Int, String)
    case noKey
    case keyIsEncrypted
    case keyMalformed(String)
    case keyDiffers
}

extension CertificateFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing: "there is no certificate (PEM)"
        case .malformed(let number, let text): "certificate \(number) cannot be read: \(text)"
        case .noKey: "there is no private key (PEM)"
        case .keyIsEncrypted: "the private key is encrypted; write it without a pass phrase"
        case .keyMalformed(let text): "the private key cannot be read: \(text)"
        case .keyDiffers: "the private key belongs to another certificate"
        }
    }
}

/// What OpenSSL has to say of the last failure on this thread, whose errors are forgotten by it.
enum OpenSSLError {
    /// The error that the others are the consequences of; nil = there is none.
    static func take() -> (library: Int32, reason: Int32, text: String)? {
        let error = ERR_get_error()
        ERR_clear_error()
        guard error != 0 else { return nil }
        let text = ERR_reason_error_string(error).map { String(cString: $0) }
        return (apus_error_library(error), apus_error_reason(error), text ?? "error \(error)")
    }
}
