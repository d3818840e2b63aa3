import Primitives
import Routing

/// All checks: decides which is made when, and what changed. Pure: time is passed in
/// (milliseconds), attempts begin and end as values, so that ten thousand endpoints and a day of
/// time are a test of a second. Owned by the health thread.
///
/// The owner asks `takeExpired` and `nextStart` after each call, and tells by `finish` what came of
/// what it started.
final class CheckDirectory {
    struct Limits {
        var checksMax = 65_536
        /// Checks under way, each with a descriptor.
        var flyingMax = 256
    }

    /// One check, with what is known of it. Owned by the directory.
    final class Entry {
        enum Phase {
            /// Until then.
            case resting(UInt64)
            /// It is due and waits for its turn.
            case inLine
            case flying(since: UInt64)
        }

        let check: HealthCheck
        fileprivate(set) var state: CheckState
        fileprivate(set) var schedule: CheckSchedule
        fileprivate(set) var phase: Phase
        fileprivate(set) var failedAt: UInt64?
        fileprivate(set) var tookMilliseconds: UInt64?

        fileprivate init(_ check: HealthCheck, now: UInt64) {
            self.check = check
            state = CheckState(check.plan)
            schedule = CheckSchedule(check.plan)
            phase = .resting(now)
        }
    }

    struct Start {
        let number: Int
        let check: HealthCheck
    }

    /// Checks begin at multiples of this, so that they go out in small groups and not with a
    /// wake-up each.
    static let stepMilliseconds: UInt64 = 16

    let limits: Limits
    private var random: SeededRandom
    private(set) var numbers: [HealthCheck: Int] = [:]
    /// By number.
    private var entries: [Entry?] = []
    private var freeNumbers: [Int] = []
    /// One for each check: when it is due, or when its attempt is out of time.
    private var timers: TimerWheel
    private var line: FixedQueue<UInt32>
    private(set) var flyingCount = 0
    /// Checks for which there was no room.
    private(set) var refused: Set<HealthCheck> = []
    private var changes: [HealthCheck: HealthVerdict] = [:]
    private var abandoned: [Int] = []
    private var expired: [Int] = []

    init(limits: Limits = Limits(), seed: UInt64, now: UInt64) {
        precondition(limits.checksMax > 0 && limits.flyingMax > 0)
        self.limits = limits
        random = SeededRandom(seed: seed)
        timers = TimerWheel(capacity: limits.checksMax, now: now)
        line = FixedQueue(capacity: limits.checksMax)
    }

    var waitingCount: Int { line.count }

    func entry(_ number: Int) -> Entry {
        guard let entry = entries[number] else { preconditionFailure("a number has its check") }
        return entry
    }

    // MARK: - What is wanted

    /// Replaces the whole set. A check that stays keeps everything.
    func want(_ wanted: Set<HealthCheck>, now: UInt64) {
        let gone = numbers.filter { !wanted.contains($0.key) }
        if !gone.isEmpty { leaveLine(Set(gone.values)) }
        for (check, number) in gone { remove(check, number) }
        refused = []
        for check in wanted where numbers[check] == nil {
            if numbers.count < limits.checksMax {
                add(check, now: now)
            } else {
                refused.insert(check)
            }
        }
    }

    private func add(_ check: HealthCheck, now: UInt64) {
        let number = freeNumbers.popLast() ?? entries.count
        if number == entries.count { entries.append(nil) }
        let entry = Entry(check, now: now)
        entries[number] = entry
        numbers[check] = number
        rest(entry, number, until: entry.schedule.first(now: now, random: &random))
    }

    private func remove(_ check: HealthCheck, _ number: Int) {
        if case .flying = entry(number).phase {
            flyingCount -= 1
            abandoned.append(number)
            expired.removeAll { $0 == number }
        }
        timers.cancel(UInt32(number))
        entries[number] = nil
        numbers[check] = nil
        changes[check] = nil
        freeNumbers.append(number)
    }

    private func leaveLine(_ gone: Set<Int>) {
        for _ in 0..<line.count {
            guard let number = line.popFirst() else { preconditionFailure("so many there are") }
            if !gone.contains(Int(number)) { line.append(number) }
        }
    }

    /// What changed since the last call.
    func takeChanges() -> [HealthCheck: HealthVerdict] {
        defer { changes = [:] }
        return changes
    }

    // MARK: - Time

    /// When `tick` may have something to do.
    var deadline: UInt64? { timers.nextTick }

    func tick(now: UInt64) {
        while let timer = timers.popExpired(now: now) {
            let number = Int(timer)
            let entry = entry(number)
            switch entry.phase {
            case .resting:
                entry.phase = .inLine
                line.append(timer)
            case .flying: expired.append(number)
            case .inLine: preconditionFailure("who waits for a turn has no deadline")
            }
        }
    }

    private func rest(_ entry: Entry, _ number: Int, until due: UInt64) {
        let step = Self.stepMilliseconds
        let rounded = (due + step - 1) / step * step
        entry.phase = .resting(rounded)
        timers.set(UInt32(number), deadline: rounded)
    }

    // MARK: - Attempts

    /// Attempts of checks that nobody wants any more: to be ended, and not to be told of. Before
    /// anything is started, since their numbers are given anew.
    func takeAbandoned() -> [Int] {
        defer { abandoned = [] }
        return abandoned
    }

    /// Attempts that are out of time: to be ended, and told by `finish`.
    func takeExpired() -> [Int] {
        defer { expired = [] }
        return expired
    }

    /// Whether `nextStart` has something.
    var hasStart: Bool { !line.isEmpty && flyingCount < limits.flyingMax }

    /// A check that is to be made now; nil when there is none, or when enough are under way.
    func nextStart(now: UInt64) -> Start? {
        precondition(abandoned.isEmpty, "numbers in use are not given anew")
        guard hasStart, let first = line.popFirst() else { return nil }
        let number = Int(first)
        let entry = entry(number)
        guard case .inLine = entry.phase else { preconditionFailure("who is in line is due") }
        flyingCount += 1
        entry.phase = .flying(since: now)
        timers.set(first, deadline: now + UInt64(entry.check.plan.timeout))
        return Start(number: number, check: entry.check)
    }

    /// An attempt is over.
    func finish(_ number: Int, _ outcome: CheckOutcome, now: UInt64) {
        let entry = entry(number)
        guard case .flying(let since) = entry.phase else {
            preconditionFailure("what ends was started")
        }
        flyingCount -= 1
        entry.tookMilliseconds = now - since
        if case .failed = outcome { entry.failedAt = now }
        if entry.state.on(outcome) { changes[entry.check] = entry.state.verdict }
        let due = entry.schedule.next(after: since, now: now, random: &random)
        rest(entry, number, until: due)
    }
}
