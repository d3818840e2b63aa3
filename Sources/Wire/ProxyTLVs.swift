/// One type-length-value field of a v2 header (§2.2). Trivial; the value stays in the header.
public struct ProxyTLV: Hashable, Sendable {
    public let type: UInt8
    /// Offsets from the header's first byte.
    public let value: Range<Int>

    /// Type and length.
    static let headBytes = 3

    public static let alpn: UInt8 = 0x01
    public static let authority: UInt8 = 0x02
    public static let crc32c: UInt8 = 0x03
    /// Padding, to be ignored (§2.2.4).
    public static let noop: UInt8 = 0x04
    public static let uniqueID: UInt8 = 0x05
    public static let ssl: UInt8 = 0x20
    public static let networkNamespace: UInt8 = 0x30
}

/// Walks the TLVs of a header that `ProxyHeaderParser` accepted. A cursor: it holds offsets only,
/// and takes the same bytes at each step.
public struct ProxyTLVs: Sendable {
    private var offset: Int
    private let end: Int

    /// - Parameter range: `ProxyHeader.tlvs`.
    public init(_ range: Range<Int>) {
        offset = range.lowerBound
        end = range.upperBound
    }

    /// The next TLV; nil at the end.
    /// - Parameter bytes: the header from its first byte.
    public mutating func next(in bytes: RawSpan) -> ProxyTLV? {
        guard offset < end else { return nil }
        guard let tlv = read(in: bytes) else {
            preconditionFailure("the parser accepts no header with a truncated TLV")
        }
        return tlv
    }

    /// As `next`, for bytes that nobody has looked at yet: nil when the TLV runs past the end.
    mutating func read(in bytes: RawSpan) -> ProxyTLV? {
        guard end - offset >= ProxyTLV.headBytes else { return nil }
        let start = offset + ProxyTLV.headBytes
        let count = Int(bytes.bigEndian(UInt16.self, at: offset + 1))
        guard end - start >= count else { return nil }
        let tlv = ProxyTLV(type: bytes.byte(at: offset), value: start..<start + count)
        offset = start + count
        return tlv
    }

    var isAtEnd: Bool { offset == end }
}
