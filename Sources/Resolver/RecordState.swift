import Primitives

/// What is known of one name and record type: the last good answer, whether it is still used, and
/// when to ask again. Pure: time is passed in (milliseconds of any clock that only goes forward).
/// Owned by the directory on the resolver's thread.
public struct RecordState: Sendable {
    public enum Phase: Hashable, Sendable {
        case waiting(until: UInt64)
        case asking
    }

    public enum Event: Hashable, Sendable {
        /// A deadline may have passed.
        case tick
        case answered(Answer)
        /// The servers have changed: what was waited for may be known now.
        case hurried
    }

    public struct Action: Hashable, Sendable {
        public var asks = false
        /// `data` is not what it was.
        public var isChanged = false
    }

    /// What went wrong last; cleared by nothing, so that it can be shown.
    public enum Trouble: Hashable, Sendable {
        case absent(isNameMissing: Bool)
        case failed(LookupFailure)
    }

    public let settings: LookupSettings
    public private(set) var phase: Phase
    /// What is published; nil when there is nothing.
    public private(set) var data: RecordData?
    /// Whether any answer or failure has come.
    public private(set) var hasVerdict = false
    /// When `data` ran or runs out by its TTL.
    public private(set) var expiresAt: UInt64 = 0
    public private(set) var answeredAt: UInt64?
    public private(set) var trouble: Trouble?
    public private(set) var troubledAt: UInt64?
    /// Since when servers say, and have not stopped saying, that there is no such record.
    private var absentSince: UInt64?
    /// Whether the last verdict was no answer: until then data stay however old they are, because
    /// the next verdict is already asked for.
    private var isContradicted = false
    /// In a row.
    public private(set) var failureCount = 0

    static let backOffMin: UInt64 = 1_000

    public init(_ settings: LookupSettings, now: UInt64) {
        self.settings = settings
        phase = .waiting(until: now)
    }

    /// When `tick` has something to do: a question is due, or data run out for good. Nil while only
    /// an answer is waited for.
    public var deadline: UInt64? {
        switch phase {
        case .waiting(let due): dataEnd.map { min($0, due) } ?? due
        case .asking: dataEnd
        }
    }

    /// When the data are given up; nil when there are none, or nothing speaks against them yet.
    private var dataEnd: UInt64? {
        guard data != nil, isContradicted else { return nil }
        let end = expiresAt + settings.staleMax
        return absentSince.map { min(end, $0 + settings.staleWhileAbsentMax) } ?? end
    }

    /// - Parameter random: for jitter, so that names that were asked for together part ways.
    public mutating func on(
        _ event: Event, now: UInt64, random: inout some RandomNumberGenerator
    ) -> Action {
        var action = Action()
        switch (event, phase) {
        case (.tick, .waiting(let due)):
            if due <= now {
                phase = .asking
                action.asks = true
            }
        case (.tick, .asking), (.hurried, .asking):
            break
        case (.hurried, .waiting):
            phase = .asking
            action.asks = true
        case (.answered(let answer), _):
            // An answer that was not asked for may come along with another (RFC 2782, additional
            // records), and is as good.
            action.isChanged = accept(answer, now: now, random: &random)
        }
        if let end = dataEnd, end <= now {
            data = nil
            action.isChanged = true
        }
        return action
    }

    private mutating func accept(
        _ answer: Answer, now: UInt64, random: inout some RandomNumberGenerator
    ) -> Bool {
        var isChanged = !hasVerdict
        hasVerdict = true
        isContradicted = true
        switch answer {
        case .found(let found, let ttl):
            isChanged = isChanged || data != found
            let interval = settings.interval(ofTTL: ttl)
            data = found
            expiresAt = now + interval
            answeredAt = now
            absentSince = nil
            isContradicted = false
            failureCount = 0
            wait(interval, now: now, random: &random)
        case .absent(let isNameMissing, let ttl):
            trouble = .absent(isNameMissing: isNameMissing)
            troubledAt = now
            absentSince = absentSince ?? now
            failureCount = 0
            wait(settings.interval(ofNegativeTTL: ttl), now: now, random: &random)
        case .failed(let failure):
            trouble = .failed(failure)
            troubledAt = now
            failureCount += 1
            backOff(now: now, random: &random)
        }
        return isChanged
    }

    /// By the jitter later, never earlier: who asks a caching server just before an answer runs out
    /// is told its last second and must ask again.
    private mutating func wait(
        _ interval: UInt64, now: UInt64, random: inout some RandomNumberGenerator
    ) {
        let jitter = interval * settings.jitterPercent / 100
        phase = .waiting(until: now + interval + .random(in: 0...jitter, using: &random))
    }

    /// Doubles from a second to the refresh interval; between half and all of it is waited.
    private mutating func backOff(
        now: UInt64, random: inout some RandomNumberGenerator
    ) {
        let least = min(Self.backOffMin, settings.refreshInterval)
        let doubled = least << UInt64(min(failureCount - 1, 16))
        let pause = min(doubled, settings.refreshInterval)
        phase = .waiting(until: now + .random(in: (pause + 1) / 2...pause, using: &random))
    }
}
