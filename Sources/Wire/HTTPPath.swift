/// The path of a request in its normal form, as Envoy has it with Envoy Gateway's settings
/// (ClientTrafficPolicy `path`): escaped slashes first, then unreserved bytes unescaped and dot
/// segments removed (RFC 3986 sections 6.2.2.2 and 5.2.4), then neighbouring slashes merged.
public enum HTTPPath {
    /// `path.escapedSlashesAction`: what becomes of `%2F` and `%5C`.
    public enum EscapedSlashes: UInt8, Hashable, Sendable {
        case keepUnchanged, reject, unescapeAndForward, unescapeAndRedirect
    }

    public enum Outcome: Hashable, Sendable {
        /// The path is in its normal form; nothing of the memory is to be used.
        case unchanged
        /// The memory's first `count` bytes are the path.
        case changed(count: Int)
        /// As `changed`, and the client is to be sent there.
        case redirect(count: Int)
        /// `badPath`: an escape that is none, `%00`, or an escaped slash that is refused.
        case malformed(HTTPFault)
    }

    /// - Parameters:
    ///   - path: begins with a slash, and has no other bytes than the request parser lets through.
    ///   - memory: as long as `path` at least.
    public static func normalize(
        _ path: UnsafeRawBufferPointer, into memory: UnsafeMutableRawBufferPointer,
        escapedSlashes: EscapedSlashes = .unescapeAndRedirect, mergesSlashes: Bool = true
    ) -> Outcome {
        precondition(memory.count >= path.count && path.first == UInt8(ascii: "/"))
        var hasSlashes = false
        guard var count = unescape(path, memory, escapedSlashes, &hasSlashes)
        else { return .malformed(.badPath) }
        let keptSlashes = count
        count = removeDotSegments(memory, count)
        if mergesSlashes { count = mergeSlashes(memory, count) }
        if hasSlashes, escapedSlashes == .unescapeAndRedirect { return .redirect(count: count) }
        guard keptSlashes == path.count, count == path.count else { return .changed(count: count) }
        return .unchanged
    }

    /// Nil = malformed. Each escape makes the path shorter or leaves it as it is.
    private static func unescape(
        _ path: UnsafeRawBufferPointer, _ memory: UnsafeMutableRawBufferPointer,
        _ escapedSlashes: EscapedSlashes, _ hasSlashes: inout Bool
    ) -> Int? {
        var (place, count) = (0, 0)
        while place < path.count {
            var byte = path[place]
            var length = 1
            if byte == UInt8(ascii: "%") {
                guard place + 2 < path.count, let high = HTTPByte.hexDigit(path[place + 1]),
                    let low = HTTPByte.hexDigit(path[place + 2]), high | low != 0
                else { return nil }
                let escaped = high << 4 | low
                let isSlash = escaped == UInt8(ascii: "/") || escaped == UInt8(ascii: "\\")
                if isSlash, escapedSlashes == .reject { return nil }
                if isSlash, escapedSlashes != .keepUnchanged {
                    hasSlashes = true
                    (byte, length) = (UInt8(ascii: "/"), 3)
                } else if HTTPByte.unreserved.contains(escaped) {
                    (byte, length) = (escaped, 3)
                }
            }
            memory[count] = byte
            count += 1
            place += length
        }
        return count
    }

    /// Segments are copied towards the start; `..` beyond the root stays at it. Empty segments are
    /// segments.
    private static func removeDotSegments(
        _ memory: UnsafeMutableRawBufferPointer, _ count: Int
    ) -> Int {
        var (place, kept) = (0, 0)
        while place < count {
            // A slash, and the segment behind it.
            var end = place + 1
            while end < count, memory[end] != UInt8(ascii: "/") { end += 1 }
            let isLast = end == count
            switch dots(memory, (place + 1)..<end) {
            case 1:
                if isLast { kept = append(memory, kept) }
            case 2:
                while kept > 0 {
                    kept -= 1
                    if memory[kept] == UInt8(ascii: "/") { break }
                }
                if isLast { kept = append(memory, kept) }
            default:
                for source in place..<end {
                    memory[kept] = memory[source]
                    kept += 1
                }
            }
            place = end
        }
        return kept
    }

    private static func append(_ memory: UnsafeMutableRawBufferPointer, _ kept: Int) -> Int {
        memory[kept] = UInt8(ascii: "/")
        return kept + 1
    }

    /// 1 = `.`, 2 = `..`, 0 = any other segment.
    private static func dots(
        _ memory: UnsafeMutableRawBufferPointer, _ segment: Range<Int>
    ) -> Int {
        guard 1...2 ~= segment.count else { return 0 }
        for place in segment where memory[place] != UInt8(ascii: ".") { return 0 }
        return segment.count
    }

    private static func mergeSlashes(
        _ memory: UnsafeMutableRawBufferPointer, _ count: Int
    ) -> Int {
        var kept = 0
        for place in 0..<count {
            if kept > 0, memory[place] == UInt8(ascii: "/"), memory[kept - 1] == memory[place] {
                continue
            }
            memory[kept] = memory[place]
            kept += 1
        }
        return kept
    }
}
