import Primitives
import Routing
import Testing

@testable import Control

@Suite("Plan change")
struct PlanChangeTests {
    private static func cluster(_ name: String, port: UInt16 = 1) -> ClusterPlan {
        ClusterPlan(
            name: name, route: "TCPRoute/default/r", endpoints: [.ip(.loopbackIPv4, port: port)])
    }

    private static func listener(_ name: String, to cluster: Int?) -> ListenerPlan {
        ListenerPlan(
            name: name, addresses: [.ip(.loopbackIPv4, port: 80)],
            transport: .tcp(TCPListenerPlan()),
            route: RoutePlan(
                name: "TCPRoute/default/r", backends: [WeightedBackend(cluster: cluster, weight: 1)]
            )
        )
    }

    @Test("where a cluster stands in its plan is no change")
    func order() {
        let old = Plan(
            listeners: [Self.listener("a", to: 0)],
            clusters: [Self.cluster("x"), Self.cluster("y")])
        let new = Plan(
            listeners: [Self.listener("a", to: 1)],
            clusters: [Self.cluster("y"), Self.cluster("x")])
        let change = PlanChange(from: old, to: new)
        #expect(change == PlanChange(from: old, to: old))
        #expect(PlanChange.formerClusters(of: new, in: old) == [1, 0])
    }

    @Test("what came, went and changed is counted by name")
    func tally() {
        let old = Plan(
            listeners: [Self.listener("a", to: 0), Self.listener("b", to: 1)],
            clusters: [Self.cluster("x"), Self.cluster("y")])
        let new = Plan(
            listeners: [Self.listener("a", to: 1), Self.listener("c", to: 0)],
            clusters: [Self.cluster("x", port: 2), Self.cluster("z"), Self.cluster("w")])
        let change = PlanChange(from: old, to: new)
        #expect(change.listeners == PlanChange.Tally(added: 1, removed: 1, changed: 1))
        #expect(change.clusters == PlanChange.Tally(added: 2, removed: 1, changed: 1))
    }

    @Test("of equal clusters each goes on as one other")
    func equals() {
        let twice = Plan(clusters: [Self.cluster("x"), Self.cluster("x")])
        let thrice = Plan(clusters: [Self.cluster("x"), Self.cluster("x"), Self.cluster("x")])
        #expect(PlanChange.formerClusters(of: thrice, in: twice) == [0, 1, nil])
        #expect(PlanChange.formerClusters(of: twice, in: thrice) == [0, 1])
        let shifted = Plan(clusters: [Self.cluster("n"), Self.cluster("x")])
        #expect(PlanChange.formerClusters(of: shifted, in: twice) == [nil, 1])
    }
}
