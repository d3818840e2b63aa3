/// How the process goes from serving to its exit: signals, the drain's deadline and the workers'
/// ends in, what to do out. Pure; the control thread performs the actions. Times are
/// CLOCK_MONOTONIC in nanoseconds.
struct Lifecycle {
    enum Phase: Hashable {
        case serving
        case draining(deadline: UInt64)
        /// The workers were told to end everything; they are given until then.
        case stopping(deadline: UInt64)
    }

    enum Event: Hashable {
        case signal(SignalQueue.Signal)
        case tick
        /// Every worker has ended.
        case ended(cutOff: Bool)
    }

    enum Action: Hashable {
        case nothing
        case reload
        case drain(deadline: UInt64)
        case stop
        case exit(ExitCode)
    }

    /// Workers end what lives at the deadline themselves; one that has not done so after this is
    /// told to stop, and after twice as long given up.
    static let grace: UInt64 = 2_000_000_000

    private(set) var phase = Phase.serving
    var drainTimeout: UInt64

    init(drainTimeout: UInt64) {
        self.drainTimeout = drainTimeout
    }

    mutating func on(_ event: Event, now: UInt64) -> Action {
        switch (phase, event) {
        case (.serving, .signal(.hangup)):
            return .reload
        // Who is about to end takes no new plan.
        case (.draining, .signal(.hangup)), (.stopping, .signal(.hangup)):
            return .nothing
        case (.serving, .signal(.terminate)), (.serving, .signal(.interrupt)):
            let deadline = now &+ drainTimeout
            phase = .draining(deadline: deadline)
            return .drain(deadline: deadline)
        case (.draining, .signal(.interrupt)), (.stopping, .signal(.interrupt)):
            return .exit(.interrupted)
        case (.draining, .signal(.terminate)), (.stopping, .signal(.terminate)):
            return .nothing
        case (.draining(let deadline), .tick):
            guard now >= deadline &+ Self.grace else { return .nothing }
            phase = .stopping(deadline: now &+ Self.grace)
            return .stop
        case (.stopping(let deadline), .tick):
            return now >= deadline ? .exit(.cutOff) : .nothing
        case (.serving, .tick):
            return .nothing
        case (.draining, .ended(let cutOff)):
            return .exit(cutOff ? .cutOff : .drained)
        case (.stopping, .ended):
            return .exit(.cutOff)
        // No worker ends before it was told to.
        case (.serving, .ended):
            return .exit(.failed)
        }
    }
}
