/// Finds where frames of HTTP/2 begin and end (RFC 9113 section 4.1), so that a session can be
/// given one at a time. Pure.
struct FrameBoundary: BitwiseCopyable, Hashable {
    /// What a frame says of itself before its payload.
    struct Header: BitwiseCopyable, Hashable {
        /// Of the payload, bytes.
        var length: UInt32
        var type: UInt8
        var flags: UInt8
        /// Without the reserved bit.
        var stream: UInt32
    }

    static let headerBytes = 9

    /// What is left of the frame whose header was read, or of the client's preface.
    private var left: UInt32
    /// How many bytes of the next header were read.
    private var gathered: UInt8 = 0
    private var header = Header(length: 0, type: 0, flags: 0, stream: 0)

    /// - Parameter preface: bytes that come before the first frame: 24 of a client's, or none.
    init(preface: UInt32) {
        left = preface
    }

    /// A part of what was received that belongs to one frame.
    struct Part: BitwiseCopyable, Hashable {
        /// Bytes of it.
        let count: Int
        /// The header, once per frame: when it is whole.
        let header: Header?
    }

    /// - Parameter bytes: at least one.
    mutating func next(_ bytes: UnsafeRawBufferPointer) -> Part {
        if left > 0 {
            let count = min(Int(left), bytes.count)
            left -= UInt32(count)
            return Part(count: count, header: nil)
        }
        var count = 0
        while count < bytes.count, gathered < Self.headerBytes {
            note(bytes[count])
            count += 1
        }
        guard gathered == Self.headerBytes else { return Part(count: count, header: nil) }
        let whole = header
        gathered = 0
        header = Header(length: 0, type: 0, flags: 0, stream: 0)
        let payload = min(Int(whole.length), bytes.count - count)
        left = whole.length - UInt32(payload)
        return Part(count: count + payload, header: whole)
    }

    private mutating func note(_ byte: UInt8) {
        switch gathered {
        case 0...2: header.length = header.length << 8 | UInt32(byte)
        case 3: header.type = byte
        case 4: header.flags = byte
        case 5: header.stream = UInt32(byte & 0x7f)
        default: header.stream = header.stream << 8 | UInt32(byte)
        }
        gathered += 1
    }
}
