import Discovery
import Health
import Primitives
import Routing
import TLS
import Testing

@testable import Control

@Suite("What can be seen of clusters")
struct SnapshotTests {
    private typealias State = Snapshot.EndpointState
    private static let second: UInt64 = 1_000_000_000
    private static let ill = HealthVerdict.unhealthy(.status(503, isRetriable: false))

    private static func address(_ port: UInt16) -> SocketAddress { .ip(.loopbackIPv4, port: port) }

    private static func plan(
        _ tiers: [[UInt16]], _ change: (inout ClusterPlan) -> Void = { _ in }
    ) -> ClusterPlan {
        var plan = ClusterPlan(
            name: "shop/cart", route: "TCPRoute/shop/front",
            tiers: tiers.map { $0.map { EndpointPlan(.address(address($0))) } })
        change(&plan)
        return plan
    }

    private static func checked(_ plan: inout ClusterPlan) {
        plan.healthCheck.active = .init(probe: .tcp(send: [], expect: []))
    }

    private static func cluster(_ plan: ClusterPlan) throws -> ClusterEndpoints {
        ClusterEndpoints(
            plan, quiescence: Quiescence(readers: 1), attention: try EndpointAttention(), now: 0)
    }

    private static func seen(_ cluster: ClusterEndpoints, now: UInt64 = 0) -> [Snapshot.Endpoint] {
        cluster.statuses.map { Snapshot.Endpoint($0, now: now) }
    }

    private static func note(
        _ cluster: ClusterEndpoints, _ verdicts: [HealthVerdict]
    ) throws {
        let checks = try cluster.statuses.map { try #require($0.check) }
        cluster.note(Dictionary(uniqueKeysWithValues: zip(checks, verdicts)), now: 0)
    }

    /// The one that is next in turn, counted in.
    private static func taken(_ cluster: ClusterEndpoints) throws -> Endpoint {
        var turn = EndpointTurn(seed: 0)
        let picked = try #require(cluster.pick(&turn, hash: nil))
        return try #require(cluster.take(picked)).takeUnretainedValue()
    }

    @Test("A cluster has its route's and its Backend's name, and a number from the second on")
    func names() {
        let plan = Self.plan([[1]])
        var bare = plan
        bare.route = ""
        #expect(
            Snapshot.Cluster.names(of: [plan, plan, bare, plan]) == [
                "tcproute/shop/front/backend/shop/cart",
                "tcproute/shop/front/backend/shop/cart/2", "//backend/shop/cart",
                "tcproute/shop/front/backend/shop/cart/3",
            ])
    }

    @Test("Who is well serves, and who is in a tier after it stands by")
    func tiers() throws {
        let seen = Self.seen(try Self.cluster(Self.plan([[1], [2]])))
        #expect(seen.map(\.state) == [.serving, .standby])
        #expect(seen.map(\.why) == [nil, "a tier before it serves"])
        #expect(seen.map(\.tier) == [0, 1])
        #expect(seen.allSatisfy { $0.isHealthy })
    }

    @Test("Checks tell who is well, who is not and why, and who is not known yet")
    func verdicts() throws {
        let cluster = try Self.cluster(Self.plan([[1, 2, 3]], Self.checked))
        #expect(Self.seen(cluster).map(\.state) == [.pending, .pending, .pending])
        try Self.note(cluster, [.healthy, .healthy, Self.ill])
        let seen = Self.seen(cluster)
        #expect(seen.map(\.state) == [.serving, .serving, .down])
        #expect(seen.map(\.why) == [nil, nil, "status 503"])
        #expect(seen.map(\.flags) == [[], [], [.failedActiveCheck]])
    }

    @Test("Where too few are well for the others to be left out, that is told")
    func panic() throws {
        let cluster = try Self.cluster(Self.plan([[1, 2]], Self.checked))
        try Self.note(cluster, [Self.ill, Self.ill])
        let why = "status 503; used all the same, as too few of its tier are well"
        #expect(Self.seen(cluster).map(\.why) == [why, why])
        #expect(Self.seen(cluster).map(\.state) == [.down, .down])
    }

    @Test("Who is left out after failed connects is told with its time, checks or not")
    func ejected() throws {
        for isChecked in [false, true] {
            let cluster = try Self.cluster(
                Self.plan([[1, 2, 3, 4]]) { if isChecked { Self.checked(&$0) } })
            if isChecked { try Self.note(cluster, Array(repeating: .healthy, count: 4)) }
            let endpoint = try Self.taken(cluster)
            for _ in 0..<3 { cluster.noteFailure(of: endpoint) }
            endpoint.give()
            _ = cluster.review(now: Self.second)
            let left = try #require(cluster.statuses.compactMap(\.returns).first)
            let now = left - 2_500_000_000
            let seen = try #require(Self.seen(cluster, now: now).first { !$0.isHealthy })
            #expect(seen.state == .ejected)
            #expect(seen.why == "failed connects; tried again in 3 s")
            #expect(seen.flags == [.failedOutlierCheck])
            #expect(seen.returnsMilliseconds == 2_500)
            #expect([seen.failures, UInt64(seen.ejections), seen.led] == [3, 1, 1])
            #expect(Self.seen(cluster, now: left + 1).compactMap(\.returnsMilliseconds) == [0])
            #expect(Self.seen(cluster).count(where: \.isHealthy) == 3)
        }
    }

    @Test("Why a handshake failed is told until a connect succeeds")
    func handshakes() throws {
        let cluster = try Self.cluster(Self.plan([[1]]))
        let endpoint = try Self.taken(cluster)
        endpoint.note(TLSFault(.certificateExpired))
        cluster.noteFailure(of: endpoint)
        let why = "its last handshake failed: the peer's certificate has expired"
        #expect(Self.seen(cluster).map(\.why) == [why])
        #expect(Self.seen(cluster).map(\.state) == [.serving])
        cluster.noteSuccess(of: endpoint)
        #expect(Self.seen(cluster).map(\.why) == [nil])
        endpoint.give()
    }

    @Test("Who has left is told of for as long as it serves somebody")
    func draining() throws {
        let cluster = try Self.cluster(Self.plan([[1]]))
        let endpoint = try Self.taken(cluster)
        cluster.replace([[.init(EndpointPlan(.address(Self.address(2))), at: Self.address(2))]])
        let seen = Self.seen(cluster)
        #expect(seen.map(\.address) == [Self.address(2), Self.address(1)])
        #expect(seen.map(\.state) == [.serving, .draining])
        #expect(seen[1].flags == [.pendingRemoval])
        #expect(seen[1].live == 1)
        endpoint.give()
        #expect(Self.seen(cluster).map(\.state) == [.serving])
    }
}
