import CLinux
import Discovery
import Glibc
import Primitives
import Routing
import Synchronization

/// What it costs a worker to pick an endpoint, and the keeper to replace a set of them. In one
/// process, without a network.
enum Picks {
    /// Set by one thread, read by another.
    private final class Flag: Sendable {
        private let value = Atomic<Bool>(false)

        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }

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
        for replacements in [0, 200] {
            let (longest, late) = gaps(of: 10_000, replacements: replacements)
            print(
                "round robin, 10,000 endpoints replaced \(replacements) times in 2 s: longest gap "
                    + "between two picks \(longest / 1_000) us, \(late) over 100 us")
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

    /// What a worker that picks all the time notices of sets that another thread replaces: the
    /// longest time between two picks, in nanoseconds, and how many times were over 100
    /// microseconds. The machine itself interrupts too: compare with no replacements.
    private static func gaps(of count: Int, replacements: Int) -> (longest: UInt64, late: Int) {
        let quiescence = Quiescence(readers: 1)
        let cluster = ClusterEndpoints(
            plan(.roundRobin), candidates(0..<count), quiescence: quiescence)
        let sets = [candidates(1...count), candidates(0..<count)]
        let isOver = Flag()
        do throws(Errno) {
            try PosixThread.start(name: "replaces") {
                let pause = second * 2 / UInt64(max(replacements, 1))
                let start = apus_monotonic()
                for number in 1...max(replacements, 1) {
                    if replacements > 0 { cluster.replace(sets[number % 2]) }
                    while apus_monotonic() < start + UInt64(number) * pause { usleep(100) }
                }
                isOver.set()
            }
        } catch {
            fatalError("no thread: \(error)")
        }
        let reader = quiescence.reader(0)
        reader.wake()
        var turn = EndpointTurn(seed: 1)
        var (longest, late) = (UInt64(0), 0)
        var before = apus_monotonic()
        while !isOver.isSet {
            guard cluster.pick(&turn, hash: nil) != nil else { fatalError("there are endpoints") }
            reader.pass()
            let now = apus_monotonic()
            longest = max(longest, now - before)
            if now - before > 100_000 { late += 1 }
            before = now
        }
        reader.sleep()
        return (longest, late)
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
