import Discovery
import Primitives
import Routing
import SimulatedKernel
import Testing

@testable import Engine

/// Limits of a cluster, its endpoints and its sources under clients that come, fail and go.
@Suite("Clients within limits")
struct ClusterLimitScenarioTests {
    private static let listener = SocketAddress.ip(.loopbackIPv4, port: 80)

    private static func address(_ number: Int) -> SocketAddress {
        .ip(.loopbackIPv4, port: UInt16(9_000 + number))
    }

    private func make(
        _ endpoints: Int, seed: UInt64 = 3, faults: FaultProfile = .none,
        _ change: (inout ClusterPlan) -> Void
    ) throws -> (Simulation, [StreamService]) {
        let simulation = try Simulation(seed: seed, faults: faults)
        var cluster = ClusterPlan(
            name: "default/b", route: "TCPRoute/default/r",
            endpoints: (1...endpoints).map(Self.address))
        change(&cluster)
        simulation.addListener(on: Self.listener, .tcp(TCPListenerPlan()), to: [cluster])
        simulation.start()
        let services = (1...endpoints).map { number in
            simulation.serve(at: Self.address(number)) { StreamScript(bytesToSend: 10) }
        }
        return (simulation, services)
    }

    private func connect(
        _ simulation: Simulation, _ clients: Range<Int>,
        _ ending: StreamScript.Ending = .lingers
    ) {
        for place in clients {
            simulation.connect(
                from: Simulation.client(place), to: Self.listener, after: 0,
                StreamScript(bytesToSend: 100, ending: ending))
        }
        simulation.run(milliseconds: 100)
    }

    private func limits(_ simulation: Simulation) throws -> ClusterLimits {
        try #require(simulation.endpoints[0].limits)
    }

    @Test("connections over the breaker's maximum are reset, and counted")
    func connections() throws {
        let (simulation, _) = try make(2) { $0.circuitBreaker.connectionsMax = 3 }
        connect(simulation, 0..<5)
        #expect(simulation.liveCount == 3)
        #expect(simulation.counters[.clusterLimit] == 2)
        #expect(try limits(simulation).live == 3)
    }

    @Test("an endpoint gets no more than its maximum, and nobody is refused before all are full")
    func perEndpoint() throws {
        let (simulation, _) = try make(2) { $0.circuitBreaker.connectionsPerEndpointMax = 2 }
        connect(simulation, 0..<5)
        #expect(simulation.counters[.endpointLimit] == 1)
        #expect(simulation.endpoints[0].statuses.map(\.live) == [2, 2])
    }

    @Test("who is led on after a failed connect passes over a full endpoint too")
    func leadsOn() throws {
        let (simulation, services) = try make(3) {
            $0.circuitBreaker.connectionsPerEndpointMax = 1
        }
        services[0].manner = .refusing
        connect(simulation, 0..<4)
        #expect(simulation.endpoints[0].statuses.map(\.live) == [0, 1, 1])
        #expect(simulation.liveCount == 2)
        let refused = simulation.counters[.connectFailed] + simulation.counters[.endpointLimit]
        #expect(refused == 2)
    }

    @Test("a source has no more than it may, while others are served")
    func sources() throws {
        let (simulation, _) = try make(1) {
            $0.sourceLimit.connectionsMax = 1
            // Two clients are one source.
            $0.sourceLimit.prefixBitsIPv4 = 31
        }
        connect(simulation, 0..<4)
        #expect(simulation.liveCount == 2)
        #expect(simulation.counters[.sourceLimit] == 2)
    }

    @Test("new connections of a source come at its rate")
    func rate() throws {
        let (simulation, _) = try make(1) {
            $0.sourceLimit.connectionsPerSecond = 2
            $0.sourceLimit.prefixBitsIPv4 = 1
        }
        connect(simulation, 0..<5)
        #expect(simulation.liveCount == 2)
        #expect(simulation.counters[.sourceRate] == 3)
        simulation.run(milliseconds: 1_000)
        connect(simulation, 5..<10)
        #expect(simulation.liveCount == 4)
    }

    @Test("a flow that its source's limit refuses costs nobody else's flow")
    func flows() throws {
        let simulation = try Simulation(seed: 5)
        var cluster = Simulation.cluster([Self.address(1)])
        cluster.sourceLimit.connectionsMax = 1
        simulation.addListener(on: Self.listener, .udp(UDPListenerPlan(flowsMax: 2)), to: [cluster])
        simulation.start()
        simulation.run(milliseconds: 1)
        _ = simulation.kernel.datagramPeer(at: Self.address(1))
        let peers = [1, 2].map { simulation.kernel.datagramPeer(at: Simulation.client($0)) }
        for peer in peers { peer.send([1], to: Self.listener) }
        simulation.run(milliseconds: 10)
        guard case .ip(let address, let port) = Simulation.client(2) else { return }
        let again = simulation.kernel.datagramPeer(at: .ip(address, port: port + 500))
        for _ in 0..<5 { again.send([1], to: Self.listener) }
        simulation.run(milliseconds: 10)
        #expect(simulation.counters[.sourceLimit] == 5)
        #expect(simulation.counters[.flowEvicted] == 0)
        #expect(simulation.liveCount == 2)
        simulation.finish()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
    }

    @Test("whatever happens, limits hold and all is given back", arguments: [1 as UInt64, 2, 3])
    func swarm(_ part: UInt64) throws {
        for seed in part * 100..<part * 100 + 40 {
            var random = SeededRandom(seed: seed)
            let faults = FaultProfile.swarm(from: &random, destructive: true)
            let (simulation, services) = try make(3, seed: seed, faults: faults) {
                $0.circuitBreaker.connectionsMax = 8
                $0.circuitBreaker.pendingRequestsMax = 4
                $0.circuitBreaker.connectionsPerEndpointMax = 4
                $0.sourceLimit.connectionsMax = 3
                $0.sourceLimit.connectionsPerSecond = 20
                $0.sourceLimit.prefixBitsIPv4 = 29
            }
            let limits = try limits(simulation)
            for place in 0..<40 {
                let service = services[Int.random(in: 0..<3, using: &random)]
                let isRefusing = Bool.random(using: &random)
                simulation.kernel.after(UInt64(place) * 4_000_000) {
                    service.manner = isRefusing ? .refusing : .accepting
                    #expect(limits.live <= 8 && limits.pending <= 4)
                    #expect(simulation.endpoints[0].statuses.allSatisfy { $0.live <= 4 })
                }
                simulation.connect(
                    from: Simulation.client(place), to: Self.listener,
                    after: UInt64(place) * 4_000_000,
                    StreamScript.draw(&random, maySpeakSecond: false, misbehaves: true))
            }
            simulation.finish()
            #expect(simulation.problems.isEmpty, "\(simulation.report)")
            #expect((limits.live, limits.pending) == (0, 0), "seed \(seed)")
        }
    }
}
