import Primitives

/// Picks an entry at random, each as often as its weight says. A value that one worker owns;
/// deterministic by its seed.
public struct RandomPicker: Sendable {
    /// Of each entry: the sum of the weights up to and with its own.
    private let sums: [UInt64]
    private var random: SeededRandom

    public init(weights: [UInt32], seed: UInt64) {
        var sum: UInt64 = 0
        sums = weights.map { weight in
            sum += UInt64(weight)
            return sum
        }
        random = SeededRandom(seed: seed)
    }

    /// The index of an entry; nil when there is none with a weight above zero.
    public mutating func pick() -> Int? {
        guard let sum = sums.last, sum > 0 else { return nil }
        let point = random.next(upperBound: sum)
        // The first entry whose sum is above the point: it has a weight, or its sum were not.
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > point { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// Picks the less loaded one of two different entries that are chosen at random (Mitzenmacher,
/// "The power of two choices in randomized load balancing"): nearly as even as looking at all of
/// them, and workers that see the same loads do not all run to the same entry. A value that one
/// worker owns; deterministic by its seed.
public struct TwoChoices: Sendable {
    private var random: SeededRandom

    public init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    /// - Parameter load: of an entry, as in open connections; of equals the first choice is taken.
    /// - Returns: nil when there is no entry.
    public mutating func pick(of count: Int, load: (Int) -> UInt32) -> Int? {
        guard count > 1 else { return count == 1 ? 0 : nil }
        let first = Int(random.next(upperBound: UInt64(count)))
        var second = Int(random.next(upperBound: UInt64(count - 1)))
        if second >= first { second += 1 }
        return load(second) < load(first) ? second : first
    }
}
