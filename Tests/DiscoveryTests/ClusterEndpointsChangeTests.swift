import Primitives
import Routing
import Testing

@testable import Discovery

/// What of a cluster changes with time alone, and what its clients are told of it.
@Suite("Endpoints of a cluster, in time")
struct ClusterEndpointsChangeTests {
    private typealias Fixture = ClusterEndpointsTests
    private static let second: UInt64 = 1_000_000_000

    private func cluster(
        _ tiers: [[Int]], zone: String? = nil, _ change: (inout ClusterPlan) -> Void = { _ in }
    ) throws -> ClusterEndpoints {
        var plan = Fixture.plan(tiers)
        change(&plan)
        return ClusterEndpoints(
            plan, quiescence: Quiescence(readers: 0), attention: try EndpointAttention(),
            zone: zone, now: 0)
    }

    private func counts(_ cluster: ClusterEndpoints, of count: Int) -> [Int: Int] {
        var turn = EndpointTurn(seed: 0)
        return (0..<count).reduce(into: [:]) { counts, _ in
            if let number = Fixture.number(cluster.pick(&turn, hash: nil)) {
                counts[number, default: 0] += 1
            }
        }
    }

    private func fail(_ cluster: ClusterEndpoints, _ numbers: [Int], now: UInt64) throws {
        for number in numbers {
            let endpoint = try #require(member(cluster, number))
            for _ in 0..<3 { cluster.noteFailure(of: endpoint) }
        }
        _ = cluster.review(now: now)
    }

    private func member(_ cluster: ClusterEndpoints, _ number: Int) -> Endpoint? {
        var turn = EndpointTurn(seed: 0)
        for _ in 0..<cluster.count {
            let endpoint = cluster.pick(&turn, hash: nil)
            if Fixture.number(endpoint) == number { return endpoint?.takeUnretainedValue() }
        }
        return nil
    }

    @Test("one that comes late gets its share little by little, those of the start at once")
    func slowStart() throws {
        let cluster = try cluster([[1, 2]]) {
            $0.loadBalancer.slowStartMilliseconds = 10_000
        }
        #expect(counts(cluster, of: 100) == [1: 50, 2: 50])
        #expect(cluster.review(now: 0) == nil)
        cluster.replace(Fixture.candidates([[1, 2, 3]]), now: Self.second)
        #expect(counts(cluster, of: 210) == [1: 100, 2: 100, 3: 10])
        let next = cluster.review(now: Self.second)
        #expect(next == Self.second + Self.second / 2)
        _ = cluster.review(now: 6 * Self.second)
        #expect(counts(cluster, of: 250) == [1: 100, 2: 100, 3: 50])
        #expect(cluster.review(now: 11 * Self.second) == nil)
        #expect(counts(cluster, of: 300) == [1: 100, 2: 100, 3: 100])
    }

    @Test("one that comes back after it was left out begins slowly too")
    func slowReturn() throws {
        let cluster = try cluster([[1, 2]]) {
            $0.loadBalancer.slowStartMilliseconds = 10_000
        }
        try fail(cluster, [2], now: 0)
        #expect(counts(cluster, of: 10) == [1: 10])
        _ = cluster.review(now: 10 * Self.second)
        #expect(counts(cluster, of: 110) == [1: 100, 2: 10])
    }

    @Test("the endpoints of this process's zone are preferred")
    func zones() {
        var plan = Fixture.plan([[]])
        plan.tiers = [
            (1...6).map { number in
                EndpointPlan(
                    .address(Fixture.address(number)), zone: ["a", "b", "b"][number % 3])
            }
        ]
        plan.loadBalancer.zones = ZonePlan()
        func shares(_ zone: String?) -> [Int: Int] {
            counts(
                ClusterEndpoints(plan, quiescence: Quiescence(readers: 0), zone: zone, now: 0),
                of: 600)
        }
        #expect(shares(nil) == [1: 100, 2: 100, 3: 100, 4: 100, 5: 100, 6: 100])
        #expect(shares("b") == [1: 150, 2: 150, 4: 150, 5: 150])
        let local = shares("a")
        #expect(abs((local[3] ?? 0) - 200) <= 1 && abs((local[6] ?? 0) - 200) <= 1, "\(local)")
    }

    @Test("clients of a name's addresses stay where they are when one of these goes")
    func addressesOfName() throws {
        var plan = Fixture.plan([[]], .consistentHash(.sourceAddress))
        let name = EndpointPlan(.name("web.test", port: 80))
        plan.tiers = [[name]]
        func candidates(_ numbers: [Int]) -> [[ClusterEndpoints.Candidate]] {
            [numbers.map { .init(name, at: Fixture.address($0)) }]
        }
        let cluster = ClusterEndpoints(
            plan, candidates([1, 2, 3, 4]), quiescence: Quiescence(readers: 0), now: 0)
        func picks() -> [Int?] {
            var turn = EndpointTurn(seed: 0)
            return (0..<2_000).map { number in
                Fixture.number(cluster.pick(&turn, hash: UInt64(number) &* 0x9e37_79b9_7f4a_7c15))
            }
        }
        let before = picks()
        cluster.replace(candidates([1, 3, 4]), now: 1)
        let moved = zip(before, picks()).count { $0 != 2 && $0 != $1 }
        #expect(before.count { $0 == 2 } > 400)
        #expect(moved < 200, "\(moved) of 1,500 others")
    }

    @Test("endpoints go on whatever place they have in the next set")
    func identity() {
        let cluster = ClusterEndpoints(
            Fixture.plan([[]]), Fixture.candidates([Array(1...50)]),
            quiescence: Quiescence(readers: 0), now: 0)
        var random = SeededRandom(seed: 5)
        var led: [Int: UInt64] = [:]
        for _ in 0..<200 {
            var turn = EndpointTurn(seed: 0)
            for _ in 0..<cluster.count {
                guard let endpoint = cluster.pick(&turn, hash: nil)?.takeUnretainedValue() else {
                    break
                }
                _ = endpoint.take()
                endpoint.give()
                led[Fixture.number(Unmanaged.passUnretained(endpoint)) ?? 0, default: 0] += 1
            }
            var numbers = Array((1...60).shuffled(using: &random).prefix(40))
            if Bool.random(using: &random) { numbers.sort() }
            let half = Int.random(in: 0...40, using: &random)
            cluster.replace(
                Fixture.candidates([Array(numbers[..<half]), Array(numbers[half...])]), now: 0)
            led = led.filter { numbers.contains($0.key) }
            for status in cluster.statuses {
                guard case .ip(let address, _) = status.address else { continue }
                #expect(status.led == led[Int(address.v4 & 0xff_ffff), default: 0])
            }
        }
    }

    @Test("a tier gets its clients back when it has been well for as long as is asked")
    func failback() throws {
        let cluster = try cluster([[1], [2]]) {
            $0.tierChange.failbackAfterMilliseconds = 5_000
        }
        try fail(cluster, [1], now: 0)
        #expect(counts(cluster, of: 4) == [2: 4])
        let well = cluster.review(now: 10 * Self.second)
        #expect(well == 15 * Self.second)
        #expect(counts(cluster, of: 4) == [2: 4], "not yet")
        #expect(cluster.review(now: 15 * Self.second) == nil)
        #expect(counts(cluster, of: 4) == [1: 4])
    }

    @Test("a tier that waits for its clients gets them at once when nobody else is left")
    func failbackWithoutChoice() throws {
        let cluster = try cluster([[1], [2]]) {
            $0.tierChange.failbackAfterMilliseconds = 60_000
        }
        try fail(cluster, [1], now: 0)
        _ = cluster.review(now: 10 * Self.second)
        try fail(cluster, [2], now: 11 * Self.second)
        #expect(counts(cluster, of: 4) == [1: 4])
    }

    @Test("clients are told to leave who was left out, who went, and who stood in")
    func standings() throws {
        let cluster = try cluster([[1], [2, 3]])
        let first = try #require(member(cluster, 1))
        #expect(cluster.statuses.map(\.standing) == [.serving, .relieved, .relieved])
        _ = cluster.takeDepartures()
        #expect(!cluster.takeDepartures(), "said once")
        try fail(cluster, [1], now: 0)
        #expect(cluster.statuses.map(\.standing) == [.down, .serving, .serving])
        #expect(cluster.takeDepartures())
        try fail(cluster, [3], now: 1)
        #expect(cluster.statuses.map(\.standing) == [.down, .serving, .down])
        try fail(cluster, [2], now: 2)
        #expect(
            cluster.statuses.map(\.standing) == [.serving, .down, .down], "somebody is tried")
        _ = cluster.takeDepartures()
        _ = cluster.review(now: 20 * Self.second)
        #expect(cluster.statuses.map(\.standing) == [.serving, .relieved, .relieved])
        #expect(cluster.takeDepartures())
        first.take()
        cluster.replace(Fixture.candidates([[2]]), now: 21 * Self.second)
        #expect(first.standing == .gone)
        #expect(cluster.takeDepartures())
        first.give()
    }
}
