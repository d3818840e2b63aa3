/// Whose turn it is, written down for a whole round: each entry stands in it as often as its weight
/// says, as evenly spread as can be (the k-th of w turns is due at (k + ½)/w of the round; what is
/// due first comes first, of equals the entry that stands first). Picking is then one step, however
/// many entries there are, and the same on every run. Equal weights are a plain round robin.
public enum TurnSchedule {
    /// Turns of a round, unless there are more entries than a fourth of it.
    private static let turnsMax = 16_384

    /// - Parameter weights: 0 = no turn. Where the round would be too long they are scaled down:
    ///   shares are then right to one turn of a round, and every weight above zero has one.
    /// - Returns: indices into `weights`; empty when nobody has a weight.
    public static func turns(_ weights: [UInt32]) -> [UInt32] {
        let present = weights.indices.filter { weights[$0] > 0 }
        guard let first = present.first else { return [] }
        guard present.contains(where: { weights[$0] != weights[first] }) else {
            return present.map(UInt32.init)
        }
        let counts = counts(present.map { UInt64(weights[$0]) })
        var due: [(number: Double, entry: Int)] = []
        due.reserveCapacity(counts.reduce(0, +))
        for (entry, count) in counts.enumerated() {
            for turn in 0..<count { due.append(((Double(turn) + 0.5) / Double(count), entry)) }
        }
        due.sort { $0 < $1 }
        return due.map { UInt32(present[$0.entry]) }
    }

    private static func counts(_ weights: [UInt64]) -> [Int] {
        let divisor = weights.reduce(0, greatestCommonDivisor)
        let reduced = weights.map { $0 / divisor }
        let sum = reduced.reduce(0, +)
        let most = UInt64(max(turnsMax, 4 * weights.count))
        guard sum > most else { return reduced.map(Int.init) }
        return reduced.map { max(1, Int(($0 * most + sum / 2) / sum)) }
    }

    private static func greatestCommonDivisor(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }
}
