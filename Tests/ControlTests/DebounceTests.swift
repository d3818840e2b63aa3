import Testing

@testable import Control

@Suite("Debounce")
struct DebounceTests {
    private static let start: UInt64 = 1_000_000_000
    private static let quietAt = start + Debounce.quiet
    private static let latest = start + Debounce.bound

    private static func settling() -> Debounce {
        var debounce = Debounce()
        _ = debounce.on(.changed, now: start)
        return debounce
    }

    private struct Step {
        let isSettling: Bool
        let event: Debounce.Event
        let now: UInt64
        let action: Debounce.Action
        let phase: Debounce.Phase
    }

    private static func settling(quietAt: UInt64) -> Debounce.Phase {
        .settling(quietAt: quietAt, latest: latest)
    }

    /// Every phase with every event, on both sides of each time that matters.
    private static let table = [
        Step(
            isSettling: false, event: .changed, now: start, action: .nothing,
            phase: settling(quietAt: quietAt)),
        Step(isSettling: false, event: .tick, now: .max, action: .nothing, phase: .idle),
        Step(isSettling: false, event: .reloaded, now: start, action: .nothing, phase: .idle),
        Step(
            isSettling: true, event: .changed, now: start + 1, action: .nothing,
            phase: settling(quietAt: quietAt + 1)),
        Step(
            isSettling: true, event: .changed, now: latest - 1, action: .nothing,
            phase: settling(quietAt: latest - 1 + Debounce.quiet)),
        Step(isSettling: true, event: .changed, now: latest, action: .reload, phase: .idle),
        Step(
            isSettling: true, event: .tick, now: quietAt - 1, action: .nothing,
            phase: settling(quietAt: quietAt)),
        Step(isSettling: true, event: .tick, now: quietAt, action: .reload, phase: .idle),
        Step(isSettling: true, event: .reloaded, now: start, action: .nothing, phase: .idle),
    ]

    @Test("every event in every phase does what the table says")
    func exhaustive() {
        for step in Self.table {
            var debounce = step.isSettling ? Self.settling() : Debounce()
            #expect(debounce.on(step.event, now: step.now) == step.action, "\(step)")
            #expect(debounce.phase == step.phase, "\(step)")
        }
    }

    @Test("one change is one reload, when it has been quiet")
    func one() {
        var debounce = Self.settling()
        #expect(debounce.deadline == Self.quietAt)
        #expect(debounce.on(.tick, now: Self.quietAt) == .reload)
        #expect(debounce.on(.tick, now: Self.quietAt) == .nothing)
        #expect(debounce.deadline == nil)
    }

    @Test("a directory that is never quiet is reloaded at each bound")
    func busy() {
        var debounce = Debounce()
        var reloads = 0
        let step: UInt64 = 10_000_000
        for now in stride(from: Self.start, to: Self.start + 10 * Debounce.bound, by: Int(step)) {
            if debounce.on(.changed, now: now) == .reload { reloads += 1 }
            if debounce.on(.tick, now: now) == .reload { reloads += 1 }
            #expect(debounce.deadline.map { $0 <= now + Debounce.quiet } ?? true)
        }
        #expect((9...10).contains(reloads))
    }
}
