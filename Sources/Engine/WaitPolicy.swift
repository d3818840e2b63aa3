/// Whether the worker sleeps at once, looks a while longer, or waits for several completions
/// together. Sleeping for each event costs a wake-up each time; batching costs a little latency.
/// Pure.
struct WaitPolicy {
    struct Step {
        /// 0: do not sleep.
        var minimum: UInt32
        var batchMicroseconds: UInt32
    }

    /// Completions of late turns, averaged over about eight, times 256.
    private var load = 0

    mutating func note(count: Int) {
        load += (count << 8 - load) >> 3
    }

    func step(hasPending: Bool) -> Step {
        if hasPending { return Step(minimum: 0, batchMicroseconds: 0) }
        return Step(minimum: 1, batchMicroseconds: 0)
    }
}
