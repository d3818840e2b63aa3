/// How many completions a worker waits for. To sleep and to be woken for each one costs more than
/// to handle it, so a busy worker waits for as many as the recent rate promises within a window
/// that no client notices (Linux 6.12's minimum wait; before that one completion is always enough).
/// A rate alone can deceive: one client that asks again as soon as it is answered keeps a worker
/// busy, and gains nothing by waiting. So where no company came, the worker rests from waiting,
/// each time longer. Pure.
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
    static let restTurnsMin = 16
    static let restTurnsMax = 4096

    /// Completions expected in one window, times 256: a moving average over about eight turns.
    private var expected = 0
    private var lastTurn: UInt64 = 0
    /// What the last step waited for.
    private var minimumLast = 0
    /// Turns still to go without waiting for company, and how many there were the last time.
    private var restTurns = 0
    private var restLength = restTurnsMin

    /// - Parameters:
    ///   - count: what completed in this turn.
    ///   - now: nanoseconds.
    mutating func note(count: Int, now: UInt64) {
        let elapsed = Int(max(1, now &- lastTurn))
        lastTurn = now
        let inWindow = (count << 8) * Int(Self.windowMicroseconds) * 1000 / elapsed
        expected += (min(inWindow, Self.minimumMax << 8) - expected) >> 3
        if minimumLast <= 1 {
            restTurns = max(0, restTurns - 1)
        } else if 2 * count < minimumLast || count < 2 {
            restTurns = restLength
            restLength = min(2 * restLength, Self.restTurnsMax)
        } else {
            restLength = Self.restTurnsMin
        }
    }

    mutating func step(hasPending: Bool) -> Step {
        minimumLast = hasPending ? 0 : restTurns > 0 ? 1 : max(1, expected >> 8)
        return Step(
            minimum: UInt32(minimumLast),
            batchMicroseconds: minimumLast > 1 ? Self.windowMicroseconds : 0)
    }
}
