import Primitives
import Routing

/// When one endpoint is checked: the first time within the initial jitter, the second time at a
/// random phase of the interval, so that endpoints which came together are not checked together
/// ever after, and then at the interval give or take a tenth. Milliseconds. Pure; owned by the
/// directory.
struct CheckSchedule {
    let interval: UInt64
    let initialJitter: UInt64
    private var hasPhase = false

    init(_ plan: HealthCheckPlan.Active) {
        interval = UInt64(max(plan.interval, 1))
        initialJitter = UInt64(plan.initialJitter)
    }

    func first(now: UInt64, random: inout SeededRandom) -> UInt64 {
        now + .random(in: 0...initialJitter, using: &random)
    }

    /// - Parameter start: when the check that is over now began; the interval counts from there.
    mutating func next(after start: UInt64, now: UInt64, random: inout SeededRandom) -> UInt64 {
        precondition(start <= now)
        defer { hasPhase = true }
        let pause: UInt64
        if hasPhase {
            let tenth = interval / 10
            pause = .random(in: interval - tenth...interval + tenth, using: &random)
        } else {
            pause = .random(in: 0...interval, using: &random)
        }
        return max(start + pause, now)
    }
}
