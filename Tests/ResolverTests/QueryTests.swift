import Primitives
import Testing
import Traffic
import Wire

@testable import Resolver

@Suite("A question on its way")
struct QueryTests {
    private static func names(_ texts: String...) -> [DNSName] {
        texts.compactMap { DNSName($0) }
    }

    private static let found = Answer.found(.addresses([.of("192.0.2.1")]), ttl: 60)
    private static let missing = Answer.absent(isNameMissing: true, ttl: nil)
    private static let empty = Answer.absent(isNameMissing: false, ttl: nil)

    /// The attempts that a query makes, as `name@server`, and what it came to.
    private func run(
        _ query: Query, _ answer: (Query.Attempt) -> Answer
    ) -> (attempts: [String], Answer) {
        var query = query
        var step = query.start()
        var attempts: [String] = []
        while true {
            switch step {
            case .finished(let answer): return (attempts, answer)
            case .ask(let attempt):
                attempts.append("\(attempt.name)@\(attempt.server)")
                step = query.on(answer(attempt))
            }
        }
    }

    @Test("every server is asked in its order, as often as is allowed")
    func rounds() {
        let query = Query(names: Self.names("a"), order: [1, 0], roundsMax: 2)
        let silence = run(query) { _ in .failed(.timedOut) }
        #expect(silence == (["a@1", "a@0", "a@1", "a@0"], .failed(.timedOut)))
        let second = run(query) { $0.server == 0 ? Self.found : .failed(.code(2)) }
        #expect(second == (["a@1", "a@0"], Self.found))
    }

    @Test("what a server decides is not asked of another", arguments: [found, missing, empty])
    func decided(answer: Answer) {
        let query = Query(names: Self.names("a"), order: [0, 1], roundsMax: 2)
        #expect(run(query) { _ in answer } == (["a@0"], answer))
    }

    @Test("the next name of a search list is tried when one does not exist")
    func search() {
        let query = Query(names: Self.names("a.x", "a.y", "a"), order: [0], roundsMax: 1)
        let last = run(query) { $0.name.description == "a" ? Self.found : Self.missing }
        #expect(last == (["a.x@0", "a.y@0", "a@0"], Self.found))
        #expect(run(query) { _ in Self.missing } == (["a.x@0", "a.y@0", "a@0"], Self.missing))
    }

    @Test("a name that exists without such a record ends the search")
    func emptyEnds() {
        let query = Query(names: Self.names("a.x", "a"), order: [0], roundsMax: 1)
        #expect(run(query) { _ in Self.empty } == (["a.x@0"], Self.empty))
    }

    @Test("a failure for one name lets the others be tried, and weighs more than their absence")
    func failureOnTheWay() {
        let query = Query(names: Self.names("a.x", "a"), order: [0], roundsMax: 1)
        let absent = run(query) {
            $0.name.description == "a" ? Self.missing : .failed(.code(2))
        }
        #expect(absent == (["a.x@0", "a@0"], .failed(.code(2))))
        let present = run(query) { $0.name.description == "a" ? Self.found : .failed(.code(2)) }
        #expect(present == (["a.x@0", "a@0"], Self.found))
    }

    @Test("silence ends the search", arguments: [LookupFailure.timedOut, .unreachable])
    func silenceEnds(failure: LookupFailure) {
        let query = Query(names: Self.names("a.x", "a"), order: [0], roundsMax: 1)
        #expect(run(query) { _ in .failed(failure) } == (["a.x@0"], .failed(failure)))
    }

    @Test("a server that failed is asked after the others for half a minute")
    func troubledServer() {
        var group = ServerGroup(
            ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map { .ip(.of($0), port: 53) })
        #expect(group.order(now: 0) == [0, 1, 2])
        group.note(0, isWell: false, now: 5)
        #expect(group.order(now: 6) == [1, 2, 0])
        #expect(group.order(now: 5 + ServerGroup.troubleMilliseconds) == [0, 1, 2])
        group.note(1, isWell: false, now: 50_000)
        group.note(1, isWell: true, now: 50_001)
        #expect(group.order(now: 50_002) == [0, 1, 2])
    }

    @Test("servers take turns where the system says so")
    func rotation() {
        var group = ServerGroup(
            ["192.0.2.1", "192.0.2.2"].map { .ip(.of($0), port: 53) }, rotates: true)
        #expect((0..<3).map { _ in group.order(now: 0) } == [[0, 1], [1, 0], [0, 1]])
    }

    // MARK: Scheduler

    @Test("no more queries go than the limits, in all and to a group, and every one goes once")
    func bounds() {
        var random = SeededRandom(seed: 11)
        var scheduler = QueryScheduler(flyingMax: 8, flyingPerGroupMax: 5)
        var flying: [Int] = []
        var seen: Set<Int> = []
        let count = 3_000
        for query in 0..<count { scheduler.add(query, group: query % 3) }
        #expect(scheduler.waitingCount == count)
        while true {
            while let query = scheduler.next() {
                #expect(seen.insert(query).inserted)
                flying.append(query)
            }
            #expect(scheduler.flyingCount == flying.count && flying.count <= 8)
            for group in 0..<3 { #expect(flying.count { $0 % 3 == group } <= 5) }
            guard let place = flying.indices.randomElement(using: &random) else { break }
            scheduler.finish(group: flying.remove(at: place) % 3)
        }
        #expect(seen.count == count && scheduler.waitingCount == 0)
    }

    @Test("a group that never answers takes its share and no more")
    func fairness() {
        var scheduler = QueryScheduler(flyingMax: 4, flyingPerGroupMax: 3)
        for query in 0..<100 { scheduler.add(query, group: 0) }
        for query in 100..<110 { scheduler.add(query, group: 1) }
        var good = 0
        while let query = scheduler.next() {
            guard query >= 100 else { continue }
            good += 1
            scheduler.finish(group: 1)
        }
        #expect(good == 10)
        #expect(scheduler.flyingCount == 3)
    }
}
