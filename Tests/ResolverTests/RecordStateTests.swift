import Primitives
import Testing
import Traffic
import Wire

@testable import Resolver

@Suite("What is known of one record")
struct RecordStateTests {
    /// A state with a clock of its own.
    private struct Subject {
        var state: RecordState
        var now: UInt64 = 1_000_000
        var random = SeededRandom(seed: 4)

        init(_ change: (inout LookupSettings) -> Void = { _ in }) {
            var settings = LookupSettings()
            change(&settings)
            state = RecordState(settings, now: now)
        }

        @discardableResult
        mutating func on(_ event: RecordState.Event) -> RecordState.Action {
            state.on(event, now: now, random: &random)
        }

        /// Asks when it is due, without looking at the clock in between.
        mutating func answer(_ answer: Answer) -> RecordState.Action {
            if case .waiting(let due) = state.phase {
                now = max(now, due)
                #expect(on(.tick).asks)
            }
            return on(.answered(answer))
        }

        /// How long is waited now.
        var pause: UInt64? {
            guard case .waiting(let due) = state.phase else { return nil }
            return due - now
        }
    }

    private static let one = RecordData.addresses([.of("192.0.2.1")])
    private static let two = RecordData.addresses([.of("192.0.2.2")])
    private static let absences: [Answer] = [
        .absent(isNameMissing: true, ttl: nil), .absent(isNameMissing: false, ttl: 60),
    ]
    private static let failures: [Answer] = [
        .failed(.code(2)), .failed(.code(5)), .failed(.timedOut), .failed(.unreachable),
        .failed(.malformed(.nameTooLong)), .failed(.aliasLoop), .failed(.aliasChainTooLong),
        .failed(.truncated), .failed(.nameInvalid), .failed(.local(15)),
    ]

    @Test("it is due at once, and asks once")
    func beginning() {
        var subject = Subject()
        #expect(subject.state.deadline == subject.now)
        #expect(subject.on(.tick) == .init(asks: true))
        #expect(subject.on(.tick) == .init())
        #expect(subject.on(.hurried) == .init())
        #expect(subject.state.deadline == nil)
    }

    /// Each answer in each state that matters: whether it changes what is published, and what is
    /// published then.
    @Test("every answer upon every other keeps the last good one")
    func table() {
        let good: [Answer] = [.found(Self.one, ttl: 60), .found(Self.two, ttl: 60)]
        let all = good + Self.absences + Self.failures
        for first in all {
            for second in all {
                var subject = Subject()
                #expect(subject.answer(first).isChanged, "the first verdict is news: \(first)")
                let before = subject.state.data
                let action = subject.answer(second)
                var expected = before
                if case .found(let data, _) = second { expected = data }
                #expect(subject.state.data == expected, "\(second) upon \(first)")
                #expect(action == .init(isChanged: before != expected), "\(second) upon \(first)")
                #expect(subject.state.hasVerdict)
                #expect(subject.pause != nil, "it is asked again after \(second)")
            }
        }
    }

    private struct Interval: Sendable {
        var ttl: UInt32
        var respectsTTL = true
        var least: UInt32?
        var most: UInt32?
        var expected: UInt64
    }

    private static let intervals: [Interval] = [
        Interval(ttl: 300, expected: 300_000),
        Interval(ttl: 300, respectsTTL: false, expected: 30_000),
        Interval(ttl: 0, expected: 30_000),
        Interval(ttl: 1, expected: 1_000),
        Interval(ttl: 1, least: 5_000, expected: 5_000),
        Interval(ttl: 300, most: 20_000, expected: 20_000),
        Interval(ttl: 300, least: 60_000, most: 20_000, expected: 20_000),
        Interval(ttl: UInt32.max >> 1, expected: 86_400_000),
        Interval(ttl: 1, least: 0, expected: 1_000),
    ]

    @Test(
        "the next question is due when the answer runs out, up to a tenth later",
        arguments: intervals.indices)
    func refresh(index: Int) throws {
        let row = Self.intervals[index]
        var subject = Subject {
            $0.respectsTTL = row.respectsTTL
            $0.ttlMin = row.least.map(UInt64.init) ?? $0.ttlMin
            $0.ttlMax = row.most.map(UInt64.init) ?? $0.ttlMax
        }
        var pauses: Set<UInt64> = []
        for _ in 0..<100 {
            _ = subject.answer(.found(Self.one, ttl: row.ttl))
            #expect(subject.state.expiresAt == subject.now + row.expected)
            let pause = try #require(subject.pause)
            #expect((row.expected...row.expected + row.expected / 10).contains(pause))
            pauses.insert(pause)
        }
        #expect(pauses.count > 30, "names that were asked for together part ways")
    }

    @Test(
        "that there is no answer is believed as long as the zone says, at most the refresh interval"
    )
    func negativeInterval() throws {
        for (ttl, expected) in [
            (UInt32?.none, UInt64(30_000)), (0, 1_000), (7, 7_000), (900, 30_000),
        ] {
            var subject = Subject()
            _ = subject.answer(.absent(isNameMissing: true, ttl: ttl))
            let pause = try #require(subject.pause)
            #expect((expected...expected + expected / 10).contains(pause), "\(expected)")
        }
    }

    @Test("that there is no answer is believed for as long as is asked for, whatever the zone says")
    func negativeIntervalAskedFor() throws {
        for ttl in [UInt32?.none, 0, 900] {
            var subject = Subject {
                $0.ttlNegative = 5_000
                $0.jitterPercent = 0
            }
            _ = subject.answer(.absent(isNameMissing: true, ttl: ttl))
            #expect(subject.pause == 5_000)
        }
    }

    @Test("jitter is as much as is asked for", arguments: [0, 50, 100] as [UInt64])
    func jitter(percent: UInt64) throws {
        var subject = Subject { $0.jitterPercent = percent }
        let pauses = try (0..<200).map { _ in
            _ = subject.answer(.found(Self.one, ttl: 10))
            return try #require(subject.pause)
        }
        let most = 10_000 + 100 * percent
        #expect(pauses.allSatisfy { (10_000...most).contains($0) })
        #expect(pauses.max().map { $0 + 500 >= most } == true)
    }

    @Test("failures are asked again after 1, 2, 4 … seconds, at most the refresh interval")
    func backOff() throws {
        var subject = Subject()
        for (number, most) in [1, 2, 4, 8, 16, 30, 30, 30].enumerated() {
            _ = subject.answer(.failed(.code(2)))
            #expect(subject.state.failureCount == number + 1)
            let pause = try #require(subject.pause)
            #expect((UInt64(most) * 500...UInt64(most) * 1_000).contains(pause))
        }
        _ = subject.answer(.found(Self.one, ttl: 60))
        _ = subject.answer(.failed(.code(2)))
        #expect(try #require(subject.pause) <= 1_000, "an answer ends the row")
    }

    @Test("a thousand failures in a row wait no longer than the refresh interval")
    func longOutage() throws {
        var subject = Subject()
        for _ in 0..<1_000 { _ = subject.answer(.failed(.timedOut)) }
        #expect(try #require(subject.pause) <= 30_000)
    }

    @Test(
        "the last good answer is kept through failures for the bound, then given up once",
        arguments: failures)
    func staleFailure(failure: Answer) {
        var subject = Subject { $0.staleMax = 120_000 }
        _ = subject.answer(.found(Self.one, ttl: 60))
        let end = subject.state.expiresAt + 120_000
        while subject.state.data != nil {
            #expect(subject.now < end)
            guard let deadline = subject.state.deadline else {
                Issue.record("data that run out have a deadline")
                return
            }
            subject.now = min(deadline, end)
            let action = subject.on(.tick)
            #expect(action.isChanged == (subject.now == end))
            if action.asks { #expect(subject.on(.answered(failure)).isChanged == false) }
        }
        #expect(subject.now == end)
        _ = subject.on(.tick)
        #expect(subject.on(.answered(failure)) == .init(), "gone is gone, and no news")
    }

    @Test("it is given up while a question is under way, too")
    func staleWhileAsking() {
        var subject = Subject { $0.staleMax = 10_000 }
        _ = subject.answer(.found(Self.one, ttl: 60))
        let end = subject.state.expiresAt + 10_000
        _ = subject.answer(.failed(.timedOut))
        while subject.state.phase != .asking {
            guard let deadline = subject.state.deadline else { return }
            subject.now = deadline
            _ = subject.on(.tick)
        }
        #expect(subject.state.deadline == end)
        subject.now = end
        #expect(subject.on(.tick) == .init(isChanged: true))
        #expect(subject.state.data == nil && subject.state.deadline == nil)
    }

    @Test(
        "what servers say is gone goes sooner by default, counted from when they first said it",
        arguments: absences)
    func staleAbsence(absence: Answer) {
        var subject = Subject()
        _ = subject.answer(.found(Self.one, ttl: 60))
        _ = subject.answer(.failed(.timedOut))
        _ = subject.answer(absence)
        let end = subject.now + LookupSettings.staleWhileAbsentMaxDefault
        var sawFailure = false
        while subject.state.data != nil {
            subject.now = min(subject.state.deadline ?? end, end)
            let action = subject.on(.tick)
            // A failure in between does not start it anew.
            if action.asks { subject.on(.answered(sawFailure ? absence : .failed(.code(2)))) }
            sawFailure = true
        }
        #expect(subject.now == end)
    }

    @Test("an answer that comes late is used until the next verdict, however old it is")
    func lateAnswer() {
        var subject = Subject { $0.staleMax = 0 }
        _ = subject.answer(.found(Self.one, ttl: 60))
        subject.now += 1_000_000
        #expect(subject.on(.tick) == .init(asks: true))
        #expect(subject.state.data == Self.one)
        #expect(subject.on(.answered(.failed(.timedOut))) == .init(isChanged: true))
        #expect(subject.state.data == nil)
    }

    @Test("a service that is decidedly not available is gone at once")
    func noService() {
        var subject = Subject()
        let record = ServiceRecord(priority: 0, weight: 0, port: 1, target: .root)
        _ = subject.answer(.found(.services([record]), ttl: 60))
        #expect(subject.answer(.found(.services([]), ttl: 60)).isChanged)
        #expect(subject.state.data == .services([]))
    }

    @Test("an answer that nobody asked for is taken, and moves the next question")
    func unasked() {
        var subject = Subject()
        #expect(subject.on(.answered(.found(Self.one, ttl: 60))) == .init(isChanged: true))
        #expect(subject.pause.map { $0 >= 60_000 } == true)
    }

    @Test("what went wrong stays to be seen, and when")
    func trouble() {
        var subject = Subject()
        _ = subject.answer(.failed(.code(5)))
        let then = subject.now
        _ = subject.answer(.found(Self.one, ttl: 60))
        #expect(subject.state.trouble == .failed(.code(5)))
        #expect(subject.state.troubledAt == then)
        #expect(subject.state.answeredAt == subject.now)
        #expect(subject.state.failureCount == 0)
    }
}
