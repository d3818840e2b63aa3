import Primitives
import Routing
import Testing

@testable import Discovery

@Suite("Endpoints of a cluster")
struct ClusterEndpointsTests {
    static func address(_ number: Int) -> SocketAddress {
        .ip(IPAddress(v4: 0x0a00_0000 + UInt32(number)), port: 80)
    }

    static func plan(_ tiers: [[Int]], _ kind: LoadBalancerPlan.Kind = .roundRobin) -> ClusterPlan {
        var plan = ClusterPlan(
            name: "default/b", route: "TCPRoute/default/r",
            tiers: tiers.map { $0.map { EndpointPlan(.address(address($0))) } })
        plan.loadBalancer.kind = kind
        plan.tierChange.failoverBelowPercents = [0]
        return plan
    }

    static func candidates(_ tiers: [[Int]]) -> [[ClusterEndpoints.Candidate]] {
        tiers.map { tier in
            tier.map { .init(EndpointPlan(.address(address($0))), at: address($0)) }
        }
    }

    static func number(_ endpoint: Unmanaged<Endpoint>?) -> Int? {
        guard case .ip(let ip, _)? = endpoint?.takeUnretainedValue().socketAddress else {
            return nil
        }
        return Int(ip.v4 & 0xff_ffff)
    }

    private func picks(_ cluster: ClusterEndpoints, _ count: Int, seed: UInt64 = 0) -> [Int?] {
        var turn = EndpointTurn(seed: seed)
        return (0..<count).map { _ in Self.number(cluster.pick(&turn, hash: nil)) }
    }

    private func fail(_ cluster: ClusterEndpoints, _ number: Int, times: Int) {
        var turn = EndpointTurn(seed: 0)
        for _ in 0..<cluster.count {
            guard let endpoint = cluster.pick(&turn, hash: nil) else { return }
            guard Self.number(endpoint) == number else { continue }
            for _ in 0..<times { cluster.noteFailure(of: endpoint.takeUnretainedValue()) }
            return
        }
    }

    @Test("they take turns, and the first tier serves alone")
    func turns() {
        let cluster = ClusterEndpoints(
            Self.plan([[1, 2, 3], [4]]), quiescence: Quiescence(readers: 0))
        #expect(picks(cluster, 5) == [1, 2, 3, 1, 2])
        let none = ClusterEndpoints(Self.plan([[]]), quiescence: Quiescence(readers: 0))
        #expect(picks(none, 1) == [nil])
    }

    @Test("after a failure come the others of the tier, then the tiers after it, then nobody")
    func next() throws {
        let cluster = ClusterEndpoints(
            Self.plan([[1, 2, 3], [4], [5, 6]]), quiescence: Quiescence(readers: 0))
        var turn = EndpointTurn(seed: 0)
        _ = cluster.pick(&turn, hash: nil)
        var failed = try #require(cluster.pick(&turn, hash: nil)).takeUnretainedValue()
        var tried = TriedEndpoints()
        var order: [Int?] = []
        for _ in 0..<6 {
            tried.insert(failed)
            let next = cluster.takeNext(after: failed, tried: tried)
            order.append(Self.number(next))
            guard let next else { break }
            failed = next.takeUnretainedValue()
        }
        #expect(order == [3, 1, 4, 5, 6, nil])
    }

    @Test("who fails is left out, and comes back when its time is over")
    func ejection() throws {
        let attention = try EndpointAttention()
        let cluster = ClusterEndpoints(
            Self.plan([[1, 2, 3], [4]]), quiescence: Quiescence(readers: 0), attention: attention)
        fail(cluster, 2, times: 2)
        #expect(cluster.review(now: 1_000) == nil)
        #expect(picks(cluster, 3) == [1, 2, 3])
        fail(cluster, 2, times: 1)
        #expect(cluster.review(now: 1_000) == 10_000_001_000)
        #expect(picks(cluster, 3) == [1, 3, 1])
        #expect(cluster.statuses.map(\.returns) == [nil, 10_000_001_000, nil, nil])
        #expect(cluster.statuses.map(\.failures) == [0, 3, 0, 0])
        #expect(cluster.review(now: 10_000_000_999) == 10_000_001_000)
        #expect(cluster.review(now: 10_000_001_000) == nil)
        #expect(picks(cluster, 3) == [1, 2, 3])
    }

    @Test("when a whole tier is left out the next one serves, and the last is tried in any case")
    func tiers() throws {
        let cluster = ClusterEndpoints(
            Self.plan([[1, 2], [3]]), quiescence: Quiescence(readers: 0),
            attention: try EndpointAttention())
        for number in [1, 2] { fail(cluster, number, times: 3) }
        _ = cluster.review(now: 1)
        #expect(picks(cluster, 2) == [3, 3])
        fail(cluster, 3, times: 3)
        _ = cluster.review(now: 2)
        #expect(picks(cluster, 3) == [1, 2, 1], "nobody is known to be well")
    }

    @Test("who is left out is tried when all others have failed, and comes back when it answers")
    func lastResort() throws {
        let cluster = ClusterEndpoints(
            Self.plan([[1, 2], [3]]), quiescence: Quiescence(readers: 0),
            attention: try EndpointAttention())
        fail(cluster, 1, times: 3)
        _ = cluster.review(now: 1)
        #expect(picks(cluster, 2) == [2, 2])
        var turn = EndpointTurn(seed: 0)
        var failed = try #require(cluster.pick(&turn, hash: nil)).takeUnretainedValue()
        var tried = TriedEndpoints()
        var order: [Int?] = []
        for _ in 0..<3 {
            tried.insert(failed)
            let next = cluster.takeNext(after: failed, tried: tried)
            order.append(Self.number(next))
            if let next { failed = next.takeUnretainedValue() }
        }
        #expect(order == [3, 1, nil])
        cluster.noteSuccess(of: failed)
        _ = cluster.review(now: 2)
        #expect(picks(cluster, 2) == [1, 2])
    }

    @Test("a change keeps those that stay, with their failures and what they serve")
    func identity() throws {
        let quiescence = Quiescence(readers: 0)
        let cluster = ClusterEndpoints(
            Self.plan([[1, 2, 3]]), quiescence: quiescence, attention: try EndpointAttention())
        var turn = EndpointTurn(seed: 0)
        let first = try #require(cluster.pick(&turn, hash: nil)).takeUnretainedValue()
        first.take()
        fail(cluster, 3, times: 3)
        _ = cluster.review(now: 1)
        cluster.replace(Self.candidates([[4, 3], [1]]))
        #expect(cluster.statuses.map(\.live) == [0, 0, 1])
        #expect(cluster.statuses.map(\.ejections) == [0, 1, 0])
        #expect(picks(cluster, 2) == [4, 4])
        let reloaded = ClusterEndpoints(
            Self.plan([[1, 9], [3]], .leastRequest), quiescence: quiescence, former: cluster)
        #expect(reloaded.statuses.map(\.live) == [1, 0, 0])
        #expect(reloaded.statuses.map { $0.returns != nil } == [false, false, true])
        first.give()
        #expect(cluster.statuses.map(\.live) == [0, 0, 0])
    }

    @Test("the less busy of two is taken, by what all workers have")
    func leastRequest() throws {
        let cluster = ClusterEndpoints(
            Self.plan([Array(1...10)], .leastRequest), quiescence: Quiescence(readers: 0))
        var turns = (1...4).map { EndpointTurn(seed: $0) }
        for pick in 0..<1_000 {
            let endpoint = cluster.pick(&turns[pick % turns.count], hash: nil)
            try #require(endpoint).takeUnretainedValue().take()
        }
        let live = cluster.statuses.map(\.live)
        #expect(live.reduce(0, +) == 1_000)
        #expect(try #require(live.max()) - (try #require(live.min())) <= 6, "\(live)")
    }

    @Test("random picks fall evenly")
    func random() {
        let cluster = ClusterEndpoints(
            Self.plan([Array(1...10)], .random), quiescence: Quiescence(readers: 0))
        let counts = Dictionary(grouping: picks(cluster, 100_000, seed: 3), by: \.self)
            .mapValues(\.count)
        #expect(counts.count == 10)
        #expect(counts.values.allSatisfy { abs($0 - 10_000) < 500 })
    }

    @Test("a client keeps its endpoint, and most keep it when one goes")
    func hashed() throws {
        let cluster = ClusterEndpoints(
            Self.plan([Array(1...10)], .consistentHash(.sourceAddress)),
            quiescence: Quiescence(readers: 0))
        var turn = EndpointTurn(seed: 1)
        func all() -> [Int?] {
            (0..<2_000).map { client in
                let hash = ConsistentHash.hash(IPAddress(v4: UInt32(client)))
                return Self.number(cluster.pick(&turn, hash: hash))
            }
        }
        let before = all()
        #expect(all() == before)
        cluster.replace(Self.candidates([Array(2...10)]))
        let moved = zip(before, all()).count { $0 != $1 && $0 != 1 }
        #expect(moved < 200, "\(moved) moved without need")
    }

    @Test("shares of tiers become shares of picks")
    func shares() throws {
        var plan = Self.plan([Array(1...10), [11, 12]])
        plan.tierChange.failoverBelowPercents = [72]
        let attention = try EndpointAttention()
        let cluster = ClusterEndpoints(
            plan, quiescence: Quiescence(readers: 0), attention: attention)
        for number in 1...5 {
            fail(cluster, number, times: 3)
            _ = cluster.review(now: 1)
        }
        let found = picks(cluster, 100_000)
        let first = found.count { ($0 ?? 0) <= 10 }
        // 50 of 72 in a hundred.
        #expect(abs(first - 69_000) < 100, "\(first)")
        #expect(Set(found) == [6, 7, 8, 9, 10, 11, 12])
    }
}
