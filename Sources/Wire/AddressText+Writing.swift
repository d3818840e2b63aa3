import Primitives

extension AddressText {
    static func write(_ address: IPAddress, isIPv4: Bool, to writer: inout ByteWriter) {
        if isIPv4 {
            for shift in stride(from: UInt32(24), through: 0, by: -8) {
                writer.writeDecimal(UInt16(address.v4 >> shift & 0xff))
                if shift > 0 { writer.write(dot) }
            }
        } else {
            writeIPv6(address, to: &writer)
        }
    }

    /// RFC 5952 §4, but an IPv4-mapped address too is spelled in hexadecimal groups, which is all
    /// that §2.1 of the PROXY protocol knows.
    private static func writeIPv6(_ address: IPAddress, to writer: inout ByteWriter) {
        let gap = longestRunOfZeros(address)
        var index = 0
        while index < 8 {
            if !gap.isEmpty, index == gap.lowerBound {
                writer.write("::")
                index = gap.upperBound
                continue
            }
            writer.writeHexadecimal(group(index, of: address))
            index += 1
            if index < 8, index != gap.lowerBound || gap.isEmpty { writer.write(colon) }
        }
    }

    private static func group(_ index: Int, of address: IPAddress) -> UInt16 {
        let half = index < 4 ? address.high : address.low
        return UInt16(truncatingIfNeeded: half >> UInt64(48 - index % 4 * 16))
    }

    /// The first of the longest; a single group is left as it is (RFC 5952 §4.2.2).
    private static func longestRunOfZeros(_ address: IPAddress) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for index in 0..<8 {
            if group(index, of: address) != 0 { start = index + 1 }
            let run = index + 1 - start
            if run > max(longest.count, 1) { longest = start..<index + 1 }
        }
        return longest
    }
}
