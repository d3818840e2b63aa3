import CLinux
import Discovery
import Primitives
import Routing

/// What it costs a worker to pick an endpoint, and the keeper to replace a set of them. In one
/// process, without a network.
enum Picks {
    private static let picks = 5_000_000
    private static let rounds = 5
    private static let second: UInt64 = 1_000_000_000

    static func run() {
        let kinds: [(String, LoadBalancerPlan.Kind)] = [
            ("round robin", .roundRobin), ("least request", .leastRequest), ("random", .random),
            ("consistent hash", .consistentHash(.sourceAddress)),
        ]
        for (name, kind) in kinds {
            let best = (0..<rounds).map { _ in pick(kind, of: 1_000) }.min() ?? 0
            print("\(name), 1,000 endpoints: \(tenths(best)) ns a pick")
        }
        for (name, kind) in kinds {
            let best = (0..<rounds).map { _ in replace(kind, of: 10_000) }.min() ?? 0
            print("\(name), one of 10,000 endpoints replaced: \(best / 1_000) us")
        }
    }

    private static func tenths(_ number: Double) -> Double { (number * 10).rounded() / 10 }

    private static func plan(_ kind: LoadBalancerPlan.Kind) -> ClusterPlan {
        var plan = ClusterPlan(name: "default/b", route: "TCPRoute/default/r", endpoints: [])
        plan.loadBalancer.kind = kind
        return plan
    }

    private static func candidates(
        _ numbers: some Sequence<Int>
    ) -> [[ClusterEndpoints.Candidate]] {
        [
            numbers.map { number in
                let address = SocketAddress.ip(
                    IPAddress(v4: 0x0a00_0000 + UInt32(number)), port: 80)
                return .init(EndpointPlan(.address(address)), at: address)
            }
        ]
    }

    /// Nanoseconds; the client is counted at its endpoint and leaves it again.
    private static func pick(_ kind: LoadBalancerPlan.Kind, of count: Int) -> Double {
        let cluster = ClusterEndpoints(
            plan(kind), candidates(0..<count), quiescence: Quiescence(readers: 0))
        var turn = EndpointTurn(seed: 1)
        var hash: UInt64 = 1
        let start = apus_monotonic()
        for _ in 0..<picks {
            hash = hash &* 6_364_136_223_846_793_005 &+ 1
            guard let endpoint = cluster.pick(&turn, hash: hash).flatMap(cluster.take) else {
                fatalError("there are endpoints")
            }
            endpoint._withUnsafeGuaranteedRef { $0.give() }
        }
        return Double(apus_monotonic() - start) / Double(picks)
    }

    /// Nanoseconds, from the call until workers pick from the new set.
    private static func replace(_ kind: LoadBalancerPlan.Kind, of count: Int) -> UInt64 {
        let cluster = ClusterEndpoints(
            plan(kind), candidates(0..<count), quiescence: Quiescence(readers: 0))
        let after = candidates(1...count)
        let start = apus_monotonic()
        cluster.replace(after)
        return apus_monotonic() - start
    }
}
