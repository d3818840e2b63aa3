import Testing

@testable import Kernel

struct BufferPoolTests {
    @Test("buffers come in order, the one given back last comes first, and they run out")
    func order() {
        var pool = BufferPool(group: 3, count: 4, size: 1000)
        var taken: [UInt16] = []
        while let id = pool.take() { taken.append(id) }
        #expect(taken == [0, 1, 2, 3])
        let freeCount = pool.freeCount
        #expect(freeCount == 0)
        pool.give(2)
        pool.give(1)
        let again = [pool.take(), pool.take(), pool.take()]
        #expect(again == [1, 2, nil])
    }

    @Test("buffers do not overlap, nor do their loads")
    func memory() {
        let pool = BufferPool(group: 0, count: 8, size: 4096)
        for id in UInt16(0)..<8 {
            pool.address(id).initializeMemory(as: UInt8.self, repeating: UInt8(id), count: 4096)
            pool.load(id).pointee = BufferPool.Load(start: UInt32(id), end: 9, next: id)
        }
        for id in UInt16(0)..<8 {
            let bytes = UnsafeRawBufferPointer(start: pool.address(id), count: 4096)
            #expect(bytes.allSatisfy { $0 == UInt8(id) })
            #expect(pool.load(id).pointee.start == UInt32(id))
            #expect(pool.load(id).pointee.next == id)
        }
    }

    @Test("fewer than a quarter free is scarce")
    func scarcity() {
        var pool = BufferPool(group: 0, count: 8, size: 64)
        var scarce: [Bool] = []
        for _ in 0..<8 {
            _ = pool.take()
            scarce.append(pool.isScarce)
        }
        #expect(scarce == Array(repeating: false, count: 6) + [true, true])
    }

    @Test("memory goes back to the system once it was not needed between two trims")
    func trim() {
        var pool = BufferPool(group: 0, count: 2, size: 8192)
        _ = pool.take()
        let byte = pool.address(0).assumingMemoryBound(to: UInt8.self)
        byte.pointee = 7
        pool.give(0)
        pool.trim(buffersMax: 8)
        #expect(byte.pointee == 7, "it was used since the last trim")
        pool.trim(buffersMax: 8)
        #expect(byte.pointee == 0)
    }

    @Test("a trim gives back so many buffers and no more")
    func trimIsBounded() {
        var pool = BufferPool(group: 0, count: 4, size: 8192)
        for _ in 0..<4 { _ = pool.take() }
        let middles = (UInt16(0)..<4).map { pool.address($0) + 4096 }
        for middle in middles { middle.storeBytes(of: 7, as: UInt8.self) }
        for id in UInt16(0)..<4 { pool.give(id) }
        pool.trim(buffersMax: 2)
        pool.trim(buffersMax: 2)
        let kept = middles.map { $0.load(as: UInt8.self) }
        #expect(kept == [0, 0, 7, 7], "the coldest go first")
        pool.trim(buffersMax: 2)
        #expect(middles.allSatisfy { $0.load(as: UInt8.self) == 0 })
    }

    @Test("a buffer given back twice traps, as does a number that there is not")
    func doubleGive() async {
        await #expect(processExitsWith: .failure) {
            var pool = BufferPool(group: 0, count: 2, size: 64)
            guard let id = pool.take() else { return }
            pool.give(id)
            pool.give(id)
        }
        await #expect(processExitsWith: .failure) {
            var pool = BufferPool(group: 0, count: 4, size: 64)
            guard let id = pool.take(), pool.take() != nil else { return }
            pool.give(id)
            pool.give(id)
        }
        await #expect(processExitsWith: .failure) {
            var pool = BufferPool(group: 0, count: 2, size: 64)
            _ = pool.take()
            pool.give(2)
        }
        await #expect(processExitsWith: .failure) {
            let pool = BufferPool(group: 0, count: 2, size: 64)
            _ = pool.address(BufferPool.none)
        }
    }
}
