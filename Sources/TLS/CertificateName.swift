/// A name that a certificate is for, as in `*.example.com`, where `*` stands for one label
/// (RFC 6125 §6.4.3). A value.
public struct CertificateName: Hashable, Sendable {
    /// Lower case.
    public let text: String

    public init(_ text: String) {
        self.text = text
    }

    /// Whether some server is meant by both.
    public func overlaps(_ other: CertificateName) -> Bool {
        if text == other.text { return true }
        return isWildcard != other.isWildcard && parent != nil && parent == other.parent
    }

    private var isWildcard: Bool { text.hasPrefix("*.") }

    /// What follows the first label.
    private var parent: Substring? {
        text.firstIndex(of: ".").map { text[text.index(after: $0)...] }
    }
}
