import Control
import Engine
import Primitives
import Routing

@testable import Admin

/// A process as tests want it to look. A namespace.
enum Looks {
    static func address(_ port: UInt16) -> SocketAddress { .ip(.loopbackIPv4, port: port) }

    static func cluster(
        _ name: String,
        _ endpoints: [Snapshot.Endpoint], _ change: (inout ClusterPlan) -> Void = { _ in }
    ) -> Snapshot.Cluster {
        var plan = ClusterPlan(
            name: "shop/cart", route: "TCPRoute/shop/front",
            tiers: [endpoints.map { EndpointPlan(.address($0.address)) }])
        change(&plan)
        return Snapshot.Cluster(name: name, plan: plan, endpoints: endpoints)
    }

    static func endpoint(
        _ address: SocketAddress, _ change: (inout Snapshot.Endpoint) -> Void = { _ in }
    ) -> Snapshot.Endpoint {
        var endpoint = Snapshot.Endpoint(address)
        change(&endpoint)
        return endpoint
    }

    /// One that serves, one that is ejected, and one behind a Unix socket in the next tier.
    static let cart = cluster(
        "tcproute/shop/front/backend/shop/cart",
        [
            endpoint(address(1)) {
                ($0.live, $0.led, $0.zone, $0.hostname) = (2, 10, "a", "cart.test")
            },
            endpoint(address(2)) {
                ($0.led, $0.failures, $0.ejections, $0.weight) = (5, 4, 1, 3)
                ($0.state, $0.flags) = (.ejected, [.failedOutlierCheck])
                ($0.why, $0.returnsMilliseconds) = ("failed connects; tried again in 3 s", 2_500)
            },
            endpoint(.unix(path: "/run/a")) {
                ($0.tier, $0.state, $0.why) = (1, .standby, "a tier before it serves")
            },
        ])

    static func snapshot(
        _ clusters: [Snapshot.Cluster] = [cart], state: Insight.State = .live
    ) -> Snapshot {
        var totals = Statistics.Values()
        totals[.connectionsAccepted] = 12
        totals[.connectionsLive] = 2
        totals[.clientReset] = 3
        return Snapshot(
            version: "1.2", state: state, uptimeMilliseconds: 61_900, workerCount: 4,
            connectionsMax: 100, totals: totals,
            listeners: [
                .init(
                    name: "shop/edge/tcp", isDatagram: false,
                    addresses: [address(80), .unix(path: "/run/l")], route: "TCPRoute/shop/front"),
                .init(name: "shop/edge/udp", isDatagram: true, addresses: [address(53)]),
            ],
            clusters: clusters, settings: [("concurrency", "4"), ("log_level", "info")])
    }

    static func pages(
        _ snapshot: Snapshot = snapshot(), at address: SocketAddress = address(19_000)
    ) -> Pages {
        Pages(
            hosts: HostRule(address: address), state: { snapshot.state }, snapshot: { snapshot },
            names: { nil }, checks: { nil })
    }

    /// What a GET gets.
    static func get(_ target: String, _ pages: Pages = pages()) -> Response {
        let head = RequestHead(method: "GET", target: target, host: "localhost")
        return pages.answer(head, local: nil)
    }
}
