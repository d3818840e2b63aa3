/// The parameters of a query, `name=value` with `&` between them (WHATWG URL, section 5.1), read
/// where they stand.
///
/// Names and values are compared after percent-decoding (RFC 3986 section 2.1): `%41` is `A`. A
/// percent sign without two digits stands for itself, and so does `+`: only forms write a space
/// so. Of a repeated parameter the first one counts, as the Gateway API recommends
/// (`HTTPQueryParamMatch.name`).
struct QueryString {
    let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The first value of a parameter, as it was sent; nil = there is none. A name alone has an
    /// empty value.
    func first(_ name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var start = 0
        while start < bytes.count {
            var end = start
            var equals = -1
            while end < bytes.count, bytes[end] != UInt8(ascii: "&") {
                if equals < 0, bytes[end] == UInt8(ascii: "=") { equals = end }
                end += 1
            }
            let nameEnd = equals < 0 ? end : equals
            if Self.isEqual(bytes.part(start..<nameEnd), decoded: name) {
                return bytes.part((equals < 0 ? end : equals + 1)..<end)
            }
            start = end + 1
        }
        return nil
    }

    static func isEqual(
        _ encoded: UnsafeRawBufferPointer, decoded: UnsafeRawBufferPointer
    ) -> Bool {
        guard encoded.count >= decoded.count else { return false }
        var place = 0
        var count = 0
        while place < encoded.count {
            guard count < decoded.count, next(encoded, &place) == decoded[count] else {
                return false
            }
            count += 1
        }
        return count == decoded.count
    }

    static func decode(_ encoded: UnsafeRawBufferPointer) -> [UInt8] {
        Array(Decoded(encoded))
    }

    /// The bytes of a name or value, decoded one by one.
    struct Decoded: Sequence, IteratorProtocol {
        private let encoded: UnsafeRawBufferPointer
        private var place = 0

        init(_ encoded: UnsafeRawBufferPointer) { self.encoded = encoded }

        mutating func next() -> UInt8? {
            place < encoded.count ? QueryString.next(encoded, &place) : nil
        }
    }

    /// The byte that stands at `place`, which moves behind it.
    @inline(__always)
    private static func next(_ encoded: UnsafeRawBufferPointer, _ place: inout Int) -> UInt8 {
        let byte = encoded[place]
        place += 1
        guard byte == UInt8(ascii: "%"), place + 1 < encoded.count,
            let high = digit(encoded[place]), let low = digit(encoded[place + 1])
        else { return byte }
        place += 2
        return high << 4 | low
    }

    @inline(__always)
    private static func digit(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = byte.lowercase &- 0x61
        return letter < 6 ? letter + 10 : nil
    }
}
