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
        var clusters: [UInt32: Int] = [:]
        var refusals = 0
        for _ in 0..<600 {
            switch listener.pick(ListenerState.onlyRoute) {
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
        guard case .refusal(.noRoute) = unrouted.pick(ListenerState.onlyRoute) else {
            Issue.record("no route is a reason of its own")
            return
        }
        var weightless = Self.listener([WeightedBackend(cluster: 0, weight: 0)])
        guard case .refusal(.noEndpoint) = weightless.pick(ListenerState.onlyRoute) else {
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

/// From one plan to the next, with made-up descriptors: a roster does nothing with them.
@Suite("Roster under new plans")
struct RosterPlanTests {
    private static func cluster(_ port: UInt16) -> ClusterPlan {
        ClusterPlan(
            name: "default/b", route: "TCPRoute/default/r",
            endpoints: [.ip(.loopbackIPv4, port: port)])
    }

    private static func plan(_ listenerPorts: [UInt16], to clusterPorts: [UInt16]) -> Plan {
        let backends = clusterPorts.indices.map { WeightedBackend(cluster: $0, weight: 1) }
        return Plan(
            listeners: listenerPorts.map { port in
                ListenerPlan(
                    name: "default/g/\(port)", addresses: [.ip(.loopbackIPv4, port: port)],
                    transport: .tcp(TCPListenerPlan(connectionsMax: 9)),
                    route: RoutePlan(name: "TCPRoute/default/r", backends: backends))
            }, clusters: clusterPorts.map(cluster))
    }

    private static func part(
        _ former: Int?, _ limit: ConnectionBudget?, _ socket: WorkerPlan.Socket
    ) -> WorkerPlan.Listener {
        WorkerPlan.Listener(former: former, limit: limit, sockets: [socket])
    }

    @Test("a listener and a cluster that go stay as long as a connection refers to them")
    func references() {
        var roster = Roster()
        let first = WorkerPlan(plan: Self.plan([80], to: [1]), sockets: [[10]])
        let opened = roster.take(first, departure: 0).opened
        let listener = UInt32(roster.sockets[opened[0]].pointee.listener)
        let owner = roster.listeners[listener]
        guard case .cluster(let cluster) = owner.pointee.pick(ListenerState.onlyRoute) else {
            Issue.record("the route leads to a cluster")
            return
        }
        owner.pointee.count += 1
        let state = roster.clusters[cluster]
        state.pointee.references += 1
        let second = WorkerPlan(
            plan: Self.plan([81], to: [2]),
            listeners: [Self.part(nil, nil, .opened(11, number: 2, isAgain: false))],
            clustersFormer: [nil], drainDeadline: 0)
        let change = roster.take(second, departure: 77)
        #expect(change.leaving == opened)
        roster.removeSocket(opened[0])
        #expect(roster.listeners[listener].pointee.departure == 77)
        #expect(roster.listeners.count == 2 && roster.clusters.count == 2)
        // The table may have grown, and moved.
        let place = roster.listeners[listener]
        place.pointee.count -= 1
        roster.releaseListener(listener)
        #expect(roster.listeners.count == 1)
        #expect(roster.clusters.count == 2, "the connection still has its cluster")
        roster.releaseCluster(cluster)
        #expect(roster.clusters.count == 1 && roster.leavingCount == 0)
    }

    @Test("a socket that was given up and is wanted again goes on, and the new one is not needed")
    func again() {
        var roster = Roster()
        let first = WorkerPlan(plan: Self.plan([80, 81], to: [1]), sockets: [[10], [11]])
        let opened = roster.take(first, departure: 0).opened
        let none = WorkerPlan(
            plan: Self.plan([80], to: [1]), listeners: [Self.part(0, nil, .kept(0))],
            clustersFormer: [0], drainDeadline: 0)
        #expect(roster.take(none, departure: 5).leaving == [opened[1]])
        let again = WorkerPlan(
            plan: Self.plan([80, 81], to: [1]),
            listeners: [
                Self.part(0, nil, .kept(0)),
                Self.part(nil, nil, .opened(12, number: 2, isAgain: true)),
            ], clustersFormer: [0], drainDeadline: 0)
        let change = roster.take(again, departure: 6)
        #expect(change.superfluous == [12])
        #expect(change.opened == [opened[1]])
        #expect(roster.leavingCount == 0)
        #expect(roster.sockets[opened[1]].pointee.descriptor == 11)
        #expect(roster.listeners.count == 2, "the listener that had gone had nothing left")
    }

    @Test("connections that are there count towards a limit that is new or another's")
    func limits() {
        var roster = Roster()
        let former = ConnectionBudget(countMax: 9)
        let listener = Self.part(nil, former, .opened(10, number: 1, isAgain: false))
        let opened = roster.take(
            WorkerPlan(
                plan: Self.plan([80], to: [1]), listeners: [listener], clustersFormer: [nil],
                drainDeadline: 0), departure: 0
        ).opened
        let index = UInt32(roster.sockets[opened[0]].pointee.listener)
        #expect(former.take() && former.take())
        roster.listeners[index].pointee.count = 2
        for limit in [nil, ConnectionBudget(countMax: 3)] {
            let next = WorkerPlan(
                plan: Self.plan([80], to: [1]), listeners: [Self.part(0, limit, .kept(0))],
                clustersFormer: [0], drainDeadline: 0)
            _ = roster.take(next, departure: 0)
            #expect(former.countInUse == 0)
            #expect(limit?.countInUse ?? 2 == 2)
        }
    }

    @Test("after ten thousand plans the tables are as large as after two")
    func constant() {
        var roster = Roster()
        _ = roster.take(
            WorkerPlan(plan: Self.plan([80, 81], to: [1, 2]), sockets: [[10], [11]]), departure: 0)
        for turn in 0..<UInt16(10_000) {
            let next = WorkerPlan(
                plan: Self.plan([80, 1_000 + turn], to: [1, 1_000 + turn]),
                listeners: [
                    Self.part(0, nil, .kept(0)),
                    Self.part(nil, nil, .opened(11, number: UInt64(turn) + 3, isAgain: false)),
                ], clustersFormer: [0, nil], drainDeadline: 0)
            for index in roster.take(next, departure: 0).leaving { roster.removeSocket(index) }
        }
        #expect(roster.listeners.count == 2 && roster.clusters.count == 2)
        #expect(roster.sockets.count == 2 && roster.sockets.countPeak == 3)
        #expect(roster.clusters.first(from: 8) == nil, "the table never grew")
    }
}
