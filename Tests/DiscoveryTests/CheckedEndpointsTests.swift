import Health
import Primitives
import Routing
import Synchronization
import Testing

@testable import Discovery

@Suite("Endpoints of a cluster that are checked")
struct CheckedEndpointsTests {
    private typealias Fixture = ClusterEndpointsTests
    private static let second: UInt64 = 1_000_000_000
    private static let ill = HealthVerdict.unhealthy(.connectRefused)

    private static func plan(
        _ tiers: [[Int]], _ change: (inout ClusterPlan) -> Void = { _ in }
    ) -> ClusterPlan {
        var plan = Fixture.plan(tiers)
        plan.healthCheck.active = .init(probe: .tcp(send: [], expect: []))
        change(&plan)
        return plan
    }

    private func cluster(
        _ plan: ClusterPlan, former: ClusterEndpoints? = nil,
        verdicts: [HealthCheck: HealthVerdict] = [:]
    ) throws -> ClusterEndpoints {
        ClusterEndpoints(
            plan, quiescence: Quiescence(readers: 0), attention: try EndpointAttention(),
            former: former, verdicts: verdicts, now: 0)
    }

    private func check(_ cluster: ClusterEndpoints, _ number: Int) throws -> HealthCheck {
        let status = try #require(
            cluster.statuses.first { $0.address == Fixture.candidates([[number]])[0][0].address })
        return try #require(status.check)
    }

    private func note(
        _ cluster: ClusterEndpoints, _ verdicts: [Int: HealthVerdict], now: UInt64 = 0
    ) throws {
        cluster.note(
            try verdicts.reduce(into: [:]) { $0[try check(cluster, $1.key)] = $1.value }, now: now)
    }

    private func picked(_ cluster: ClusterEndpoints) -> Set<Int> {
        var turn = EndpointTurn(seed: 0)
        return Set((0..<12).compactMap { _ in Fixture.number(cluster.pick(&turn, hash: nil)) })
    }

    @Test("who has not been checked is picked only where nobody has been found well")
    func pending() throws {
        let cluster = try cluster(Self.plan([[1, 2, 3]]))
        #expect(picked(cluster) == [1, 2, 3])
        try note(cluster, [2: .healthy])
        #expect(picked(cluster) == [2])
        try note(cluster, [1: Self.ill, 3: .healthy])
        #expect(picked(cluster) == [2, 3])
        #expect(cluster.statuses.map(\.standing) == [.down, .serving, .serving])
        #expect(cluster.takeDepartures())
        try note(cluster, [1: .healthy])
        #expect(picked(cluster) == [1, 2, 3])
    }

    @Test("where all are ill all are picked, unless panic is forbidden")
    func panic() throws {
        for (percent, expected) in [(UInt32(50), Set([1, 2])), (0, [])] {
            let cluster = try cluster(
                Self.plan([[1, 2]]) { $0.healthCheck.panicPercent = percent })
            try note(cluster, [1: Self.ill, 2: Self.ill])
            #expect(picked(cluster) == expected)
        }
    }

    @Test("a tier that is checked for the first time is not held back like one that returns")
    func firstVerdictOfTier() throws {
        let cluster = try cluster(
            Self.plan([[1], [2]]) { $0.tierChange.failbackAfterMilliseconds = 10_000 })
        try note(cluster, [2: .healthy])
        #expect(picked(cluster) == [2])
        try note(cluster, [1: .healthy])
        #expect(picked(cluster) == [1])
        try note(cluster, [1: Self.ill])
        #expect(picked(cluster) == [2])
        try note(cluster, [1: .healthy], now: Self.second)
        #expect(picked(cluster) == [2])
        _ = cluster.review(now: 11 * Self.second)
        #expect(picked(cluster) == [1])
    }

    @Test("connects that fail leave out who is checked as well, and a recovery lets it in")
    func ejection() throws {
        let cluster = try cluster(Self.plan([[1, 2]]))
        try note(cluster, [1: .healthy, 2: .healthy])
        var turn = EndpointTurn(seed: 0)
        let endpoint = try #require(
            (0..<2).compactMap { _ in cluster.pick(&turn, hash: nil)?.takeUnretainedValue() }
                .first { $0.plan == Fixture.candidates([[1]])[0][0].plan })
        for _ in 0..<3 { cluster.noteFailure(of: endpoint) }
        _ = cluster.review(now: 0)
        #expect(picked(cluster) == [2])
        #expect(
            cluster.statuses.map(\.standing) == [.serving, .serving],
            "checks find it well, so those who are on it may stay")
        try note(cluster, [1: Self.ill], now: 1)
        #expect(cluster.statuses.map(\.standing) == [.down, .serving])
        try note(cluster, [1: .healthy], now: 2)
        #expect(picked(cluster) == [1, 2])
    }

    @Test("what is known goes on under another plan, and other checks begin with it")
    func reload() throws {
        let first = try cluster(Self.plan([[1, 2]]))
        try note(first, [1: Self.ill, 2: .healthy])
        let second = try cluster(
            Self.plan([[1, 2, 3]]) { $0.healthCheck.active?.interval = 1 }, former: first)
        #expect(second.statuses.map(\.verdict) == [Self.ill, .healthy, .pending])
        #expect(second.checks.isDisjoint(with: first.checks))
        let unchecked = try cluster(Fixture.plan([[1, 2]]), former: second)
        #expect(unchecked.checks.isEmpty)
        #expect(picked(unchecked) == [1, 2])
        let again = try cluster(Self.plan([[1, 2]]), former: unchecked)
        #expect(again.statuses.map(\.verdict) == [.healthy, .healthy], "who serves goes on")
        let known = [try check(again, 1): Self.ill]
        let told = try cluster(Self.plan([[1, 2]]), former: again, verdicts: known)
        #expect(told.statuses.map(\.verdict) == [Self.ill, .healthy])
    }

    @Test("endpoints that come with an answer are checked, those that stay keep their verdict")
    func replacement() throws {
        let cluster = try cluster(Self.plan([[1, 2]]))
        try note(cluster, [1: .healthy, 2: Self.ill])
        cluster.replace(Fixture.candidates([[2, 3]]), now: Self.second)
        #expect(cluster.statuses.map(\.verdict) == [Self.ill, .pending])
        #expect(cluster.checks.count == 2)
    }

    @Test("a directory checks what its plans want, and leads to who answers")
    func directory() throws {
        let directory = try EndpointDirectory(workers: 0)
        try directory.startChecking()
        // Nobody listens at the reserved port 0x0001 of these addresses of loopback.
        func plan(_ hosts: UInt32...) -> ClusterPlan {
            Self.plan([]) {
                $0.tiers = [
                    hosts.map { .init(.address(.ip(IPAddress(v4: 0x7f00_0000 + $0), port: 1))) }
                ]
            }
        }
        let clusters = directory.follow([plan(1, 2)], former: [nil])
        #expect(directory.awaitVerdicts(until: .max) == 0)
        #expect(clusters[0].statuses.map(\.verdict) == [Self.ill, Self.ill])
        directory.replaceEndpoints([(place: 0, plan: plan(3))])
        #expect(directory.awaitVerdicts(until: .max) == 0)
        #expect(clusters[0].statuses.map(\.verdict) == [Self.ill])
    }
}
