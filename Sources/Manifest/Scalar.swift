/// A YAML scalar as it was written, and what YAML 1.1 takes it for. Kubernetes reads YAML 1.1
/// (sigs.k8s.io/yaml), so `no` is a boolean and `010` is eight, whoever finds that surprising.
package struct Scalar: Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case null, boolean(Bool), integer(Int64), real, text }

    package let text: String
    package let kind: Kind

    /// - Parameter isText: quoted, a block, or tagged `!!str`: always a string.
    package init(_ text: String, isText: Bool) {
        self.text = text
        self.kind = isText ? .text : Scalar.kind(ofPlain: text)
    }

    /// The text, cut for a message.
    package var excerpt: String {
        text.utf8.count <= 64 ? text : String(text.prefix(61)) + "…"
    }

    private static func kind(ofPlain text: String) -> Kind {
        guard text.utf8.count > keywordBytesMax else { return keyword(text) }
        // Most values are longer words. What is longer still is no number that fits.
        guard text.utf8.count <= 80 else { return .text }
        return number(text) ?? .text
    }

    /// Of `false` and `+.inf`, the longest.
    private static let keywordBytesMax = 5

    private static func keyword(_ text: String) -> Kind {
        switch text {
        case "", "~", "null", "Null", "NULL":
            return .null
        case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE":
            return .boolean(true)
        case "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE":
            return .boolean(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan",
            ".NaN", ".NAN":
            return .real
        default:
            return number(text) ?? .text
        }
    }

    private static func number(_ text: String) -> Kind? {
        guard let first = text.utf8.first, first.isDigit || "+-.".utf8.contains(first) else {
            return nil
        }
        if let integer = plainInteger(text) { return .integer(integer) }
        var digits = Substring(text)
        var isNegative = false
        if first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            digits = digits.dropFirst()
        }
        let (radix, prefix) = radix(of: digits)
        let body = digits.dropFirst(prefix).filter { $0 != "_" }
        let isInteger =
            !body.isEmpty && body.utf8.allSatisfy { $0.digitValue.map { $0 < radix } ?? false }
        if isInteger {
            return Int64((isNegative ? "-" : "") + body, radix: radix).map(Kind.integer) ?? .real
        }
        return isReal(digits) ? .real : nil
    }

    /// What most numbers are: decimal digits without a sign or leading zero, few enough to fit.
    private static func plainInteger(_ text: String) -> Int64? {
        let bytes = text.utf8
        guard (1...18).contains(bytes.count), bytes.first != UInt8(ascii: "0") else { return nil }
        var number: Int64 = 0
        for byte in bytes {
            guard byte.isDigit else { return nil }
            number = number * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return number
    }

    private static func radix(of digits: Substring) -> (radix: Int, prefix: Int) {
        if digits.hasPrefix("0x") || digits.hasPrefix("0X") { return (16, 2) }
        if digits.hasPrefix("0b") { return (2, 2) }
        if digits.hasPrefix("0o") { return (8, 2) }
        if digits.hasPrefix("0"), digits.utf8.count > 1 { return (8, 1) }
        return (10, 0)
    }

    /// `[0-9]*[.][0-9]*([eE][+-]?[0-9]+)?` with a digit somewhere before the exponent.
    private static func isReal(_ digits: Substring) -> Bool {
        var rest = Array(digits.utf8)[...]
        let whole = rest.prefix { $0.isDigit || $0 == UInt8(ascii: "_") }
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = rest.prefix { $0.isDigit }
            rest = rest.dropFirst(fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return false }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") {
                rest = rest.dropFirst()
            }
            guard !rest.isEmpty else { return false }
            rest = rest.drop { $0.isDigit }
        }
        return rest.isEmpty
    }
}

extension UInt8 {
    package var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    /// As a hexadecimal digit.
    package var digitValue: Int? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(self - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(self - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(self - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
