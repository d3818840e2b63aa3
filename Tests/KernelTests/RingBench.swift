import Kernel
import Primitives

/// A ring of the running kernel with buffers to receive into, for one test on one thread: the ring
/// belongs to the thread that made it (SINGLE_ISSUER).
struct RingBench: ~Copyable {
    struct Overdue: Error {
        let token: Token
    }

    var ring: IOUring
    let wakeup: Wakeup
    var pool: BufferPool
    /// Completions that nobody asked for yet, oldest first.
    private(set) var arrived: [Completion]

    static let group: BufferGroup = 1
    /// Only a test that fails waits so long.
    private static let patienceNanoseconds: UInt64 = 20_000_000_000

    init(
        entries: UInt32 = 64, completions: UInt32 = 256, allowed: KernelFeatures = .all
    ) throws {
        let wakeup = try Wakeup()
        var ring = try IOUring(
            entries: entries, completions: completions, wakeup: wakeup, allowed: allowed)
        _ = try Loopback.checked(ring.registerBufferGroup(Self.group, entries: 16))
        self.ring = ring
        self.wakeup = wakeup
        pool = BufferPool(group: Self.group, count: 16, size: 4096)
        arrived = []
    }

    /// Hands buffers of the pool to the kernel.
    mutating func post(_ count: Int) {
        for _ in 0..<count {
            guard let id = pool.take() else { fatalError("the pool has 16 buffers") }
            ring.provideBuffer(
                id, at: pool.address(id), length: UInt32(pool.size), group: Self.group)
        }
        ring.publishBuffers(group: Self.group)
    }

    /// The next completion of an operation, waited for if need be.
    mutating func next(_ token: Token) throws -> Completion {
        while true {
            if let place = arrived.firstIndex(where: { $0.token == token }) {
                return arrived.remove(at: place)
            }
            let deadline = ring.now() + Self.patienceNanoseconds
            ring.submitAndWait(
                minimum: 1, batchMicroseconds: 0, timeoutNanoseconds: Self.patienceNanoseconds)
            if gather() == 0 && ring.now() >= deadline { throw Overdue(token: token) }
        }
    }

    /// Takes what is there; returns how many.
    @discardableResult
    mutating func gather() -> Int {
        withUnsafeTemporaryAllocation(of: Completion.self, capacity: 8) { batch in
            let count = ring.takeCompletions(into: batch)
            arrived += batch[..<count]
            return count
        }
    }

    /// The bytes that a completion brought; its buffer is free again.
    mutating func text(of completion: Completion) -> String? {
        guard completion.hasBuffer else { return nil }
        let id = completion.bufferID
        let bytes = UnsafeRawBufferPointer(
            start: pool.address(id), count: Int(max(completion.result, 0)))
        defer { pool.give(id) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
