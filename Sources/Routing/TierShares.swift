/// How much of a cluster's traffic each of its tiers takes, by what is well in them: Envoy's rule
/// for priorities (`arch_overview/upstream/load_balancing/priority`) with a threshold that can be
/// set. Pure.
public struct TierShares: Hashable, Sendable {
    /// Of a tier.
    public struct Count: Hashable, Sendable {
        public var usable: Int
        public var total: Int

        public init(usable: Int, total: Int) {
            self.usable = usable
            self.total = total
        }
    }

    /// In a hundred, one for each tier; together 100, or all 0 where there is no endpoint at all.
    public let percent: [UInt32]
    /// Tiers in which health is not looked at, because too few are well to carry what comes.
    public let isPanicking: [Bool]

    private static let whole: UInt32 = 100

    /// - Parameters:
    ///   - failoverBelowPercents: of each tier, as in `TierPlan`: one with fewer usable ones in a
    ///     hundred gives a part away; 0 = it gives nothing away before it has none at all.
    ///   - panicPercent: `healthCheck.panicThreshold`; 0 = never.
    public init(_ tiers: [Count], failoverBelowPercents: [UInt32], panicPercent: UInt32) {
        let thresholds = failoverBelowPercents
        let capacities = tiers.enumerated().map { number, tier in
            Self.capacity(of: tier, thresholds.dropFirst(number).first ?? thresholds.last ?? 0)
        }
        let sum = min(Self.whole, capacities.reduce(0, +))
        guard sum > 0 else {
            // Nobody is known to be well: it is as likely that nobody knows. The first tier that
            // has endpoints is tried, whatever is said of them, unless panic is forbidden.
            let first = panicPercent > 0 ? tiers.firstIndex { $0.total > 0 } : nil
            percent = tiers.indices.map { $0 == first ? Self.whole : 0 }
            isPanicking = tiers.indices.map { $0 == first }
            return
        }
        var left = Self.whole
        var shares = capacities.map { capacity in
            let share = min(left, capacity * Self.whole / sum)
            left -= share
            return share
        }
        // What was lost by rounding goes where the most goes.
        if let most = shares.indices.max(by: { shares[$0] < shares[$1] }) { shares[most] += left }
        percent = shares
        isPanicking = zip(tiers, shares).map { tier, share in
            sum < Self.whole && share > 0
                && UInt32(tier.usable) * Self.whole < panicPercent * UInt32(tier.total)
        }
    }

    /// What of all traffic the tier can carry, in a hundred.
    private static func capacity(of tier: Count, _ failoverBelowPercent: UInt32) -> UInt32 {
        guard tier.usable > 0 else { return 0 }
        guard failoverBelowPercent > 0 else { return whole }
        let percent = UInt64(tier.usable) * UInt64(whole) * UInt64(whole)
        return UInt32(min(percent / UInt64(tier.total) / UInt64(failoverBelowPercent), 100))
    }
}
