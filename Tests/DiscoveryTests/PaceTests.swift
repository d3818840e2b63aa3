import Routing
import Testing

@testable import Discovery

@Suite("The pace of departures")
struct PaceTests {
    @Test("nobody leaves, or all at once, where no rate is given")
    func unbounded() {
        #expect(Pace(DeparturePlan()).take(now: 5) == .never)
        let all = Pace(DeparturePlan(endsConnections: true))
        for _ in 0..<1_000 { #expect(all.take(now: 5) == .now) }
        #expect(Pace(TierPlan()).take(now: 5) == .never)
    }

    @Test("as many leave in a second as may", arguments: [1 as UInt32, 7, 100, 5_000])
    func rate(_ perSecond: UInt32) {
        let pace = Pace(DeparturePlan(endsConnections: true, perSecond: perSecond))
        let start: UInt64 = 77_000_000_000
        let tick: UInt64 = 8_388_608
        var count = 0
        for number in 0..<UInt64(10 * 119) {
            while pace.take(now: start + number * tick) == .now { count += 1 }
        }
        // Ten seconds less a tick, and what a search may be ahead.
        let expected = Double(perSecond) * 9.98
        #expect(Double(count) >= expected - 1)
        #expect(Double(count) <= expected + Double(perSecond) / 20 + 2)
    }
}
