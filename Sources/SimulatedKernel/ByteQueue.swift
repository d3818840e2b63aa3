/// Bytes in order: taken at the front, added at the end. What a socket buffer or a pipe holds.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var head = 0

    var count: Int { bytes.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ data: UnsafeRawBufferPointer) {
        compact()
        bytes.append(contentsOf: data)
    }

    /// Copies out at most `count` bytes and forgets them.
    mutating func take(into target: UnsafeMutableRawPointer, count limit: Int) -> Int {
        let taken = min(limit, count)
        bytes.withUnsafeBytes { raw in
            if taken > 0 { target.copyMemory(from: raw.baseAddress! + head, byteCount: taken) }
        }
        drop(taken)
        return taken
    }

    /// Shows the bytes at the front, at most `limit`.
    func withFront<Result>(_ limit: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(.init(rebasing: $0[head..<(head + min(limit, count))])) }
    }

    mutating func drop(_ dropped: Int) {
        precondition(dropped <= count)
        head += dropped
        if head == bytes.count { removeAll() }
    }

    mutating func move(_ limit: Int, to other: inout ByteQueue) -> Int {
        let moved = min(limit, count)
        withFront(moved) { other.append($0) }
        drop(moved)
        return moved
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        head = 0
    }

    private mutating func compact() {
        guard head > 65_536 else { return }
        bytes.removeFirst(head)
        head = 0
    }
}
