/// Smooth weighted round robin, as nginx made it known: each pick raises every entry's credit by
/// its weight, takes the entry with the most credit (the first of equals) and charges it the sum
/// of the weights. Over any run of `sum` picks each entry is taken exactly `weight` times, and a
/// heavy entry's turns are spread out. Deterministic; a value that one worker owns.
public struct WeightedRoundRobin: Sendable {
    private var weights: [Int64]
    private var credits: [Int64]
    private let sum: Int64

    public init(weights: [UInt32]) {
        self.weights = weights.map(Int64.init)
        self.credits = Array(repeating: 0, count: weights.count)
        self.sum = self.weights.reduce(0, +)
    }

    /// The index of the next entry; nil when there is none with a weight above zero.
    public mutating func pick() -> Int? {
        guard sum > 0 else { return nil }
        var best = -1
        for index in weights.indices where weights[index] > 0 {
            credits[index] += weights[index]
            if best < 0 || credits[index] > credits[best] { best = index }
        }
        credits[best] -= sum
        assert(credits.allSatisfy { abs($0) <= sum })
        return best
    }
}
