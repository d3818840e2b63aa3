import Primitives
import Testing

@testable import Routing

@Suite("Random pickers")
struct RandomPickerTests {
    @Test(
        "each entry is picked as often as its weight says",
        arguments: [[1, 1, 1], [5, 0, 3, 2], [0, 0, 1], [1, 99]] as [[UInt32]])
    func weighted(weights: [UInt32]) {
        var picker = RandomPicker(weights: weights, seed: 1)
        var counts = Array(repeating: 0, count: weights.count)
        for _ in 0..<100_000 { counts[picker.pick() ?? 0] += 1 }
        let sum = weights.reduce(0, +)
        for (count, weight) in zip(counts, weights) {
            // Five standard deviations of 100,000 picks are below 800.
            #expect(abs(count - Int(100_000 * weight / sum)) < 800, "\(counts)")
            #expect(weight > 0 || count == 0)
        }
    }

    @Test("no weight above zero gives no pick, and the largest weights do not overflow")
    func edges() {
        var empty = RandomPicker(weights: [], seed: 1)
        #expect(empty.pick() == nil)
        var zeros = RandomPicker(weights: [0, 0], seed: 1)
        #expect(zeros.pick() == nil)
        var large = RandomPicker(weights: Array(repeating: .max, count: 256), seed: 1)
        #expect((0..<100).allSatisfy { _ in large.pick() != nil })
    }

    @Test("of two choices the less loaded one is taken, and they are never the same entry")
    func twoChoices() {
        var choices = TwoChoices(seed: 2)
        #expect(choices.pick(of: 0) { _ in 0 } == nil)
        #expect(choices.pick(of: 1) { _ in 0 } == 0)
        for _ in 0..<1_000 { #expect(choices.pick(of: 2) { [7, 3][$0] } == 1) }
        var counts = [0, 0, 0, 0]
        for _ in 0..<100_000 { counts[choices.pick(of: 4) { UInt32($0) } ?? 0] += 1 }
        // Of the six pairs three have entry 0, two entry 1 but not 0, one entries 2 and 3.
        for (count, share) in zip(counts, [50_000, 33_333, 16_667, 0]) {
            #expect(abs(count - share) < 800, "\(counts)")
        }
        #expect(counts[3] == 0)
    }

    @Test("two choices keep loads within a few of each other, where one choice does not")
    func balance() {
        var choices = TwoChoices(seed: 3)
        var loads = Array(repeating: UInt32(0), count: 100)
        for _ in 0..<10_000 {
            let place = choices.pick(of: loads.count) { loads[$0] } ?? 0
            loads[place] += 1
        }
        #expect(loads.max()! - loads.min()! <= 10)
        var random = RandomPicker(weights: Array(repeating: 1, count: 100), seed: 3)
        var alone = Array(repeating: 0, count: 100)
        for _ in 0..<10_000 { alone[random.pick() ?? 0] += 1 }
        #expect(alone.max()! - alone.min()! > 20)
    }

    @Test("the same seed gives the same picks")
    func deterministic() {
        var left = RandomPicker(weights: [1, 2, 3], seed: 9)
        var right = RandomPicker(weights: [1, 2, 3], seed: 9)
        #expect((0..<50).map { _ in left.pick() } == (0..<50).map { _ in right.pick() })
    }
}
