import Primitives

/// The text form of the PROXY protocol (§2.1): the word `PROXY`, TCP4 or TCP6, source and
/// destination address, source and destination port, CRLF. A namespace for pure functions.
enum ProxyLine {
    private static let carriageReturn: UInt8 = 0x0d
    private static let lineFeed: UInt8 = 0x0a
    private static let space: UInt8 = 0x20

    /// - Parameter bytes: they begin with as much of `PROXY ` as there is.
    static func parse(_ bytes: RawSpan) -> ProxyHeaderParser.Verdict {
        let limit = min(bytes.byteCount, ProxyHeader.v1BytesMax)
        for offset in min(ProxySignature.v1.count, limit)..<limit {
            let byte = bytes.byte(at: offset)
            if byte == lineFeed { return .malformed(.loneLineBreak) }
            guard byte == carriageReturn else { continue }
            guard offset + 1 < ProxyHeader.v1BytesMax else { return .malformed(.lineTooLong) }
            guard offset + 1 < bytes.byteCount else { return .needMore }
            guard bytes.byte(at: offset + 1) == lineFeed else {
                return .malformed(.loneLineBreak)
            }
            return parse(line: bytes, end: offset)
        }
        return limit < ProxyHeader.v1BytesMax ? .needMore : .malformed(.lineTooLong)
    }

    /// - Parameter end: where the CRLF is.
    private static func parse(line bytes: RawSpan, end: Int) -> ProxyHeaderParser.Verdict {
        var fields = Fields(offset: ProxySignature.v1.count, end: end)
        let length = end + 2
        let word = fields.next(in: bytes) ?? end..<end
        if matches(bytes, word, "UNKNOWN") {
            // What stands between the word and the CRLF must be ignored.
            return .match(ProxyHeader(version: .v1, transport: .unspecified), length: length)
        }
        let isIPv4 = matches(bytes, word, "TCP4")
        guard isIPv4 || matches(bytes, word, "TCP6") else { return .malformed(.unknownProtocol) }
        guard let sourceField = fields.next(in: bytes),
            let destinationField = fields.next(in: bytes),
            let sourcePortField = fields.next(in: bytes),
            let destinationPortField = fields.next(in: bytes)
        else { return .malformed(.fieldMissing) }
        guard fields.isAtEnd else { return .malformed(.fieldSurplus) }

        guard let source = AddressText.parse(bytes, sourceField, isIPv4: isIPv4) else {
            return .malformed(.badSourceAddress)
        }
        guard let destination = AddressText.parse(bytes, destinationField, isIPv4: isIPv4) else {
            return .malformed(.badDestinationAddress)
        }
        guard let sourcePort = AddressText.parsePort(bytes, sourcePortField) else {
            return .malformed(.badSourcePort)
        }
        guard let destinationPort = AddressText.parsePort(bytes, destinationPortField) else {
            return .malformed(.badDestinationPort)
        }
        let header = ProxyHeader(
            version: .v1, source: .ip(source, port: sourcePort),
            destination: .ip(destination, port: destinationPort))
        return .match(header, length: length)
    }

    private static func matches(
        _ bytes: RawSpan, _ range: Range<Int>, _ word: StaticString
    ) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        return range.allSatisfy {
            bytes.byte(at: $0) == word.utf8Start[$0 - range.lowerBound]
        }
    }

    /// Splits at every single space, so that a doubled one leaves an empty field, which is no
    /// address. A cursor that holds offsets only.
    private struct Fields {
        private var offset: Int
        private let end: Int
        private(set) var isAtEnd = false

        init(offset: Int, end: Int) {
            self.offset = offset
            self.end = end
        }

        mutating func next(in bytes: RawSpan) -> Range<Int>? {
            guard !isAtEnd else { return nil }
            let start = offset
            while offset < end, bytes.byte(at: offset) != space { offset += 1 }
            let field = start..<offset
            isAtEnd = offset == end
            offset += 1
            return field
        }
    }
}
