/// When to look at files that are being changed: once they have been quiet for a moment, so that a
/// file is not read half-written and several changes are one reload, but not later than a bound, so
/// that a directory that is never quiet cannot put a reload off for ever. Pure; the control thread
/// asks it. Times are CLOCK_MONOTONIC in nanoseconds.
struct Debounce {
    enum Phase: Hashable {
        case idle
        case settling(quietAt: UInt64, latest: UInt64)
    }

    enum Event: Hashable {
        case changed
        case tick
        /// The files were read for another reason; what had changed before was seen.
        case reloaded
    }

    enum Action: Hashable {
        case nothing, reload
    }

    /// Editors and `kubectl` take a few milliseconds for all steps of a change.
    static let quiet: UInt64 = 50_000_000
    static let bound: UInt64 = 500_000_000

    private(set) var phase = Phase.idle

    /// When to come back with a tick.
    var deadline: UInt64? {
        guard case .settling(let quietAt, let latest) = phase else { return nil }
        return min(quietAt, latest)
    }

    mutating func on(_ event: Event, now: UInt64) -> Action {
        switch (phase, event) {
        case (.idle, .changed):
            phase = .settling(quietAt: now &+ Self.quiet, latest: now &+ Self.bound)
            return .nothing
        case (.settling(_, let latest), .changed):
            guard now < latest else {
                phase = .idle
                return .reload
            }
            phase = .settling(quietAt: now &+ Self.quiet, latest: latest)
            return .nothing
        case (.settling(let quietAt, let latest), .tick):
            guard now >= min(quietAt, latest) else { return .nothing }
            phase = .idle
            return .reload
        case (.idle, .tick), (.idle, .reloaded):
            return .nothing
        case (.settling, .reloaded):
            phase = .idle
            return .nothing
        }
    }
}
