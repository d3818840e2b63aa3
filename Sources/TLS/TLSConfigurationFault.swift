/// Why no TLS can be spoken as the plan says. A value; its description is a sentence without its
/// full stop, and names the word or the Secret that is at fault.
public enum TLSConfigurationFault: Error, Hashable, Sendable {
    /// `namespace/name` of the Secret.
    case certificate(String, CertificateFault)
    /// OpenSSL refuses the certificate, such as for a key that is too short: the Secret, and what
    /// it says.
    case certificateRefused(String, String)
    /// An application cannot answer for nobody.
    case noCertificate
    case cipher(String)
    case curve(String)
    case signatureAlgorithm(String)
    case applicationProtocol(String)
    case versions(String, String)
    /// Of those whose certificates are believed.
    case authorities(CertificateFault)
    case revocationList(String)
    /// A hash that is none, as it is written.
    case certificateHash(String)
    /// Client certificates are to be verified, and nothing says against what.
    case nothingToVerifyAgainst
    /// An expression that is none, or that nobody compiles here.
    case expression(String)
    /// The Secret, and what is wrong with the OCSP response.
    case staple(String, StapleFault)
    /// What OpenSSL says.
    case refused(String)
}

extension TLSConfigurationFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .certificate(let name, let fault): "certificate \(name): \(fault)"
        case .certificateRefused(let name, let text): "certificate \(name) is refused: \(text)"
        case .noCertificate: "there is no certificate to answer with"
        case .cipher(let word): "\(word) is no cipher that can be used here"
        case .curve(let word): "\(word) is no curve that can be used here"
        case .signatureAlgorithm(let word): "\(word) is no signature algorithm that is known"
        case .applicationProtocol(let word):
            "\"\(word)\" is no application protocol: its name has 1 to 255 bytes"
        case .versions(let least, let most): "no version is from \(least) to \(most)"
        case .authorities(let fault): "the certificate authorities: \(fault)"
        case .revocationList(let text): "the revocation lists: \(text)"
        case .certificateHash(let text): "\"\(text)\" is no SHA-256 hash"
        case .nothingToVerifyAgainst:
            "client certificates are to be verified, but neither authorities nor hashes are given"
        case .expression(let text): "\"\(text)\" is no expression that can be used here"
        case .staple(let name, let fault): "the OCSP response of \(name): \(fault)"
        case .refused(let text): "OpenSSL refuses the settings: \(text)"
        }
    }
}
