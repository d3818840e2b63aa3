import Testing

@testable import Control

@Suite("Lifecycle")
struct LifecycleTests {
    private static let second: UInt64 = 1_000_000_000
    private static let grace = Lifecycle.grace

    private static func serving() -> Lifecycle {
        Lifecycle(drainTimeout: 30 * second)
    }

    /// Told to drain at 10 s: the deadline is 40 s.
    private static func draining() -> Lifecycle {
        var lifecycle = serving()
        _ = lifecycle.on(.signal(.terminate), now: 10 * second)
        return lifecycle
    }

    private static func stopping() -> Lifecycle {
        var lifecycle = draining()
        _ = lifecycle.on(.tick, now: 40 * second + grace)
        return lifecycle
    }

    @Test(
        "either signal drains, with the deadline counted from it",
        arguments: [
            SignalQueue.Signal.terminate, .interrupt,
        ])
    func drains(signal: SignalQueue.Signal) {
        var lifecycle = Self.serving()
        let action = lifecycle.on(.signal(signal), now: 10 * Self.second)
        #expect(action == .drain(deadline: 40 * Self.second))
        #expect(lifecycle.phase == .draining(deadline: 40 * Self.second))
    }

    @Test("serving lasts while nothing is asked")
    func serves() {
        var lifecycle = Self.serving()
        #expect(lifecycle.on(.tick, now: UInt64.max - Self.second) == .nothing)
        #expect(lifecycle.phase == .serving)
    }

    @Test("an interrupt ends a drain at once")
    func interruptWhileDraining() {
        var lifecycle = Self.draining()
        #expect(lifecycle.on(.signal(.interrupt), now: 11 * Self.second) == .exit(.interrupted))
        lifecycle = Self.stopping()
        #expect(lifecycle.on(.signal(.interrupt), now: 50 * Self.second) == .exit(.interrupted))
    }

    @Test("a second SIGTERM changes nothing, not even the deadline")
    func terminateWhileDraining() {
        var lifecycle = Self.draining()
        #expect(lifecycle.on(.signal(.terminate), now: 20 * Self.second) == .nothing)
        #expect(lifecycle.phase == .draining(deadline: 40 * Self.second))
        lifecycle = Self.stopping()
        let phase = lifecycle.phase
        #expect(lifecycle.on(.signal(.terminate), now: 43 * Self.second) == .nothing)
        #expect(lifecycle.phase == phase)
    }

    @Test("SIGHUP reloads while serving, and who is ending takes no new plan")
    func hangup() {
        for var lifecycle in [Self.serving(), Self.draining(), Self.stopping()] {
            let phase = lifecycle.phase
            let action = lifecycle.on(.signal(.hangup), now: 41 * Self.second)
            #expect(action == (phase == .serving ? .reload : .nothing))
            #expect(lifecycle.phase == phase)
        }
    }

    @Test("workers get a grace after the deadline, then are stopped, then given up")
    func escalation() {
        var lifecycle = Self.draining()
        let deadline = 40 * Self.second
        #expect(lifecycle.on(.tick, now: deadline + Self.grace - 1) == .nothing)
        #expect(lifecycle.on(.tick, now: deadline + Self.grace) == .stop)
        #expect(lifecycle.on(.tick, now: deadline + 2 * Self.grace - 1) == .nothing)
        #expect(lifecycle.on(.tick, now: deadline + 2 * Self.grace) == .exit(.cutOff))
    }

    @Test("the exit code tells whether connections were cut off")
    func ends() {
        var lifecycle = Self.draining()
        #expect(lifecycle.on(.ended(cutOff: false), now: 0) == .exit(.drained))
        lifecycle = Self.draining()
        #expect(lifecycle.on(.ended(cutOff: true), now: 0) == .exit(.cutOff))
        lifecycle = Self.stopping()
        #expect(lifecycle.on(.ended(cutOff: false), now: 0) == .exit(.cutOff))
        lifecycle = Self.serving()
        #expect(lifecycle.on(.ended(cutOff: false), now: 0) == .exit(.failed))
    }
}
