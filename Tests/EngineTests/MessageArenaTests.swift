import CLinux
import Testing

@testable import Engine
@testable import Kernel

struct MessageArenaTests {
    private static func pool() -> BufferPool {
        BufferPool(group: 0, count: 32, size: 256)
    }

    @Test("buffers leave a queue in the order they came, and may come again")
    func queue() {
        let pool = Self.pool()
        var queue = BufferQueue()
        #expect(queue.isEmpty && queue.popFirst(in: pool) == nil)
        for id in [UInt16(3), 1, 2] { queue.append(id, in: pool) }
        #expect(queue.count == 3)
        #expect(queue.popFirst(in: pool) == 3)
        queue.append(3, in: pool)
        #expect([1, 2, 3].allSatisfy { queue.popFirst(in: pool) == $0 })
        #expect(queue.isEmpty && queue.popFirst(in: pool) == nil)
        queue.append(7, in: pool)
        #expect(queue.head == 7 && queue.popFirst(in: pool) == 7)
    }

    @Test("a message points to what is left in each of the first sixteen buffers")
    func vectors() {
        let pool = Self.pool()
        var arena = MessageArena()
        var queue = BufferQueue()
        for id in UInt16(0)..<20 {
            pool.load(id).pointee = BufferPool.Load(
                start: UInt32(id), end: UInt32(100 + 2 * id), next: 0)
            queue.append(id, in: pool)
        }
        let header = arena.message(of: queue, in: pool)
        #expect(header.pointee.msg_iovlen == MessageArena.vectorsMax)
        #expect(header.pointee.msg_name == nil && header.pointee.msg_control == nil)
        for id in UInt16(0)..<16 {
            let vector = header.pointee.msg_iov[Int(id)]
            #expect(vector.iov_base == pool.address(id) + Int(id))
            #expect(vector.iov_len == 100 + Int(id))
        }
        #expect(queue.count == 20, "the queue keeps its buffers until they are sent")
    }

    @Test("messages do not share vectors, and the arena takes a bounded number until a reset")
    func bound() {
        let pool = Self.pool()
        var arena = MessageArena()
        var queue = BufferQueue()
        pool.load(5).pointee = BufferPool.Load(start: 0, end: 9, next: 0)
        queue.append(5, in: pool)
        var vectors: Set<UnsafeMutablePointer<iovec>> = []
        while !arena.isFull {
            let header = arena.message(of: queue, in: pool)
            #expect(header.pointee.msg_iovlen == 1)
            vectors.insert(header.pointee.msg_iov)
        }
        #expect(vectors.count == 64)
        arena.reset()
        let isFull = arena.isFull
        #expect(!isFull)
    }

    @Test("a message of an empty queue traps")
    func emptyQueue() async {
        await #expect(processExitsWith: .failure) {
            let pool = BufferPool(group: 0, count: 1, size: 64)
            var arena = MessageArena()
            _ = arena.message(of: BufferQueue(), in: pool)
        }
    }
}
