/// Walks over chunked content as it passes (RFC 9112 section 7.1), strictly, and copies nothing.
/// A value of the connection's: it keeps where in the framing it is. `read` may go on where `next`
/// stopped.
public struct ChunkedReader: BitwiseCopyable, Sendable {
    public enum Outcome: BitwiseCopyable {
        /// All bytes belong to the content, and it goes on.
        case more
        /// The content ends with the first `count` bytes.
        case ended(count: Int)
        case malformed(HTTPFault)
    }

    /// What `next` finds.
    public enum Piece {
        case data(Range<Int>)
        /// A whole line without its end; `field` is of it.
        case trailerLine(Range<Int>, HTTPField)
        /// Give the bytes from the place on that `next` left, and more.
        case needsMore
        case ended
        case malformed(HTTPFault)
    }

    /// Extensions of all chunks together: nothing is known that sends any.
    public static let extensionBytesMax: UInt32 = 4096
    /// Lines of all trailers together.
    public static let trailerBytesMax: UInt32 = 16 << 10
    public static let trailersMax: UInt8 = 64

    private enum State: UInt8, BitwiseCopyable {
        case size, sizeDigits, extended, sizeLineFeed
        case data, dataReturn, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerLineFeed, lastLineFeed
        case ended
    }

    private var state = State.size
    private var digits: UInt8 = 0
    private var trailers: UInt8 = 0
    private var extensionBytes: UInt32 = 0
    private var trailerBytes: UInt32 = 0
    /// Of the chunk that is read, which it still has.
    private var remaining: UInt64 = 0
    private var name = TrailerName()

    public init() {}

    public var isEnded: Bool { state == .ended }

    /// Passes over bytes: all up to the content's end.
    public mutating func read(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        var place = 0
        while place < bytes.count, state != .ended {
            if state == .data {
                place += skipData(bytes.count - place)
            } else {
                if let fault = step(bytes[place]) { return .malformed(fault) }
                place += 1
            }
        }
        return state == .ended ? .ended(count: place) : .more
    }

    /// The next piece at or behind `place`, which becomes the place behind it. A trailer that is
    /// not whole is left where it is, and must be given again.
    public mutating func next(_ bytes: UnsafeRawBufferPointer, from place: inout Int) -> Piece {
        while state != .ended {
            guard place < bytes.count else { return .needsMore }
            switch state {
            case .data:
                let start = place
                place += skipData(bytes.count - place)
                return .data(start..<place)
            case .trailerStart where bytes[place] != HTTPByte.carriageReturn:
                return trailerLine(bytes, from: &place)
            default:
                if let fault = step(bytes[place]) { return .malformed(fault) }
                place += 1
            }
        }
        return .ended
    }

    /// At least one byte of a chunk's data.
    private mutating func skipData(_ available: Int) -> Int {
        assert(remaining > 0 && available > 0)
        let count = Int(min(remaining, UInt64(available)))
        remaining -= UInt64(count)
        if remaining == 0 { state = .dataReturn }
        return count
    }

    private mutating func trailerLine(
        _ bytes: UnsafeRawBufferPointer, from place: inout Int
    ) -> Piece {
        let start = place
        var copy = self
        var end = place
        repeat {
            guard end < bytes.count else { return .needsMore }
            if let fault = copy.step(bytes[end]) { return .malformed(fault) }
            end += 1
        } while copy.state != .trailerStart
        var cursor = HTTPHeadCursor(bytes, at: start)
        var field = HTTPField(name: .empty, value: .empty, known: .none)
        var hasUnderscore = false
        let isField = cursor.field(&field, &hasUnderscore)
        precondition(isField && cursor.place == end, "the states know what a field is")
        self = copy
        place = end
        return .trailerLine(start..<(end - 2), field)
    }

    /// One byte that is no data.
    private mutating func step(_ byte: UInt8) -> HTTPFault? {
        switch state {
        case .size, .sizeDigits: return sizeByte(byte)
        case .extended: return extensionByte(byte)
        case .sizeLineFeed:
            state = remaining > 0 ? .data : .trailerStart
            return byte == HTTPByte.lineFeed ? nil : .bareCarriageReturn
        case .dataReturn:
            state = .dataLineFeed
            return byte == HTTPByte.carriageReturn ? nil : .badChunk
        case .dataLineFeed:
            (state, digits) = (.size, 0)
            return byte == HTTPByte.lineFeed ? nil : .bareCarriageReturn
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed:
            return trailerByte(byte)
        case .data, .ended: fatalError("illegal: a byte while \(state)")
        }
    }

    /// One to sixteen digits, then the end of the line or an extension: white space, which RFC 9112
    /// section 7.1.1 calls bad, is refused.
    private mutating func sizeByte(_ byte: UInt8) -> HTTPFault? {
        if let digit = HTTPByte.hexDigit(byte) {
            guard digits < 16 else { return .badChunk }
            digits += 1
            state = .sizeDigits
            remaining = remaining << 4 | UInt64(digit)
            return remaining <= UInt64(Int64.max) ? nil : .badChunk
        }
        guard state == .sizeDigits else { return .badChunk }
        switch byte {
        case HTTPByte.carriageReturn: state = .sizeLineFeed
        case UInt8(ascii: ";"): state = .extended
        case HTTPByte.lineFeed: return .bareLineFeed
        default: return .badChunk
        }
        return nil
    }

    private mutating func extensionByte(_ byte: UInt8) -> HTTPFault? {
        switch byte {
        case HTTPByte.carriageReturn: state = .sizeLineFeed
        case HTTPByte.lineFeed: return .bareLineFeed
        case HTTPByte.tab, 0x20...0x7e:
            extensionBytes += 1
            guard extensionBytes <= Self.extensionBytesMax else { return .chunkExtensionsTooLong }
        default: return .badChunkExtension
        }
        return nil
    }

    // MARK: - Trailers

    /// RFC 9112 section 7.1.2: read as fields of a head are.
    private mutating func trailerByte(_ byte: UInt8) -> HTTPFault? {
        trailerBytes += 1
        guard trailerBytes <= Self.trailerBytesMax else { return .trailersTooLong }
        switch state {
        case .trailerStart:
            if byte == HTTPByte.carriageReturn {
                state = .lastLineFeed
                return nil
            }
            guard trailers < Self.trailersMax else { return .trailersTooLong }
            trailers += 1
            name = TrailerName()
            state = .trailerName
            if HTTPByte.isBlank(byte) { return .obsoleteFolding }
            return nameByte(byte)
        case .trailerName: return nameByte(byte)
        case .trailerValue:
            switch byte {
            case HTTPByte.carriageReturn: state = .trailerLineFeed
            case HTTPByte.lineFeed: return .bareLineFeed
            case HTTPByte.tab, 0x20...0x7e, 0x80...0xff: return nil
            default: return .badFieldValue
            }
            return nil
        default:
            state = state == .lastLineFeed ? .ended : .trailerStart
            return byte == HTTPByte.lineFeed ? nil : .bareCarriageReturn
        }
    }

    private mutating func nameByte(_ byte: UInt8) -> HTTPFault? {
        if HTTPByte.token.contains(byte) {
            name.append(byte)
            return nil
        }
        switch byte {
        case UInt8(ascii: ":") where !name.isEmpty:
            state = .trailerValue
            return name.isForbidden ? .forbiddenTrailer : nil
        case HTTPByte.space, HTTPByte.tab: return .whitespaceBeforeColon
        case HTTPByte.lineFeed: return .bareLineFeed
        default: return .badFieldName
        }
    }
}

/// The name of a trailer, byte by byte: long enough for those that are known.
private struct TrailerName: BitwiseCopyable {
    private var bytes: (UInt64, UInt64, UInt64) = (0, 0, 0)
    /// One more than there is room for when the name is longer.
    private var count: UInt8 = 0

    private static var room: UInt8 { 24 }

    var isEmpty: Bool { count == 0 }

    mutating func append(_ byte: UInt8) {
        guard count < Self.room else {
            count = Self.room + 1
            return
        }
        let place = Int(count)
        withUnsafeMutableBytes(of: &bytes) { $0[place] = byte }
        count += 1
    }

    /// RFC 9110 section 6.5.1: framing, routing, authentication, and what says how to process.
    var isForbidden: Bool {
        guard count <= Self.room else { return false }
        let known = withUnsafeBytes(of: bytes) {
            KnownField(name: UnsafeRawBufferPointer(rebasing: $0.prefix(Int(count))))
        }
        switch known {
        case .host, .contentLength, .transferEncoding, .connection, .keepAlive, .proxyConnection,
            .upgrade, .te, .trailer, .expect, .http2Settings, .contentType, .contentEncoding,
            .cookie, .setCookie, .authorization, .proxyAuthorization, .proxyAuthenticate,
            .forwarded, .xForwardedFor, .xForwardedHost, .xForwardedPort, .xForwardedProto,
            .xRequestID, .location:
            return true
        default: return false
        }
    }
}
