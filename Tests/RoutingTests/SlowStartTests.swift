import Testing

@testable import Routing

@Suite("Slow start")
struct SlowStartTests {
    private static let second: UInt64 = 1_000_000_000

    @Test(
        "it is there for the balancers whose turns have weights",
        arguments: [
            (LoadBalancerPlan.Kind.roundRobin, true), (.leastRequest, true), (.random, false),
            (.consistentHash(.sourceAddress), false),
        ])
    func kinds(_ kind: LoadBalancerPlan.Kind, _ isThere: Bool) {
        let plan = LoadBalancerPlan(kind: kind, slowStartMilliseconds: 10_000)
        #expect((SlowStart(plan) != nil) == isThere)
        #expect(SlowStart(LoadBalancerPlan(kind: kind)) == nil)
        #expect(SlowStart(LoadBalancerPlan(kind: kind, slowStartMilliseconds: 0)) == nil)
    }

    @Test("the share grows from a tenth to the whole, step by step")
    func growth() throws {
        let plan = LoadBalancerPlan(slowStartMilliseconds: 10_000)
        let start = try #require(SlowStart(plan))
        let table: [(seconds: UInt64, share: UInt64)] = [
            (0, 100), (1, 100), (2, 200), (5, 500), (9, 900), (10, 1_000), (60, 1_000),
        ]
        for (seconds, share) in table {
            let found = start.share(since: 7, now: 7 + seconds * Self.second)
            #expect(found == share, "after \(seconds) s")
        }
        var now: UInt64 = 7
        var shares: [UInt64] = []
        while let next = start.next(since: 7, now: now) {
            #expect(next > now)
            now = next
            shares.append(start.share(since: 7, now: now))
        }
        #expect(shares.count == 20)
        #expect(shares == shares.sorted())
        #expect(shares.last == SlowStart.whole)
    }
}
