/// Which bytes may stand where (RFC 9110 section 5.6, RFC 3986 section 3), and the ways to find
/// those that may not.
enum HTTPByte {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d
    static let space: UInt8 = 0x20

    /// A bit for each of the first 128 bytes; the others are in no class.
    struct Class {
        let low: UInt64
        let high: UInt64

        @inline(__always)
        func contains(_ byte: UInt8) -> Bool {
            byte < 128 && (byte < 64 ? low : high) &>> UInt64(byte & 63) & 1 == 1
        }
    }

    /// `tchar`: letters, digits and ``!#$%&'*+-.^_`|~``.
    @inline(__always)
    static var token: Class { Class(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe) }

    /// Visible ASCII but `#`, `?` and the backslash, which some take for a slash.
    @inline(__always)
    static var path: Class { Class(low: 0x7fff_fff6_0000_0000, high: 0x7fff_ffff_efff_ffff) }

    /// Visible ASCII but `#`.
    @inline(__always)
    static var query: Class { Class(low: 0xffff_fff6_0000_0000, high: 0x7fff_ffff_ffff_ffff) }

    /// Letters, digits and `-._~` (RFC 3986 section 2.3).
    @inline(__always)
    static var unreserved: Class { Class(low: 0x03ff_6000_0000_0000, high: 0x47ff_fffe_87ff_fffe) }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    @inline(__always)
    static func hexDigit(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte - 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    @inline(__always)
    static func lowercase(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    static func isEqualIgnoringCase(
        _ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer
    ) -> Bool {
        guard one.count == other.count else { return false }
        for place in 0..<one.count where lowercase(one[place]) != lowercase(other[place]) {
            return false
        }
        return true
    }

    /// - Parameter text: lowercase.
    static func isEqual(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, ignoringCase text: StaticString
    ) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        for place in 0..<range.count
        where lowercase(bytes[range.lowerBound + place]) != text.utf8Start[place] {
            return false
        }
        return true
    }

    /// Without spaces and tabs at either end.
    @inline(__always)
    static func trim(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isBlank(bytes[start]) { start += 1 }
        while start < end, isBlank(bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    /// The first byte at or behind `start` that is below 0x20 or 0x7f; the count if there is none.
    /// Eight bytes at a time: a byte's high bit is set where it is below the constant; a borrow
    /// goes only upward from one that is, so the lowest is exact.
    @inline(__always)
    static func firstControl(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var place = start
        while place + 8 <= bytes.count {
            let word = UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            let flipped = word ^ 0x7f7f_7f7f_7f7f_7f7f
            let low = (word &- 0x2020_2020_2020_2020) & ~word
            let delete = (flipped &- 0x0101_0101_0101_0101) & ~flipped
            let found = (low | delete) & 0x8080_8080_8080_8080
            if found != 0 { return place + found.trailingZeroBitCount >> 3 }
            place += 8
        }
        while place < bytes.count, bytes[place] >= 0x20, bytes[place] != 0x7f { place += 1 }
        return place
    }

    /// The first line feed at or behind `start`; nil = there is none.
    @inline(__always)
    static func firstLineFeed(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var place = start
        while place + 8 <= bytes.count {
            let word = UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            let flipped = word ^ 0x0a0a_0a0a_0a0a_0a0a
            let found = (flipped &- 0x0101_0101_0101_0101) & ~flipped & 0x8080_8080_8080_8080
            if found != 0 { return place + found.trailingZeroBitCount >> 3 }
            place += 8
        }
        while place < bytes.count {
            if bytes[place] == lineFeed { return place }
            place += 1
        }
        return nil
    }
}
