/// The request target (RFC 9112 section 3.2).
///
/// Refused are bytes that RFC 3986 has no place for and that are read in more than one way: white
/// space, controls, `#`, the backslash in paths, and all above 0x7f, which nginx passes on. Other
/// such bytes (`"<>^{|}` and the grave accent) are sent by browsers and harm nobody.
extension HTTPHeadCursor {
    /// Up to the space behind it.
    mutating func target(_ line: inout HTTPRequestLine, bytesMax: Int) -> Bool {
        let start = place
        guard place < bytes.count, form(&line, limit: start + bytesMax) else { return false }
        guard place <= start + bytesMax else { return fail(.targetTooLong) }
        guard place < bytes.count else { return false }
        switch bytes[place] {
        case HTTPByte.space: break
        // HTTP/0.9, which has no version.
        case HTTPByte.carriageReturn: return fail(.badVersion)
        case HTTPByte.lineFeed: return fail(.bareLineFeed)
        default: return fail(.badTarget)
        }
        line.target = HTTPSpan(start..<place)
        place += 1
        return true
    }

    /// - Parameter limit: where the target ends at the latest.
    private mutating func form(_ line: inout HTTPRequestLine, limit: Int) -> Bool {
        if line.method == .connect {
            line.targetForm = .authority
            return authority(&line, limit)
        }
        switch bytes[place] {
        case UInt8(ascii: "/"):
            line.targetForm = .origin
            pathAndQuery(&line, limit)
            return true
        case UInt8(ascii: "*"):
            guard line.method == .options else { return fail(.badTarget) }
            line.targetForm = .asterisk
            place += 1
            return true
        default:
            guard scheme(&line), authority(&line, limit) else { return false }
            switch bytes[place] {
            case UInt8(ascii: "/"), UInt8(ascii: "?"), HTTPByte.space: break
            default: return fail(.badTarget)
            }
            pathAndQuery(&line, limit)
            return true
        }
    }

    /// Up to the first byte that cannot belong to them.
    private mutating func pathAndQuery(_ line: inout HTTPRequestLine, _ limit: Int) {
        let end = min(bytes.count, limit + 1)
        let start = place
        while place < end, HTTPByte.path.contains(bytes[place]) { place += 1 }
        line.path = HTTPSpan(start..<place)
        guard place < end, bytes[place] == UInt8(ascii: "?") else { return }
        place += 1
        let query = place
        while place < end, HTTPByte.query.contains(bytes[place]) { place += 1 }
        line.query = HTTPSpan(query..<place)
    }

    /// `http://` or `https://`, in any case (RFC 3986 section 3.1).
    private mutating func scheme(_ line: inout HTTPRequestLine) -> Bool {
        let text: StaticString = "https://"
        line.targetForm = .absoluteHTTPS
        var offset = 0
        while offset < text.utf8CodeUnitCount {
            guard place < bytes.count else { return false }
            if offset == 4, bytes[place] == UInt8(ascii: ":") {
                line.targetForm = .absoluteHTTP
                offset = 5
            }
            guard HTTPByte.lowercase(bytes[place]) == text.utf8Start[offset]
            else { return fail(.badTarget) }
            place += 1
            offset += 1
        }
        return true
    }

    /// Up to the first byte that cannot belong to it.
    private mutating func authority(_ line: inout HTTPRequestLine, _ limit: Int) -> Bool {
        let start = place
        let end = min(bytes.count, limit + 1)
        while place < end, HTTPAuthority.canHold(bytes[place]) { place += 1 }
        guard place <= limit else { return fail(.targetTooLong) }
        guard place < bytes.count else { return false }
        line.authority = HTTPSpan(start..<place)
        guard let authority = HTTPAuthority(bytes, start..<place),
            line.targetForm != .authority || authority.port != nil
        else { return fail(.badTarget) }
        return true
    }
}

/// A host with or without a port (RFC 3986 section 3.2), strictly: names of letters, digits and
/// `-._~`, addresses in brackets, a port from 0 to 65535 that is not empty. User information,
/// percent-encodings and the other delimiters that the RFC allows in names are refused: no name
/// that is served has them.
struct HTTPAuthority {
    let host: Range<Int>
    let port: UInt16?

    init?(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        guard let first = range.first else { return nil }
        var end = first
        if bytes[first] == UInt8(ascii: "[") {
            end += 1
            while end < range.upperBound, Self.isAddressByte(bytes[end]) { end += 1 }
            guard end < range.upperBound, bytes[end] == UInt8(ascii: "]"), end - first > 2
            else { return nil }
            end += 1
        } else {
            while end < range.upperBound, HTTPByte.unreserved.contains(bytes[end]) { end += 1 }
        }
        guard end > first else { return nil }
        host = first..<end
        guard end < range.upperBound else {
            port = nil
            return
        }
        guard bytes[end] == UInt8(ascii: ":"), 1...5 ~= range.upperBound - end - 1
        else { return nil }
        var number: UInt32 = 0
        for place in (end + 1)..<range.upperBound {
            guard HTTPByte.isDigit(bytes[place]) else { return nil }
            number = number * 10 + UInt32(bytes[place] - 0x30)
        }
        guard number <= UInt16.max else { return nil }
        port = UInt16(number)
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        HTTPByte.hexDigit(byte) != nil || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
    }

    @inline(__always)
    static func canHold(_ byte: UInt8) -> Bool {
        HTTPByte.unreserved.contains(byte) || byte == UInt8(ascii: ":")
            || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")
    }

    /// Whether both mean the same place, where `defaultPort` need not be said.
    func isEqual(
        _ other: HTTPAuthority, defaultPort: UInt16?, in bytes: UnsafeRawBufferPointer
    ) -> Bool {
        (port ?? defaultPort) == (other.port ?? defaultPort)
            && HTTPByte.isEqualIgnoringCase(
                UnsafeRawBufferPointer(rebasing: bytes[host]),
                UnsafeRawBufferPointer(rebasing: bytes[other.host]))
    }
}
