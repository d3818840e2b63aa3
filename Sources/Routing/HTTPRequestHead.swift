/// What of a request decides where it goes, as its holder keeps it: bytes of its own buffers, which
/// are looked at and neither copied nor kept. The engine's parser is one holder, `HTTPRequest`
/// another.
public protocol HTTPRequestHead: ~Copyable {
    /// As it was sent: methods are told apart by case (RFC 9110 section 9.1).
    var method: UnsafeRawBufferPointer { get }
    /// `Host` or `:authority` as it was sent; a port and case are not looked at. Nil = there is
    /// none, as HTTP/1.0 allows.
    var authority: UnsafeRawBufferPointer? { get }
    /// Up to the question mark, after the listener's own clean-up (`mergesSlashes` and
    /// `escapedSlashes` of its plan): what is decided here is decided by these bytes as they are.
    var path: UnsafeRawBufferPointer { get }
    /// Behind the question mark; empty = there is none.
    var query: UnsafeRawBufferPointer { get }
    /// Lines of the head, in the order in which they came.
    var headerCount: Int { get }
    /// In any case.
    borrowing func headerName(_ index: Int) -> UnsafeRawBufferPointer
    /// Without white space at either end.
    borrowing func headerValue(_ index: Int) -> UnsafeRawBufferPointer
}

extension HTTPRequestHead where Self: ~Copyable {
    /// The name that a request asks for: its authority without a port (RFC 3986 section 3.2.3).
    public var host: UnsafeRawBufferPointer? { authority.map(Self.host(of:)) }

    /// `a:80` → `a`; `[::1]:80` → `[::1]`.
    static func host(of authority: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var place = authority.count
        while place > 0 {
            place -= 1
            let byte = authority[place]
            if byte == UInt8(ascii: ":") { return authority.part(0..<place) }
            guard byte &- 0x30 < 10 else { return authority }
        }
        return authority
    }

    /// The next line of this name, from `start` on.
    /// - Parameter name: lowercase.
    func headerLine(_ name: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
        var index = start
        while index < headerCount {
            if Self.isEqual(headerName(index), lowercase: name) { return index }
            index += 1
        }
        return nil
    }

    @inline(__always)
    private static func isEqual(
        _ bytes: UnsafeRawBufferPointer, lowercase name: UnsafeRawBufferPointer
    ) -> Bool {
        guard bytes.count == name.count else { return false }
        for place in bytes.indices where bytes[place].lowercase != name[place] { return false }
        return true
    }

    /// Whether a header has exactly this value. Lines of one name are one value, joined by a comma
    /// (RFC 9110 section 5.3), with no space behind it, as Envoy joins them.
    func hasHeader(_ name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Bool {
        guard var line = headerLine(name) else { return false }
        var matched = 0
        while true {
            let part = headerValue(line)
            guard value.count - matched >= part.count,
                value.part(matched..<(matched + part.count)).isEqual(part)
            else { return false }
            matched += part.count
            guard let next = headerLine(name, from: line + 1) else { return matched == value.count }
            guard matched < value.count, value[matched] == UInt8(ascii: ",") else { return false }
            matched += 1
            line = next
        }
    }

    /// Calls `body` with a header's whole value; false when there is none.
    func withHeader(
        _ name: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        guard let first = headerLine(name) else { return false }
        guard var line = headerLine(name, from: first + 1) else { return body(headerValue(first)) }
        // Rare: only repeated headers that an expression looks at are copied.
        var joined = Array(headerValue(first))
        while true {
            joined.append(UInt8(ascii: ","))
            joined += headerValue(line)
            guard let next = headerLine(name, from: line + 1) else { break }
            line = next
        }
        return joined.withUnsafeBytes(body)
    }
}
