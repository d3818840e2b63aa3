import Primitives
import Testing

@Suite struct FixedQueueTests {
    @Test("a queue does what an array does", arguments: [1, 2, 3, 64])
    func model(capacity: Int) {
        var queue = FixedQueue<UInt64>(capacity: capacity)
        var model: [UInt64] = []
        var random = SeededRandom(seed: UInt64(capacity))
        var isFullOnce = false
        for _ in 0..<10_000 {
            if model.count < capacity, Bool.random(using: &random) {
                let element = random.next()
                queue.append(element)
                model.append(element)
            } else {
                let first = model.isEmpty ? nil : model.removeFirst()
                #expect(queue.popFirst() == first)
            }
            #expect(queue.count == model.count && queue.isEmpty == model.isEmpty)
            isFullOnce = isFullOnce || model.count == capacity
        }
        #expect(isFullOnce || capacity == 64)
    }

    @Test("a queue of any size holds all that it says, over its end too")
    func wrap() {
        var queue = FixedQueue<Int>(capacity: 64)
        for round in 0..<10 {
            for element in 0..<64 { queue.append(round * 100 + element) }
            for element in 0..<64 { #expect(queue.popFirst() == round * 100 + element) }
            queue.append(-1)
            #expect(queue.popFirst() == -1)
        }
        #expect(queue.popFirst() == nil)
    }

    @Test("one element too many traps")
    func overflow() async {
        await #expect(processExitsWith: .failure) {
            var queue = FixedQueue<Int>(capacity: 1)
            queue.append(1)
            queue.append(2)
        }
    }
}
