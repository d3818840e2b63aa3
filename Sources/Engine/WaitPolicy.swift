/// How many completions a worker waits for. To sleep and to be woken for each one costs more than
/// to handle it, so a busy worker waits for as many as the recent rate promises within a window
/// that no client notices (Linux 6.12's minimum wait; before that one completion is always enough).
/// Pure.
struct WaitPolicy {
    struct Step: Equatable {
        /// 0: do not sleep.
        var minimum: UInt32
        /// After so long one completion is enough.
        var batchMicroseconds: UInt32
    }

    /// How long a completion may be kept waiting for company.
    static let windowMicroseconds: UInt32 = 50
    static let minimumMax = 32

    /// Completions expected in one window, times 256: a moving average over about eight turns.
    private var expected = 0
    private var lastTurn: UInt64 = 0

    /// - Parameters:
    ///   - count: what completed in this turn.
    ///   - now: nanoseconds.
    mutating func note(count: Int, now: UInt64) {
        let elapsed = Int(max(1, now &- lastTurn))
        lastTurn = now
        let inWindow = (count << 8) * Int(Self.windowMicroseconds) * 1000 / elapsed
        expected += (min(inWindow, Self.minimumMax << 8) - expected) >> 3
    }

    func step(hasPending: Bool) -> Step {
        if hasPending { return Step(minimum: 0, batchMicroseconds: 0) }
        let minimum = max(1, expected >> 8)
        return Step(
            minimum: UInt32(minimum),
            batchMicroseconds: minimum > 1 ? Self.windowMicroseconds : 0)
    }
}
