/// What the checks know, at one moment, for whoever looks into it. Made on their thread when asked
/// for; a value.
public struct HealthReport: Hashable, Sendable {
    public struct Check: Hashable, Sendable {
        public var check: HealthCheck
        public var verdict: HealthVerdict
        /// Those that have ended.
        public var attempts: UInt64
        public var successes: UInt64
        public var failures: UInt64
        /// Attempts that could not be made, for want of descriptors or the like.
        public var inconclusive: UInt64
        public var successesInRow: UInt32
        public var failuresInRow: UInt32
        /// However long ago.
        public var failureLast: HealthFailure?
        public var failedAgoMilliseconds: UInt64?
        /// How long the last check took, in steps of the clock.
        public var tookMilliseconds: UInt64?
        /// Nil while one is under way or waits for its turn.
        public var nextCheckMilliseconds: UInt64?
        /// There was no room for it: it is never checked, and stays pending.
        public var isRefused = false
    }

    /// Sorted by address.
    public var checks: [Check]
    /// Checks that are due and wait for their turn, and those under way.
    public var waitingCount: Int
    public var flyingCount: Int
}

extension CheckDirectory {
    func report(now: UInt64) -> HealthReport {
        var checks = numbers.map { check, number in report(of: entry(number), now: now) }
        checks += refused.map { check in
            HealthReport.Check(
                check: check, verdict: .pending, attempts: 0, successes: 0, failures: 0,
                inconclusive: 0, successesInRow: 0, failuresInRow: 0, isRefused: true)
        }
        let named = checks.map { (name: $0.check.address.description, check: $0) }
        return HealthReport(
            checks: named.sorted { $0.name < $1.name }.map(\.check), waitingCount: waitingCount,
            flyingCount: flyingCount)
    }

    private func report(of entry: Entry, now: UInt64) -> HealthReport.Check {
        let state = entry.state
        var next: UInt64?
        if case .resting(let due) = entry.phase { next = due > now ? due - now : 0 }
        return HealthReport.Check(
            check: entry.check, verdict: state.verdict,
            attempts: state.successes + state.failures + state.inconclusive,
            successes: state.successes, failures: state.failures,
            inconclusive: state.inconclusive, successesInRow: state.successesInRow,
            failuresInRow: state.failuresInRow, failureLast: state.failureLast,
            failedAgoMilliseconds: entry.failedAt.map { now - $0 },
            tookMilliseconds: entry.tookMilliseconds, nextCheckMilliseconds: next)
    }
}
