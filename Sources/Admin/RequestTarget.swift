/// Where a request leads: a path, and parameters without their percent signs (RFC 3986 §2.1, §3.4).
/// A value. A plus sign stays one, because it means something in regular expressions.
struct RequestTarget: Hashable, Sendable {
    var path: String
    private var parameters: [String: String] = [:]

    init(_ text: String) {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = Self.decoded(parts[0])
        // `/ready/` is what a browser makes of `/ready` when it is asked nicely.
        if path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard parts.count == 2 else { return }
        for parameter in parts[1].prefix(while: { $0 != "#" }).split(separator: "&") {
            let sides = parameter.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // The first counts, as in Envoy.
            let name = Self.decoded(sides[0])
            guard parameters[name] == nil else { continue }
            parameters[name] = sides.count == 2 ? Self.decoded(sides[1]) : ""
        }
    }

    subscript(name: String) -> String? { parameters[name] }

    /// A percent sign that begins no byte stays as it is.
    private static func decoded(_ text: Substring) -> String {
        guard text.contains("%") else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
            if byte == UInt8(ascii: "%"), digits.count == 2 {
                bytes.append(UInt8(digits[0] * 16 + digits[1]))
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
