/// The cookies of a request (RFC 6265 section 4.2.1): `name=value` with a semicolon and a space
/// between them. A namespace.
enum CookiePairs {
    /// The value of the first cookie of this name that has one, without quotes, where it stands;
    /// nil = there is none.
    static func value(
        _ name: UnsafeRawBufferPointer, of head: borrowing some HTTPRequestHead & ~Copyable
    ) -> UnsafeRawBufferPointer? {
        let field: StaticString = "cookie"
        let bytes = UnsafeRawBufferPointer(start: field.utf8Start, count: field.utf8CodeUnitCount)
        var next = head.headerLine(bytes)
        while let line = next {
            if let value = value(name, in: head.headerValue(line)) { return value }
            next = head.headerLine(bytes, from: line + 1)
        }
        return nil
    }

    private static func value(
        _ name: UnsafeRawBufferPointer, in pairs: UnsafeRawBufferPointer
    ) -> UnsafeRawBufferPointer? {
        var start = 0
        while start < pairs.count {
            var end = start
            while end < pairs.count, pairs[end] != UInt8(ascii: ";") { end += 1 }
            let pair = trimmed(pairs.part(start..<end))
            if pair.count > name.count, pair[name.count] == UInt8(ascii: "="),
                pair.part(0..<name.count).isEqual(name)
            {
                let value = unquoted(pair.part((name.count + 1)..<pair.count))
                if !value.isEmpty { return value }
            }
            start = end + 1
        }
        return nil
    }

    private static func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var (start, end) = (0, bytes.count)
        while start < end, bytes[start] == UInt8(ascii: " ") { start += 1 }
        while start < end, bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
        return bytes.part(start..<end)
    }

    private static func unquoted(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let quote = UInt8(ascii: "\"")
        guard value.count > 1, value.first == quote, value.last == quote else { return value }
        return value.part(1..<(value.count - 1))
    }
}
