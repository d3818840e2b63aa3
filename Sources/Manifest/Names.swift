/// The forms that names take in Kubernetes.
package enum Names {
    /// RFC 1123 label: lowercase letters, digits and hyphens, at most 63, none at the ends.
    package static func isLabel(_ text: Substring) -> Bool {
        let bytes = text.utf8
        guard (1...63).contains(bytes.count) else { return false }
        guard bytes.first != UInt8(ascii: "-"), bytes.last != UInt8(ascii: "-") else {
            return false
        }
        return bytes.allSatisfy {
            $0.isDigit || $0 == UInt8(ascii: "-")
                || ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z"))
        }
    }

    package static func isLabel(_ text: String) -> Bool { isLabel(text[...]) }

    package static func isSubdomain(_ text: String) -> Bool { isSubdomain(text[...]) }

    /// RFC 1123 subdomain: labels with dots between, at most 253 bytes.
    package static func isSubdomain(_ text: Substring) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false)
            .allSatisfy { isLabel($0) }
    }
}
