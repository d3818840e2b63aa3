/// How many completions a worker waits for. To sleep and to be woken for each one costs more than
/// to handle it, so a busy worker waits for as many as the recent rate promises within a window
/// that no client notices (Linux 6.12's minimum wait; before that one completion is always enough).
/// Spliced bytes are company too: a pipe moves a megabyte at a third less than sixteen times
/// 64 KiB, so a worker that splices waits longer, and for a single connection as well.
///
/// Both signs can deceive. One client that asks again as soon as it is answered keeps a worker busy
/// and gains nothing by waiting; nor does one that asks for large blocks, again and again. So where
/// a wait did not pay, the worker rests from waiting, longer each time. Pure.
struct WaitPolicy {
    struct Step: Equatable {
        /// 0: do not sleep.
        var minimum: UInt32
        /// After so long one completion is enough.
        var batchMicroseconds: UInt32
    }

    /// How long a completion may be kept waiting for company.
    static let windowMicroseconds: UInt32 = 50
    /// The same while bulk is spliced: 5 GB/s fill a pipe in it.
    static let bulkWindowMicroseconds: UInt32 = 200
    static let minimumMax = 32
    static let restTurnsMin = 16
    static let restTurnsMax = 4096
    /// Bytes spliced in a turn that make it one of bulk.
    static let bulkBytes = 64 << 10
    /// After so many waits one turn without, to see what it brings by itself.
    static let waitsMax = 64

    /// Completions expected in one window, times 256: a moving average over about eight turns.
    private var expected = 0
    private var lastTurn: UInt64 = 0
    /// What the last step waited for.
    private var minimumLast = 0
    /// Spliced in a turn that had not waited.
    private var bytesAlone = 0
    private var isBulk = false
    private var waits = 0
    /// Turns still to go without waiting for company, and how many there were the last time.
    private var restTurns = 0
    private var restLength = restTurnsMin

    /// - Parameters:
    ///   - count: what completed in this turn.
    ///   - bytes: what was spliced in it.
    ///   - now: nanoseconds.
    mutating func note(count: Int, bytes: Int, now: UInt64) {
        let elapsed = Int(max(1, now &- lastTurn))
        lastTurn = now
        let inWindow = (count << 8) * Int(Self.windowMicroseconds) * 1000 / elapsed
        expected += (min(inWindow, Self.minimumMax << 8) - expected) >> 3
        isBulk = bytes >= Self.bulkBytes
        if minimumLast <= 1 {
            restTurns = max(0, restTurns - 1)
            if bytes > 0 { bytesAlone = (bytesAlone + bytes) / 2 }
        } else {
            noteWait(hasPaid: hadCompany(count) || isBulk && bytes >= 2 * bytesAlone)
        }
    }

    private func hadCompany(_ count: Int) -> Bool { count > 1 && 2 * count >= minimumLast }

    private mutating func noteWait(hasPaid: Bool) {
        waits += 1
        if !hasPaid {
            restTurns = restLength
            restLength = min(2 * restLength, Self.restTurnsMax)
        } else {
            restLength = max(restLength * 3 / 4, Self.restTurnsMin)
            if waits >= Self.waitsMax { restTurns = 1 }
        }
        if restTurns > 0 { waits = 0 }
    }

    mutating func step(hasPending: Bool) -> Step {
        minimumLast = hasPending ? 0 : restTurns > 0 ? 1 : max(isBulk ? 2 : 1, expected >> 8)
        let window = isBulk ? Self.bulkWindowMicroseconds : Self.windowMicroseconds
        return Step(
            minimum: UInt32(minimumLast), batchMicroseconds: minimumLast > 1 ? window : 0)
    }
}
