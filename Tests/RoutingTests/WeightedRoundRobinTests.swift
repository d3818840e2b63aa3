import Primitives
import Testing

@testable import Routing

@Suite("Weighted round robin")
struct WeightedRoundRobinTests {
    @Test(
        "any run of as many picks as the weights' sum takes each entry exactly its weight",
        arguments: [
            [1], [1, 1], [5, 1, 1], [9, 1], [0, 3], [3, 0, 2], [1, 2, 3, 4, 5], [100, 1, 100],
        ] as [[UInt32]])
    func exact(weights: [UInt32]) {
        var balancer = WeightedRoundRobin(weights: weights)
        let sum = weights.reduce(0) { $0 + Int($1) }
        var picks: [Int] = []
        for _ in 0..<(3 * sum) { picks.append(balancer.pick() ?? -1) }
        for start in 0...(2 * sum) {
            var counts = [UInt32](repeating: 0, count: weights.count)
            for pick in picks[start..<(start + sum)] { counts[pick] += 1 }
            #expect(counts == weights, "in the run from pick \(start)")
        }
    }

    @Test("a heavy entry's turns are spread out, the first of equals first")
    func smooth() {
        var balancer = WeightedRoundRobin(weights: [5, 1, 1])
        let picks = (0..<7).map { _ in balancer.pick() }
        #expect(picks == [0, 0, 1, 0, 2, 0, 0])
        var equal = WeightedRoundRobin(weights: [2, 2, 2])
        #expect((0..<6).map { _ in equal.pick() } == [0, 1, 2, 0, 1, 2])
    }

    @Test("no weight above zero gives no pick")
    func none() {
        var empty = WeightedRoundRobin(weights: [])
        #expect(empty.pick() == nil)
        var zeros = WeightedRoundRobin(weights: [0, 0])
        #expect(zeros.pick() == nil)
    }

    @Test("the largest weights that the Gateway API allows do not overflow")
    func largest() {
        let weights = [UInt32](repeating: 1_000_000, count: 16)
        var balancer = WeightedRoundRobin(weights: weights)
        for turn in 0..<160 { #expect(balancer.pick() == turn % 16) }
    }

    @Test("random weights are kept exactly over their sum")
    func random() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<50 {
            let weights = (0..<8).map { _ in UInt32(random.next() % 20) }
            let sum = weights.reduce(0, +)
            var balancer = WeightedRoundRobin(weights: weights)
            var counts = [UInt32](repeating: 0, count: 8)
            for _ in 0..<sum { counts[balancer.pick() ?? 0] += 1 }
            #expect(counts == weights)
        }
    }
}
