/// Whether text looks like what a certificate or key is kept in (RFC 7468): what can be told
/// without cryptography, so that a mistaken Secret is found before TLS is spoken.
enum PEM {
    /// Whether there is at least one block whose label ends with `label`, and every such block is
    /// base64 between its lines.
    static func holds(_ label: String, in bytes: [UInt8]) -> Bool {
        var blocks = 0
        var body: String?
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let line = line.drop { $0 == " " }
            if line.hasPrefix("-----BEGIN "), line.hasSuffix("-----") {
                body = line.dropLast(5).hasSuffix(label) ? "" : nil
            } else if line.hasPrefix("-----END ") {
                guard let text = body else { continue }
                guard !text.isEmpty, Base64.decode(text) != nil else { return false }
                blocks += 1
                body = nil
            } else if body != nil, !line.contains(":") {
                body?.append(contentsOf: line.filter { !$0.isWhitespace })
            }
        }
        return blocks > 0 && body == nil
    }
}
