import Primitives
import Routing
import Testing

@testable import Engine

struct RosterTests {
    private static func listener(_ backends: [WeightedBackend]?) -> ListenerState {
        ListenerState(
            ListenerPlan(
                name: "default/gateway/tcp", addresses: [], transport: .tcp(TCPListenerPlan()),
                route: backends.map { RoutePlan(name: "TCPRoute/default/r", backends: $0) }))
    }

    @Test("each cluster gets its weight, and an invalid reference its share of refusals")
    func weights() {
        var listener = Self.listener([
            WeightedBackend(cluster: 4, weight: 3), WeightedBackend(cluster: nil, weight: 2),
            WeightedBackend(cluster: 9, weight: 1), WeightedBackend(cluster: 5, weight: 0),
        ])
        var clusters: [Int: Int] = [:]
        var refusals = 0
        for _ in 0..<600 {
            switch listener.pick() {
            case .cluster(let cluster): clusters[cluster, default: 0] += 1
            case .refusal(let reason):
                #expect(reason == .noEndpoint)
                refusals += 1
            }
        }
        #expect(clusters == [4: 300, 9: 100])
        #expect(refusals == 200)
    }

    @Test("without a route or without weights everybody is refused, each for its own reason")
    func refusals() {
        var unrouted = Self.listener(nil)
        guard case .refusal(.noRoute) = unrouted.pick() else {
            Issue.record("no route is a reason of its own")
            return
        }
        var weightless = Self.listener([WeightedBackend(cluster: 0, weight: 0)])
        guard case .refusal(.noEndpoint) = weightless.pick() else {
            Issue.record("a weight of 0 gets nothing")
            return
        }
    }

    @Test(
        "a time-out in ticks is never early, and late by less than a tick",
        arguments: [0, 1, 8, 9, 100, 1_000, 15_000, 3_600_000, UInt32.max])
    func ticks(milliseconds: UInt32) {
        let count = Tick.count(milliseconds: milliseconds)
        let wanted = UInt64(milliseconds) * 1_000_000
        #expect(Tick.nanoseconds(count) >= wanted)
        #expect(count == 0 || Tick.nanoseconds(count - 1) < wanted)
    }

    @Test("a tick is 2^23 nanoseconds, and the clock's place in it is dropped")
    func tick() {
        #expect(Tick.nanoseconds(1) == 8_388_608)
        #expect(Tick.at(nanoseconds: 8_388_607) == 0)
        #expect(Tick.at(nanoseconds: 8_388_608) == 1)
        #expect(Tick.at(nanoseconds: Tick.nanoseconds(12_345)) == 12_345)
    }
}
