/// A place in a head's bytes.
public struct HTTPSpan: BitwiseCopyable, Hashable, Sendable {
    public var offset: UInt32
    public var count: UInt32

    public static let empty = HTTPSpan(offset: 0, count: 0)

    public init(offset: UInt32, count: UInt32) {
        self.offset = offset
        self.count = count
    }

    @inline(__always)
    init(_ range: Range<Int>) {
        self.init(
            offset: UInt32(truncatingIfNeeded: range.lowerBound),
            count: UInt32(truncatingIfNeeded: range.count))
    }

    public var isEmpty: Bool { count == 0 }
    public var range: Range<Int> { Int(offset)..<(Int(offset) + Int(count)) }

    /// The bytes themselves, of the head that the span was made of.
    @inline(__always)
    public func bytes(in head: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: head[range])
    }
}

/// One line of a head's field section (RFC 9112 section 5).
public struct HTTPField: BitwiseCopyable, Sendable {
    public var name: HTTPSpan
    /// Without white space at either end.
    public var value: HTTPSpan
    public var known: KnownField
}

/// The versions that are spoken (RFC 9112 section 2.3).
public enum HTTPVersion: UInt8, BitwiseCopyable, Hashable, Sendable {
    case http10, http11
}

/// How the end of a message's content is known (RFC 9112 section 6.3).
public enum BodyFraming: BitwiseCopyable, Hashable, Sendable {
    case none
    /// `Content-Length`, 2^63 - 1 at most.
    case length(UInt64)
    case chunked
    /// Responses only.
    case untilClose
}

/// What `Connection` fields say (RFC 9110 section 7.6.1).
public struct ConnectionOptions: OptionSet, BitwiseCopyable, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static let close = ConnectionOptions(rawValue: 1)
    public static let keepAlive = ConnectionOptions(rawValue: 2)
    public static let upgrade = ConnectionOptions(rawValue: 4)
    /// Anything else: names of fields that are for the next recipient only.
    public static let namesFields = ConnectionOptions(rawValue: 8)
}

/// Where a head's fields are noted. A worker has one and uses it for every head: what stands in it
/// is good until the next call of a parser.
public struct HTTPHeadTable: ~Copyable {
    public let fields: UnsafeMutableBufferPointer<HTTPField>

    public init(fieldsMax: Int) {
        fields = .allocate(capacity: fieldsMax)
        fields.initialize(
            repeating: HTTPField(name: .empty, value: .empty, known: .none))
    }

    deinit {
        fields.deallocate()
    }

    /// Whether a `Connection` field names this one, so that it is not sent on
    /// (RFC 9110 section 7.6.1). Ask only where the options have `namesFields`.
    /// - Parameter count: how many fields the head has.
    public func isNamedByConnection(
        _ name: HTTPSpan, of count: Int, in head: UnsafeRawBufferPointer
    ) -> Bool {
        let wanted = name.bytes(in: head)
        for index in 0..<count where fields[index].known == .connection {
            var list = HTTPList(fields[index].value.range)
            while let element = list.next(in: head) {
                let option = UnsafeRawBufferPointer(rebasing: head[element])
                if HTTPByte.isEqualIgnoringCase(option, wanted) { return true }
            }
        }
        return false
    }
}

/// Walks the elements of a list with commas (RFC 9110 section 5.6.1), without the empty ones and
/// the white space around them. A cursor: it holds offsets only.
struct HTTPList {
    private var rest: Range<Int>

    init(_ range: Range<Int>) {
        rest = range
    }

    mutating func next(in bytes: UnsafeRawBufferPointer) -> Range<Int>? {
        while !rest.isEmpty {
            var end = rest.lowerBound
            while end < rest.upperBound, bytes[end] != UInt8(ascii: ",") { end += 1 }
            let element = HTTPByte.trim(bytes, rest.lowerBound..<end)
            rest = min(end + 1, rest.upperBound)..<rest.upperBound
            if !element.isEmpty { return element }
        }
        return nil
    }
}
