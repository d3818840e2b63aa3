import Kernel

/// The ring of provided buffers of one group (`io_uring_register_buf_ring(3)`): handed out in the
/// order in which they were posted. Watches that a buffer is posted once, and that nobody writes
/// into it while the kernel owns it. Owned by the kernel.
struct ProvidedBufferGroup {
    struct Buffer {
        let id: UInt16
        let address: UnsafeMutableRawPointer
        let length: Int
    }

    let entriesMax: Int
    private var staged: [Buffer] = []
    private var posted: [Buffer] = []
    private var head = 0
    private var isOwned: [Bool] = []

    init(entriesMax: Int) {
        self.entriesMax = entriesMax
    }

    var count: Int { posted.count - head }
    var first: Buffer? { head < posted.count ? posted[head] : nil }

    /// What the kernel's buffers hold at both ends, so that a stray write shows.
    private static let mark: UInt64 = 0xa5a5_0f0f_c3c3_1e1e

    /// - Returns: what is wrong with it, or nil.
    mutating func stage(_ buffer: Buffer) -> String? {
        while isOwned.count <= Int(buffer.id) { isOwned.append(false) }
        guard !isOwned[Int(buffer.id)] else { return "buffer \(buffer.id) posted twice" }
        isOwned[Int(buffer.id)] = true
        staged.append(buffer)
        guard count + staged.count <= entriesMax else { return "more buffers than ring entries" }
        Self.setMarks(buffer)
        return nil
    }

    mutating func publish() {
        if head > 1024 {
            posted.removeFirst(head)
            head = 0
        }
        posted += staged
        staged = []
    }

    /// Takes the front buffer for good. Its marks were overwritten by what was received.
    mutating func take() -> Buffer {
        let buffer = posted[head]
        head += 1
        isOwned[Int(buffer.id)] = false
        return buffer
    }

    private static func setMarks(_ buffer: Buffer) {
        guard buffer.length >= 16 else { return }
        buffer.address.storeBytes(of: mark, as: UInt64.self)
        (buffer.address + buffer.length - 8).storeBytes(of: mark, as: UInt64.self)
    }

    static func isIntact(_ buffer: Buffer) -> Bool {
        guard buffer.length >= 16 else { return true }
        return buffer.address.loadUnaligned(as: UInt64.self) == mark
            && (buffer.address + buffer.length - 8).loadUnaligned(as: UInt64.self) == mark
    }

    /// Nothing was received into it after all.
    func restore(_ buffer: Buffer) {
        Self.setMarks(buffer)
    }
}
