import Discovery
import Primitives
import Routing
import SimulatedKernel
import Testing

@testable import Engine

/// Endpoints that fail, go and come while clients are served.
@Suite("Endpoints under clients")
struct EndpointScenarioTests {
    private static let listener = SocketAddress.ip(.loopbackIPv4, port: 80)

    private static func address(_ number: Int) -> SocketAddress {
        .ip(.loopbackIPv4, port: UInt16(9_000 + number))
    }

    private func make(
        _ tiers: [[Int]], seed: UInt64 = 7, faults: FaultProfile = .none,
        _ kind: LoadBalancerPlan.Kind = .roundRobin
    ) throws -> Simulation {
        let simulation = try Simulation(seed: seed, faults: faults)
        var cluster = ClusterPlan(
            name: "default/b", route: "TCPRoute/default/r",
            tiers: tiers.map { $0.map { EndpointPlan(.address(Self.address($0))) } })
        cluster.tierChange.failoverBelowPercents = [0]
        cluster.loadBalancer.kind = kind
        simulation.addListener(on: Self.listener, .tcp(TCPListenerPlan()), to: [cluster])
        simulation.start()
        return simulation
    }

    private func connect(
        _ simulation: Simulation, clients: Range<Int>, spacing: UInt64 = 0,
        _ script: StreamScript = StreamScript(bytesToSend: 1_000)
    ) {
        for place in clients {
            simulation.connect(
                from: Simulation.client(place), to: Self.listener,
                after: UInt64(place - clients.lowerBound) * spacing, script)
        }
    }

    private func finish(_ simulation: Simulation) {
        simulation.finish()
        if simulation.problems.isEmpty { simulation.expectCompletion() }
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
    }

    @Test("a tier that refuses costs one connect more each until it is left out, and no client")
    func tiers() throws {
        let simulation = try make([[1], [2]])
        let first = simulation.serve(at: Self.address(1)) { StreamScript(bytesToSend: 10) }
        simulation.serve(at: Self.address(2)) { StreamScript(bytesToSend: 20) }
        first.manner = .refusing
        let second: UInt64 = 1_000_000_000
        connect(simulation, clients: 0..<3, spacing: second)
        simulation.run { simulation.clients.count == 3 && simulation.liveCount == 0 }
        #expect(simulation.counters[.dialAttempts] == 6)
        #expect(simulation.endpoints[0].review(now: simulation.kernel.clock) != nil)
        connect(simulation, clients: 3..<8, spacing: second / 100)
        simulation.run { simulation.clients.count == 8 && simulation.liveCount == 0 }
        #expect(simulation.counters[.dialAttempts] == 11, "the first is left out")
        // Back in time, and well again.
        first.manner = .accepting
        simulation.run(milliseconds: 11_000)
        _ = simulation.endpoints[0].review(now: simulation.kernel.clock)
        #expect(simulation.endpoints[0].statuses.map(\.returns) == [nil, nil])
        connect(simulation, clients: 8..<10)
        finish(simulation)
        #expect(simulation.counters[.dialAttempts] == 13)
        #expect(simulation.endpoints[0].statuses.map(\.led) == [5, 8])
        #expect(simulation.backends.count == 10)
    }

    @Test("an endpoint that goes keeps its connections, and is freed after the last")
    func departure() throws {
        let simulation = try make([[1]])
        for number in [1, 2] {
            simulation.serve(at: Self.address(number)) { StreamScript(bytesToSend: 10) }
        }
        connect(simulation, clients: 0..<1, StreamScript(bytesToSend: 100, ending: .lingers))
        simulation.run(milliseconds: 100)
        weak var endpoint: Endpoint?
        var turn = EndpointTurn(seed: 0)
        endpoint = simulation.endpoints[0].pick(&turn, hash: nil)?.takeUnretainedValue()
        #expect(endpoint?.live == 1)
        simulation.endpoints[0].replace([
            [.init(EndpointPlan(.address(Self.address(2))), at: Self.address(2))]
        ])
        _ = simulation.endpoints[0].review(now: simulation.kernel.clock)
        #expect(endpoint?.live == 1, "it serves somebody")
        connect(simulation, clients: 1..<3)
        simulation.finish()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
        #expect(simulation.endpoints[0].review(now: simulation.kernel.clock) == nil)
        #expect(endpoint == nil)
        #expect(simulation.endpoints[0].statuses.map(\.led) == [2])
    }

    @Test(
        "clients never notice that endpoints go, come, fail and are left out",
        arguments: [LoadBalancerPlan.Kind.roundRobin, .leastRequest, .random])
    func swarm(_ kind: LoadBalancerPlan.Kind) throws {
        for seed: UInt64 in 1...100 {
            var random = SeededRandom(seed: seed)
            let simulation = try make([[1, 2], [3]], seed: seed, kind)
            var services: [StreamService] = []
            for number in 1...6 {
                services.append(
                    simulation.serve(at: Self.address(number)) {
                        StreamScript(bytesToSend: 3_000)
                    })
            }
            connect(
                simulation, clients: 0..<30, spacing: 5_000_000, StreamScript(bytesToSend: 2_000))
            for step in 0..<40 {
                let kinds = Int.random(in: 0..<3, using: &random)
                let one = Int.random(in: 2...6, using: &random)
                let order = (2...6).shuffled(using: &random)
                simulation.kernel.after(UInt64(step) * 4_000_000) {
                    switch kinds {
                    // The first never fails, so that somebody always answers.
                    case 0:
                        services[one - 1].manner =
                            services[one - 1].manner == .accepting ? .refusing : .accepting
                    case 1:
                        let tiers = [Array(order.prefix(2)), [1], Array(order.suffix(1))]
                        simulation.endpoints[0].replace(
                            tiers.map { tier in
                                tier.map {
                                    .init(
                                        EndpointPlan(.address(Self.address($0))),
                                        at: Self.address($0))
                                }
                            })
                    default:
                        _ = simulation.endpoints[0].review(now: simulation.kernel.clock)
                    }
                }
            }
            simulation.finish()
            if simulation.problems.isEmpty { simulation.expectCompletion() }
            #expect(simulation.problems.isEmpty, "\(simulation.report)")
            // Long after: nobody is left out, and nothing is left to free.
            let later = simulation.kernel.clock + 1 << 40
            _ = simulation.endpoints[0].review(now: later)
            #expect(simulation.endpoints[0].review(now: later + 1 << 40) == nil)
        }
    }
}
