import Primitives
import Routing
import Testing

@testable import Discovery

@Suite("What a cluster may have at a time")
struct ClusterLimitsTests {
    private static let client = IPAddress(v4: 0x0a00_0001)

    private static func plan(_ change: (inout ClusterPlan) -> Void) -> ClusterPlan {
        var plan = ClusterEndpointsTests.plan([[1, 2]])
        change(&plan)
        return plan
    }

    private func admit(
        _ limits: ClusterLimits, _ claim: inout ClusterLimits.Claim, isPending: Bool = false
    ) -> ClusterLimits.Refusal? {
        limits.admit(&claim, client: Self.client, isPending: isPending, now: 0)
    }

    @Test("a plan without limits costs nothing")
    func none() {
        #expect(ClusterLimits(Self.plan { _ in }, former: nil) == nil)
    }

    @Test("connections are counted until they are given back, once")
    func connections() throws {
        let limits = try #require(
            ClusterLimits(Self.plan { $0.circuitBreaker.connectionsMax = 1 }, former: nil))
        var (first, second) = (ClusterLimits.Claim(), ClusterLimits.Claim())
        #expect(admit(limits, &first) == nil)
        #expect(admit(limits, &second) == .connections)
        limits.give(&second)
        #expect(limits.live == 1, "who was refused has nothing to give back")
        limits.give(&first)
        limits.give(&first)
        #expect(limits.live == 0)
        #expect(admit(limits, &second) == nil)
    }

    @Test("0 connections refuse everybody")
    func zero() throws {
        let limits = try #require(
            ClusterLimits(Self.plan { $0.circuitBreaker.connectionsMax = 0 }, former: nil))
        var claim = ClusterLimits.Claim()
        #expect(admit(limits, &claim) == .connections)
        #expect(limits.live == 0)
    }

    @Test("connects under way are counted until they are made or given up")
    func pending() throws {
        let limits = try #require(
            ClusterLimits(Self.plan { $0.circuitBreaker.pendingRequestsMax = 1 }, former: nil))
        var claims = Array(repeating: ClusterLimits.Claim(), count: 3)
        #expect(admit(limits, &claims[0], isPending: true) == nil)
        #expect(admit(limits, &claims[1], isPending: true) == .pending)
        #expect(limits.live == 1)
        limits.settle(&claims[0])
        limits.settle(&claims[0])
        #expect(limits.pending == 0)
        #expect(admit(limits, &claims[1], isPending: true) == nil)
        limits.give(&claims[1])
        #expect((limits.live, limits.pending) == (1, 0))
        #expect(admit(limits, &claims[2], isPending: false) == nil, "a flow connects at once")
        limits.give(&claims[0])
        limits.give(&claims[2])
        #expect((limits.live, limits.pending) == (0, 0))
    }

    @Test("who is refused for its source counts for nothing else")
    func source() throws {
        let limits = try #require(
            ClusterLimits(
                Self.plan {
                    $0.sourceLimit.connectionsMax = 1
                    $0.sourceLimit.connectionsPerSecond = 1
                }, former: nil))
        #expect(limits.countsSources)
        var claims = Array(repeating: ClusterLimits.Claim(), count: 3)
        #expect(admit(limits, &claims[0], isPending: true) == nil)
        #expect(admit(limits, &claims[1], isPending: true) == .source)
        #expect((limits.live, limits.pending) == (1, 1))
        limits.give(&claims[0])
        for _ in 0..<2 {
            #expect(admit(limits, &claims[1], isPending: true) == .sourceRate)
            #expect((limits.live, limits.pending) == (0, 0))
        }
        #expect(
            limits.admit(&claims[2], client: nil, isPending: true, now: 0) == nil,
            "who has no address is no source")
        limits.give(&claims[2])
        #expect((limits.live, limits.pending) == (0, 0))
    }

    @Test("requests are counted until they are given back, once, and are no connections")
    func requests() throws {
        let limits = try #require(
            ClusterLimits(
                Self.plan {
                    $0.circuitBreaker.requestsMax = 2
                    $0.sourceLimit.connectionsMax = 1
                }, former: nil))
        var claims = Array(repeating: ClusterLimits.RequestClaim(), count: 4)
        #expect(limits.admit(&claims[0], client: Self.client, now: 0) == nil)
        #expect(limits.admit(&claims[1], client: Self.client, now: 0) == .source)
        #expect(limits.requests == 1, "who was refused counts for nothing")
        #expect(limits.admit(&claims[1], client: nil, now: 0) == nil)
        #expect(limits.admit(&claims[2], client: nil, now: 0) == .requests)
        limits.give(&claims[2])
        #expect((limits.requests, limits.live) == (2, 0))
        limits.give(&claims[0])
        limits.give(&claims[0])
        #expect(limits.requests == 1)
        #expect(limits.admit(&claims[3], client: Self.client, now: 0) == nil)
        limits.give(&claims[1])
        limits.give(&claims[3])
        #expect(limits.requests == 0)
    }

    @Test("a request that is sent again counts once, until it is not any more")
    func retries() throws {
        let limits = try #require(
            ClusterLimits(Self.plan { $0.circuitBreaker.retriesMax = 1 }, former: nil))
        var claims = Array(repeating: ClusterLimits.RequestClaim(), count: 2)
        for place in 0..<2 {
            #expect(limits.admit(&claims[place], client: nil, now: 0) == nil)
        }
        #expect(limits.admitRetry(&claims[0]))
        #expect(limits.admitRetry(&claims[0]))
        #expect(limits.retries == 1)
        #expect(!limits.admitRetry(&claims[1]))
        limits.settle(&claims[0])
        limits.settle(&claims[0])
        #expect((limits.requests, limits.retries) == (2, 0))
        #expect(limits.admitRetry(&claims[1]))
        limits.give(&claims[1])
        #expect((limits.requests, limits.retries) == (1, 0))
        limits.give(&claims[0])
    }

    @Test("a retry budget is a share of the requests, and at least its minimum")
    func retryBudget() throws {
        let limits = try #require(
            ClusterLimits(
                Self.plan {
                    // As the CRD says, the budget counts and this does not.
                    $0.circuitBreaker.retriesMax = 0
                    $0.circuitBreaker.retryBudget = .init(numerator: 20, countMin: 3)
                }, former: nil))
        for (requests, retries) in [(2, 2), (10, 3), (15, 3), (25, 5)] {
            var claims = Array(repeating: ClusterLimits.RequestClaim(), count: requests)
            for place in claims.indices {
                #expect(limits.admit(&claims[place], client: nil, now: 0) == nil)
            }
            var admitted = 0
            for place in claims.indices where limits.admitRetry(&claims[place]) { admitted += 1 }
            #expect(admitted == retries, "of \(requests)")
            for place in claims.indices { limits.give(&claims[place]) }
            #expect((limits.requests, limits.retries) == (0, 0))
        }
    }

    @Test("those who are there count under the next plan as well")
    func reload() throws {
        let first = try #require(
            ClusterLimits(
                Self.plan {
                    $0.circuitBreaker.connectionsMax = 1
                    $0.sourceLimit.connectionsMax = 1
                }, former: nil))
        var claims = Array(repeating: ClusterLimits.Claim(), count: 2)
        #expect(admit(first, &claims[0]) == nil)
        let second = try #require(
            ClusterLimits(
                Self.plan {
                    $0.circuitBreaker.connectionsMax = 2
                    $0.sourceLimit.connectionsMax = 1
                }, former: first))
        #expect(second.live == 1)
        #expect(admit(second, &claims[1]) == .source)
        first.give(&claims[0])
        #expect(second.live == 0)
        #expect(admit(second, &claims[1]) == nil)
    }

    @Test("a source that is there counts under another limit as well, unless sources are others")
    func sourcesAfterReload() throws {
        func limits(
            _ most: UInt32, bits: UInt8 = 32, former: ClusterLimits? = nil
        ) throws -> ClusterLimits {
            try #require(
                ClusterLimits(
                    Self.plan {
                        $0.sourceLimit.connectionsMax = most
                        $0.sourceLimit.prefixBitsIPv4 = bits
                    }, former: former))
        }
        let first = try limits(2)
        var claims = Array(repeating: ClusterLimits.Claim(), count: 4)
        #expect(admit(first, &claims[0]) == nil)
        #expect(admit(first, &claims[1]) == nil)
        let second = try limits(3, former: first)
        #expect(admit(second, &claims[2]) == nil)
        #expect(admit(second, &claims[3]) == .source)
        first.give(&claims[0])
        #expect(admit(second, &claims[3]) == nil)
        let third = try limits(1, bits: 24, former: second)
        #expect(admit(third, &claims[0]) == nil, "blocks of another size are counted anew")
    }

    @Test("a full endpoint is passed over; when all are full nobody is taken")
    func perEndpoint() throws {
        let cluster = ClusterEndpoints(
            Self.plan { $0.circuitBreaker.connectionsPerEndpointMax = 2 },
            quiescence: Quiescence(readers: 0))
        var turn = EndpointTurn(seed: 0)
        var taken: [Unmanaged<Endpoint>] = []
        for _ in 0..<4 {
            let picked = try #require(cluster.pick(&turn, hash: nil))
            // Always the same first, so that the second has to be found.
            let first = taken.first ?? picked
            taken.append(try #require(cluster.take(first)))
        }
        #expect(cluster.statuses.map(\.live) == [2, 2])
        #expect(cluster.take(taken[0]) == nil)
        #expect(cluster.statuses.map(\.live) == [2, 2])
        #expect(cluster.statuses.map(\.led) == [2, 2])
        taken[3].takeUnretainedValue().give()
        #expect(cluster.take(taken[0]) != nil)
    }
}
