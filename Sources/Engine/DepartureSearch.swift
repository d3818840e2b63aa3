/// Where a worker is in its search for clients of endpoints that they are to leave: connections by
/// slot, then flows by theirs, a few at a time, so that nobody waits for it. A value of the
/// worker's.
struct DepartureSearch: BitwiseCopyable {
    /// The next slot to look at, connections' first; nil = nothing is searched for.
    private(set) var next: UInt32?
    /// Some had to wait for their turn: they are looked for again.
    private(set) var isAgain = false

    /// Slots that are looked at in one turn of the worker's loop.
    static let slotsPerTurn: UInt32 = 512

    /// From the beginning, and what was seen already once more: it may have changed.
    mutating func begin() {
        if next == nil { next = 0 } else { isAgain = true }
    }

    mutating func noteWaiting() { isAgain = true }

    mutating func advance(to slot: UInt32) { next = slot }

    /// All slots were looked at.
    mutating func finish() {
        next = isAgain ? 0 : nil
        isAgain = false
    }
}
