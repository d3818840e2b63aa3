import CNghttp2

/// A head as text, `GET /a HTTP/1.1` and `name: value` lines, made into the list of fields that
/// nghttp2 sends (RFC 9113 section 8.3). The text is the worker's own: it has passed a parser, or
/// was written by one that knows what may stand in it.
///
/// Names are made lowercase in place. What is meant for a connection of HTTP/1 only is left out.
struct FieldList {
    private(set) var fields: [nghttp2_nv] = []

    init() {
        fields.reserveCapacity(64)
    }

    /// `:method`, `:scheme`, `:authority`, `:path`, and the lines.
    /// - Parameter text: stays where it is until the list was given to nghttp2.
    mutating func setRequest(_ text: UnsafeMutableRawBufferPointer, isSecure: Bool) {
        fields.removeAll(keepingCapacity: true)
        let end = lineEnd(text, from: 0)
        let methodEnd = firstSpace(text, from: 0, to: end)
        let targetEnd = lastSpace(text, from: methodEnd + 1, to: end)
        pseudo(":method", text, 0..<methodEnd)
        constant(":scheme", isSecure ? "https" : "http")
        pseudo(":path", text, methodEnd + 1..<targetEnd)
        // Its place is before the other fields; what stands there is known when they were read.
        let authority = fields.count
        setLines(text, from: end + 2, authority: authority)
        constant("te", "trailers")
    }

    /// `:status`, and the lines.
    mutating func setAnswer(_ text: UnsafeMutableRawBufferPointer) {
        fields.removeAll(keepingCapacity: true)
        let end = lineEnd(text, from: 0)
        // "HTTP/1.1 " and three digits.
        pseudo(":status", text, 9..<12)
        setLines(text, from: end + 2, authority: nil)
    }

    /// Lines only.
    mutating func setTrailers(_ text: UnsafeMutableRawBufferPointer) {
        fields.removeAll(keepingCapacity: true)
        setLines(text, from: 0, authority: nil)
    }

    // MARK: - Lines

    private mutating func setLines(
        _ text: UnsafeMutableRawBufferPointer, from start: Int, authority: Int?
    ) {
        var place = start
        while place < text.count {
            let end = lineEnd(text, from: place)
            guard end > place else { return }
            line(text, place..<end, authority: authority)
            place = end + 2
        }
    }

    private mutating func line(
        _ text: UnsafeMutableRawBufferPointer, _ range: Range<Int>, authority: Int?
    ) {
        var colon = range.lowerBound
        while colon < range.upperBound, text[colon] != UInt8(ascii: ":") {
            let byte = text[colon]
            if byte &- UInt8(ascii: "A") < 26 { text[colon] = byte | 0x20 }
            colon += 1
        }
        let name = range.lowerBound..<colon
        var value = min(colon + 1, range.upperBound)
        while value < range.upperBound, text[value] == 0x20 { value += 1 }
        if let authority, isEqual(text, name, "host") {
            // Of HTTP/1.0, which needs none.
            guard value < range.upperBound else { return }
            fields.insert(
                field(Self.pointer(":authority"), 10, text, value..<range.upperBound),
                at: authority)
            return
        }
        guard !Self.isForHTTP1(text, name) else { return }
        guard let base = text.baseAddress else { return }
        fields.append(
            field(
                (base + name.lowerBound).assumingMemoryBound(to: UInt8.self), name.count, text,
                value..<range.upperBound))
    }

    /// RFC 9113 section 8.2.2.
    private static func isForHTTP1(
        _ text: UnsafeMutableRawBufferPointer, _ name: Range<Int>
    ) -> Bool {
        switch name.count {
        case 2: isEqual(text, name, "te")
        case 7: isEqual(text, name, "upgrade")
        case 10: isEqual(text, name, "connection") || isEqual(text, name, "keep-alive")
        case 16: isEqual(text, name, "proxy-connection")
        case 17: isEqual(text, name, "transfer-encoding")
        default: false
        }
    }

    private static func isEqual(
        _ text: UnsafeMutableRawBufferPointer, _ range: Range<Int>, _ name: StaticString
    ) -> Bool {
        guard range.count == name.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count
        where text[range.lowerBound + offset] != name.utf8Start[offset] { return false }
        return true
    }

    private func isEqual(
        _ text: UnsafeMutableRawBufferPointer, _ range: Range<Int>, _ name: StaticString
    ) -> Bool {
        Self.isEqual(text, range, name)
    }

    // MARK: - Fields

    private mutating func pseudo(
        _ name: StaticString, _ text: UnsafeMutableRawBufferPointer, _ value: Range<Int>
    ) {
        fields.append(field(Self.pointer(name), name.utf8CodeUnitCount, text, value))
    }

    private mutating func constant(_ name: StaticString, _ value: StaticString) {
        fields.append(
            nghttp2_nv(
                name: Self.pointer(name), value: Self.pointer(value),
                namelen: name.utf8CodeUnitCount, valuelen: value.utf8CodeUnitCount, flags: 0))
    }

    private func field(
        _ name: UnsafeMutablePointer<UInt8>, _ nameCount: Int,
        _ text: UnsafeMutableRawBufferPointer, _ value: Range<Int>
    ) -> nghttp2_nv {
        let start = text.baseAddress.map {
            ($0 + value.lowerBound).assumingMemoryBound(to: UInt8.self)
        }
        return nghttp2_nv(
            name: name, value: start, namelen: nameCount, valuelen: value.count, flags: 0)
    }

    /// nghttp2 copies what it is given, and does not write there.
    private static func pointer(_ text: StaticString) -> UnsafeMutablePointer<UInt8> {
        UnsafeMutablePointer(mutating: text.utf8Start)
    }

    // MARK: - Places

    /// Where CR stands that ends the line; the text's end where there is none.
    private func lineEnd(_ text: UnsafeMutableRawBufferPointer, from start: Int) -> Int {
        var place = start
        while place < text.count, text[place] != 0x0d { place += 1 }
        return place
    }

    private func firstSpace(
        _ text: UnsafeMutableRawBufferPointer, from start: Int, to end: Int
    ) -> Int {
        var place = start
        while place < end, text[place] != 0x20 { place += 1 }
        return place
    }

    private func lastSpace(
        _ text: UnsafeMutableRawBufferPointer, from start: Int, to end: Int
    ) -> Int {
        var place = end
        while place > start, text[place - 1] != 0x20 { place -= 1 }
        return place > start ? place - 1 : end
    }
}
