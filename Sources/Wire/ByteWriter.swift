/// Fills a buffer from its beginning. The buffer is the caller's and is known to be large enough;
/// each write checks it nonetheless.
struct ByteWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ buffer: UnsafeMutableRawBufferPointer) {
        self.buffer = buffer
    }

    mutating func write(_ byte: UInt8) {
        precondition(count < buffer.count, "the buffer was measured before")
        buffer[count] = byte
        count += 1
    }

    mutating func writeBigEndian(_ value: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
            write(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func write(_ text: StaticString) {
        for offset in 0..<text.utf8CodeUnitCount { write(text.utf8Start[offset]) }
    }

    mutating func write(_ bytes: RawSpan, _ range: Range<Int>) {
        for offset in range { write(bytes.byte(at: offset)) }
    }

    mutating func write(zeros zeroCount: Int) {
        for _ in 0..<zeroCount { write(0) }
    }

    mutating func writeDecimal(_ value: UInt16) {
        if value >= 10 { writeDecimal(value / 10) }
        write(0x30 + UInt8(value % 10))
    }

    mutating func writeHexadecimal(_ value: UInt16) {
        if value >= 16 { writeHexadecimal(value / 16) }
        let digit = UInt8(value % 16)
        write(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
    }

    /// What was written so far.
    var written: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }
}
