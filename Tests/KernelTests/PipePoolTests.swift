import CLinux
import Primitives
import Testing

@testable import Kernel

struct PipePoolTests {
    @Test("there are never more pipes than allowed, and one given back empty is used again")
    func maximum() throws {
        var bench = try RingBench()
        var pipes = PipePool(countMax: 2, capacityWanted: 65_536)
        let firstTaken = pipes.take(from: &bench.ring)
        let first = try #require(firstTaken)
        let secondTaken = pipes.take(from: &bench.ring)
        let second = try #require(secondTaken)
        let third = pipes.take(from: &bench.ring)
        #expect(third == nil)
        #expect(first.capacity >= PipePool.capacityMin)
        pipes.give(first, isEmpty: true, ring: &bench.ring)
        let idleCount = pipes.idleCount
        #expect(idleCount == 1)
        let againTaken = pipes.take(from: &bench.ring)
        let again = try #require(againTaken)
        #expect(again.readEnd == first.readEnd && again.writeEnd == first.writeEnd)
        pipes.give(again, isEmpty: true, ring: &bench.ring)
        pipes.give(second, isEmpty: true, ring: &bench.ring)
        pipes.trim(countKept: 1, ring: &bench.ring)
        let kept = pipes.idleCount
        #expect(kept == 1)
        pipes.trim(countKept: 0, ring: &bench.ring)
        let inUse = pipes.inUseCount
        #expect(inUse == 0)
    }

    @Test("a pipe given back with bytes in it is closed, so that nobody else gets them")
    func dirty() throws {
        var bench = try RingBench()
        var pipes = PipePool(countMax: 1, capacityWanted: 65_536)
        let dirtyTaken = pipes.take(from: &bench.ring)
        let dirty = try #require(dirtyTaken)
        try Loopback.write("secret", to: dirty.writeEnd)
        pipes.give(dirty, isEmpty: false, ring: &bench.ring)
        let idleCount = pipes.idleCount
        #expect(idleCount == 0)
        let cleanTaken = pipes.take(from: &bench.ring)
        let clean = try #require(cleanTaken)
        var byte: UInt8 = 0
        #expect(apus_read(clean.readEnd, &byte, 1) == -Int(EAGAIN))
        pipes.give(clean, isEmpty: true, ring: &bench.ring)
        pipes.trim(countKept: 0, ring: &bench.ring)
    }

    @Test("a pipe too small to be worth it is refused and counts for nothing")
    func small() throws {
        var bench = try RingBench()
        var pipes = PipePool(countMax: 1, capacityWanted: 4_096)
        let next = try bench.ring.makePipe(capacity: 4_096).get()
        Loopback.close(next.readEnd, next.writeEnd)
        #expect(next.capacity < PipePool.capacityMin)
        let refused = pipes.take(from: &bench.ring)
        #expect(refused == nil)
        let (inUse, idle) = (pipes.inUseCount, pipes.idleCount)
        #expect(inUse == 0 && idle == 0)
    }
}
