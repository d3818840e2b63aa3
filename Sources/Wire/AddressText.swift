import Primitives

/// IP addresses and ports as the PROXY v1 line spells them, without strings. A namespace for pure
/// functions.
enum AddressText {
    static let colon: UInt8 = 0x3a
    static let dot: UInt8 = 0x2e
    private static let zero: UInt8 = 0x30

    static func parse(_ bytes: RawSpan, _ range: Range<Int>, isIPv4: Bool) -> IPAddress? {
        isIPv4
            ? parseIPv4(bytes, range).map { IPAddress(v4: $0) }
            : parseIPv6(bytes, range)?.unmapped
    }

    static func parsePort(_ bytes: RawSpan, _ range: Range<Int>) -> UInt16? {
        parseDecimal(bytes, range, digitsMax: 5).flatMap { UInt16(exactly: $0) }
    }

    /// Digits only, and no leading zero, which some would take for octal.
    private static func parseDecimal(
        _ bytes: RawSpan, _ range: Range<Int>, digitsMax: Int
    ) -> Int? {
        guard !range.isEmpty, range.count <= digitsMax else { return nil }
        if range.count > 1, bytes.byte(at: range.lowerBound) == zero { return nil }
        var value = 0
        for offset in range {
            let digit = Int(bytes.byte(at: offset)) - Int(zero)
            guard (0...9).contains(digit) else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// Four decimal octets.
    private static func parseIPv4(_ bytes: RawSpan, _ range: Range<Int>) -> UInt32? {
        var address: UInt32 = 0
        var octets = 0
        var start = range.lowerBound
        while start <= range.upperBound {
            var end = start
            while end < range.upperBound, bytes.byte(at: end) != dot { end += 1 }
            guard octets < 4, let octet = parseDecimal(bytes, start..<end, digitsMax: 3),
                octet <= 255
            else { return nil }
            address = address << 8 | UInt32(octet)
            octets += 1
            start = end + 1
        }
        return octets == 4 ? address : nil
    }

    /// RFC 4291 §2.2 without a zone: up to eight groups of one to four hexadecimal digits, one
    /// `::` for one or more groups of zeros. The last two groups may be spelled as an IPv4
    /// address: §2.1 does not say so, but senders that use `inet_ntop(3)` do it.
    private static func parseIPv6(_ bytes: RawSpan, _ range: Range<Int>) -> IPAddress? {
        var groups = Groups()
        var offset = range.lowerBound
        let end = range.upperBound
        func isColon(at offset: Int) -> Bool { offset < end && bytes.byte(at: offset) == colon }

        if isColon(at: offset) {
            guard isColon(at: offset + 1) else { return nil }
            groups.markGap()
            offset += 2
            if offset == end { return groups.address }
        }
        while true {
            var stop = offset
            while stop < end, bytes.byte(at: stop) != colon { stop += 1 }
            if stop == end, let v4 = parseIPv4(bytes, offset..<stop) {
                guard groups.append(UInt16(v4 >> 16)),
                    groups.append(UInt16(truncatingIfNeeded: v4))
                else { return nil }
                return groups.address
            }
            guard let group = parseHexadecimal(bytes, offset..<stop), groups.append(group) else {
                return nil
            }
            if stop == end { return groups.address }
            offset = stop + 1
            if isColon(at: offset) {
                guard groups.markGap() else { return nil }
                offset += 1
                if offset == end { return groups.address }
            }
        }
    }

    /// Up to four digits of either case; leading zeros are as good as none here.
    private static func parseHexadecimal(_ bytes: RawSpan, _ range: Range<Int>) -> UInt16? {
        guard !range.isEmpty, range.count <= 4 else { return nil }
        var value: UInt16 = 0
        for offset in range {
            let byte = bytes.byte(at: offset)
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    /// The groups of an IPv6 address as they are read: those before the `::` and those after it,
    /// each side in 128 bits.
    private struct Groups {
        private var before: UInt128 = 0
        private var after: UInt128 = 0
        private var count = 0
        private var countAfter = 0
        private var hasGap = false

        /// False when there are eight already.
        mutating func append(_ group: UInt16) -> Bool {
            guard count < 8 else { return false }
            count += 1
            if hasGap {
                countAfter += 1
                after = after << 16 | UInt128(group)
            } else {
                before = before << 16 | UInt128(group)
            }
            return true
        }

        /// False when there was one already.
        @discardableResult
        mutating func markGap() -> Bool {
            guard !hasGap else { return false }
            hasGap = true
            return true
        }

        /// Nil unless the groups and the gap make eight.
        var address: IPAddress? {
            guard hasGap ? count < 8 : count == 8 else { return nil }
            let leading = count - countAfter
            let whole = (leading == 0 ? 0 : before << UInt128(16 * (8 - leading))) | after
            return IPAddress(
                v6High: UInt64(truncatingIfNeeded: whole >> 64),
                low: UInt64(truncatingIfNeeded: whole))
        }
    }
}
