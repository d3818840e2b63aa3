import Routing
import Synchronization

/// So many a second, of all workers together: the time at which the next is due, in one word
/// (the generic cell rate algorithm, ITU-T I.371). Shared by a cluster's workers.
public final class Pace: Sendable {
    /// Nanoseconds between two; nil = none may, 0 = all may.
    private let interval: UInt64?
    /// How far ahead of its time one may be: workers look every few milliseconds only.
    private let slack: UInt64
    private let due = Atomic<UInt64>(0)

    private static let second: UInt64 = 1_000_000_000
    private static let lookInterval: UInt64 = 20_000_000

    /// - Parameter perSecond: nil = without a bound.
    private init(isWanted: Bool, perSecond: UInt32?) {
        interval = isWanted ? perSecond.map { Self.second / UInt64(max(1, $0)) } ?? 0 : nil
        slack = Self.lookInterval
    }

    convenience init(_ plan: DeparturePlan) {
        self.init(isWanted: plan.endsConnections, perSecond: plan.perSecond)
    }

    convenience init(_ plan: TierPlan) {
        self.init(isWanted: plan.drainsOnFailback, perSecond: plan.failbackPerSecond)
    }

    public enum Answer: Sendable { case now, later, never }

    /// Asks for one.
    /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
    public func take(now: UInt64) -> Answer {
        guard let interval else { return .never }
        guard interval > 0 else { return .now }
        var seen = due.load(ordering: .relaxed)
        while true {
            let start = max(seen, now)
            guard start - now <= slack else { return .later }
            let result = due.compareExchange(
                expected: seen, desired: start + interval, ordering: .relaxed)
            if result.exchanged { return .now }
            seen = result.original
        }
    }
}
