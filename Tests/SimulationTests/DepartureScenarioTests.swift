import Discovery
import Primitives
import Routing
import SimulatedKernel
import Testing

@testable import Engine

/// Clients whose endpoint is left out, goes, or is no longer needed.
@Suite("Clients that leave an endpoint")
struct DepartureScenarioTests {
    private static let listener = SocketAddress.ip(.loopbackIPv4, port: 80)
    private static let second: UInt64 = 1_000_000_000

    private static func address(_ number: Int) -> SocketAddress {
        .ip(.loopbackIPv4, port: UInt16(9_000 + number))
    }

    private static func plan(_ tiers: [[Int]]) -> ClusterPlan {
        var cluster = ClusterPlan(
            name: "default/b", route: "TCPRoute/default/r",
            tiers: tiers.map { $0.map { EndpointPlan(.address(address($0))) } })
        cluster.tierChange.failoverBelowPercents = [0]
        return cluster
    }

    /// Ten clients that stay, spread over the endpoints of the first tier.
    private func make(
        _ tiers: [[Int]], _ change: (inout ClusterPlan) -> Void
    ) throws -> (Simulation, [StreamService]) {
        let simulation = try Simulation(seed: 5, faults: .none)
        var cluster = Self.plan(tiers)
        change(&cluster)
        simulation.addListener(on: Self.listener, .tcp(TCPListenerPlan()), to: [cluster])
        simulation.start()
        let services = tiers.joined().map { number in
            simulation.serve(at: Self.address(number)) { StreamScript(bytesToSend: 10) }
        }
        connect(simulation, 0..<10, .lingers)
        simulation.run(milliseconds: 100)
        #expect(simulation.liveCount == 10)
        return (simulation, services)
    }

    private func connect(
        _ simulation: Simulation, _ clients: Range<Int>, _ ending: StreamScript.Ending
    ) {
        for place in clients {
            simulation.connect(
                from: Simulation.client(place), to: Self.listener, after: 0,
                StreamScript(bytesToSend: 100, ending: ending))
        }
    }

    /// New clients find that the first endpoint refuses, until it is left out.
    private func lose(_ simulation: Simulation, _ service: StreamService) {
        service.manner = .refusing
        connect(simulation, 10..<16, .halfClose)
        simulation.run(milliseconds: 100)
        look(simulation)
    }

    private func look(_ simulation: Simulation) {
        _ = simulation.endpoints[0].review(now: simulation.kernel.clock)
        simulation.post(.depart)
        simulation.run(milliseconds: 100)
    }

    @Test("connections stay on an endpoint that is left out, unless a policy says otherwise")
    func keep() throws {
        let (simulation, services) = try make([[1, 2]]) { _ in }
        lose(simulation, services[0])
        #expect(simulation.endpoints[0].statuses.map(\.standing) == [.down, .serving])
        #expect(simulation.liveCount == 10)
        #expect(simulation.counters[.endpointDown] == 0)
    }

    @Test("they are ended at once where the policy says so, and those of others stay")
    func end() throws {
        let (simulation, services) = try make([[1, 2]]) { $0.departure.endsConnections = true }
        lose(simulation, services[0])
        #expect(simulation.counters[.endpointDown] == 5)
        #expect(simulation.liveCount == 5)
        #expect(simulation.endpoints[0].statuses.map(\.live) == [0, 5])
    }

    @Test("or at a rate, to the last")
    func rate() throws {
        let (simulation, services) = try make([[1, 2]]) {
            $0.departure = DeparturePlan(endsConnections: true, perSecond: 2)
        }
        lose(simulation, services[0])
        #expect(simulation.counters[.endpointDown] == 1)
        simulation.run(milliseconds: 1_000)
        #expect((2...3).contains(simulation.counters[.endpointDown]))
        simulation.run(milliseconds: 1_500)
        #expect(simulation.counters[.endpointDown] == 5)
        simulation.run(milliseconds: 1_000)
        #expect(simulation.counters[.endpointDown] == 5)
        #expect(simulation.liveCount == 5)
    }

    @Test("an endpoint that is no longer configured serves those who are there to their end")
    func gone() throws {
        let (simulation, _) = try make([[1, 2]]) { $0.departure.endsConnections = true }
        simulation.endpoints[0].replace(
            [[.init(EndpointPlan(.address(Self.address(2))), at: Self.address(2))]],
            now: simulation.kernel.clock)
        look(simulation)
        #expect(simulation.liveCount == 10)
    }

    @Test("connections go back with their tier where the policy says so", arguments: [true, false])
    func failback(_ drains: Bool) throws {
        let (simulation, services) = try make([[1], [2]]) {
            $0.tierChange.drainsOnFailback = drains
        }
        lose(simulation, services[0])
        connect(simulation, 16..<20, .lingers)
        simulation.run(milliseconds: 100)
        #expect(simulation.endpoints[0].statuses.map(\.live) == [10, 4])
        services[0].manner = .accepting
        simulation.run(milliseconds: 11_000)
        look(simulation)
        #expect(simulation.counters[.failedBack] == (drains ? 4 : 0))
        #expect(simulation.endpoints[0].statuses.map(\.live) == [10, drains ? 0 : 4])
    }

    @Test("a flow moves on when its endpoint goes, with its client none the wiser")
    func flows() throws {
        let simulation = try Simulation(seed: 5, faults: .none)
        var cluster = Self.plan([[1]])
        cluster.route = "UDPRoute/default/r"
        simulation.addListener(on: Self.listener, .udp(UDPListenerPlan()), to: [cluster])
        simulation.start()
        for number in [1, 2] { simulation.serveDatagrams(at: Self.address(number)) }
        simulation.run(milliseconds: 1)
        let peers = (0..<40).map { simulation.kernel.datagramPeer(at: Simulation.client($0)) }
        func sendAll() {
            for (place, peer) in peers.enumerated() {
                peer.send(
                    DatagramText.make(sender: UInt32(place), place: 0, count: 100),
                    to: Self.listener, segmentSize: nil)
            }
            simulation.run(milliseconds: 50)
        }
        sendAll()
        #expect(simulation.datagramEchoes.map(\.received) == [40, 0])
        simulation.endpoints[0].replace(
            [[.init(EndpointPlan(.address(Self.address(2))), at: Self.address(2))]],
            now: simulation.kernel.clock)
        look(simulation)
        sendAll()
        #expect(simulation.datagramEchoes.map(\.received) == [40, 40])
        #expect(peers.allSatisfy { $0.datagramsReceived == 2 })
        #expect(simulation.counters[.flowsAccepted] == 40)
        #expect(simulation.endpoints[0].review(now: simulation.kernel.clock) == nil)
        simulation.finish()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
    }

    @Test("a search looks at every slot, and again when it was called meanwhile")
    func search() {
        var search = DepartureSearch()
        #expect(search.next == nil)
        search.begin()
        #expect(search.next == 0)
        search.advance(to: 512)
        search.begin()
        #expect(search.next == 512)
        search.finish()
        #expect(search.next == 0)
        search.noteWaiting()
        search.finish()
        #expect(search.next == 0)
        search.finish()
        #expect(search.next == nil)
    }
}
