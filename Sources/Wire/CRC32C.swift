/// The Castagnoli checksum (RFC 4960 appendix B), fed piece by piece. A value; one table, made
/// once, serves every thread. A byte at a time is enough here: a header is read once a connection
/// and few carry a checksum, so neither SSE 4.2's instruction nor a wider table would be noticed.
struct CRC32C {
    private var state = UInt32.max

    /// 0x1edc6f41 with its bits reversed: bytes enter with their lowest bit first.
    private static let polynomial: UInt32 = 0x82f6_3b78

    private static let table = InlineArray<256, UInt32> { index in
        var remainder = UInt32(index)
        for _ in 0..<8 {
            remainder = remainder >> 1 ^ (remainder & 1 == 0 ? 0 : polynomial)
        }
        return remainder
    }

    var value: UInt32 { ~state }

    mutating func update(_ byte: UInt8) {
        state = state >> 8 ^ Self.table[Int(UInt8(truncatingIfNeeded: state) ^ byte)]
    }

    mutating func update(_ bytes: RawSpan, _ range: Range<Int>) {
        for offset in range { update(bytes.byte(at: offset)) }
    }

    /// As many bytes of zero, which stand for the checksum's own place in what it covers.
    mutating func update(zeros count: Int) {
        for _ in 0..<count { update(0) }
    }
}
