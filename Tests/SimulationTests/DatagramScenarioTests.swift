import CLinux
import Kernel
import Primitives
import Routing
import SimulatedKernel
import Testing

@testable import Engine

/// What can go wrong around datagrams, one thing at a time.
@Suite struct DatagramScenarioTests {
    private static let listener = SocketAddress.ip(.loopbackIPv4, port: 53)
    private static let first = SocketAddress.ip(.loopbackIPv4, port: 9_001)
    private static let second = SocketAddress.ip(.loopbackIPv4, port: 9_002)

    private func make(
        _ faults: FaultProfile = .none, features: KernelFeatures = .all,
        udp: UDPListenerPlan = UDPListenerPlan(), flow: UDPFlowPlan = UDPFlowPlan(),
        endpoints: [SocketAddress] = [first]
    ) throws -> Simulation {
        let simulation = try Simulation(seed: 11, faults: faults, features: features)
        simulation.addListener(
            on: Self.listener, .udp(udp), to: [Simulation.cluster(endpoints, udp: flow)])
        simulation.start()
        simulation.run(milliseconds: 1)
        return simulation
    }

    private func addClients(
        _ simulation: Simulation, count: Int, datagrams: Int, sizeMax: Int = 500
    ) {
        for place in 0..<count {
            simulation.addDatagramClient(
                DatagramClient(
                    number: UInt32(place), kernel: simulation.kernel,
                    address: Simulation.client(place), listener: Self.listener, countMax: datagrams,
                    sizeMax: sizeMax))
        }
    }

    private func finish(_ simulation: Simulation) {
        simulation.finish()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
    }

    @Test("a burst of equal datagrams leaves by one call, and arrives as it was")
    func burst() throws {
        let simulation = try make()
        simulation.serveDatagrams(at: Self.first)
        let peer = simulation.kernel.datagramPeer(at: Simulation.client(1))
        let bytes = (0..<8).flatMap { DatagramText.make(sender: 1, place: $0, count: 1_400) }
        peer.send(bytes, to: Self.listener, segmentSize: 1_400)
        simulation.run(milliseconds: 5)
        #expect(simulation.datagramEchoes[0].received == 8)
        #expect(peer.datagramsReceived == 8)
        // One to the endpoint; its answers come singly and may leave together or not.
        #expect(simulation.kernel.datagramSendsCount <= 1 + 8)
        finish(simulation)
    }

    @Test("a burst that the device cannot segment leaves one by one")
    func segmentationRefused() throws {
        var faults = FaultProfile.none
        faults.segmentationRefused = FaultProfile.whole
        let simulation = try make(faults)
        simulation.serveDatagrams(at: Self.first)
        addClients(simulation, count: 4, datagrams: 50)
        finish(simulation)
        simulation.expectEveryDatagram()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
    }

    @Test("datagrams of every size pass whole, up to the largest, and empty ones too")
    func sizes() throws {
        let simulation = try make()
        var received: [Int] = []
        let echo = simulation.kernel.datagramPeer(at: Self.first)
        echo.onDatagram = { bytes, source in
            received.append(bytes.count)
            echo.send(bytes, to: source)
        }
        let client = simulation.kernel.datagramPeer(at: Simulation.client(1))
        var answers: [Int] = []
        client.onDatagram = { bytes, _ in answers.append(bytes.count) }
        let sizes = [0, 1, 1_400, 0, 16_384, 65_507, 0]
        for size in sizes {
            client.send([UInt8](repeating: 5, count: size), to: Self.listener)
            simulation.run(milliseconds: 10)
        }
        #expect(received == sizes)
        #expect(answers == sizes)
        finish(simulation)
    }

    @Test("a refusal moves a flow to the next endpoint and does not end it")
    func refused() throws {
        let simulation = try make(endpoints: [Self.first, Self.second])
        simulation.serveDatagrams(at: Self.second)
        addClients(simulation, count: 4, datagrams: 30)
        finish(simulation)
        #expect(simulation.counters[.endpointRefusals] > 0)
        #expect(simulation.counters[.flowsAccepted] == 4)
        // Only what went to the first endpoint before its refusal was heard is lost.
        #expect(simulation.datagramClients.allSatisfy { $0.answered > $0.sent / 2 })
    }

    @Test("a flow to an only endpoint that comes back works again")
    func endpointReturns() throws {
        let simulation = try make()
        let client = simulation.kernel.datagramPeer(at: Simulation.client(1))
        for _ in 0..<5 {
            client.send([1, 2, 3], to: Self.listener)
            simulation.run(milliseconds: 10)
        }
        #expect(simulation.counters[.endpointRefusals] > 0)
        let echo = simulation.kernel.datagramPeer(at: Self.first)
        echo.onDatagram = { bytes, source in echo.send(bytes, to: source) }
        for _ in 0..<5 {
            client.send([1, 2, 3], to: Self.listener)
            simulation.run(milliseconds: 10)
        }
        #expect(client.datagramsReceived >= 4)
        #expect(simulation.counters[.flowsAccepted] == 1)
        finish(simulation)
    }

    @Test("a flow ends with its last expected answer")
    func expectedAnswers() throws {
        let simulation = try make(flow: UDPFlowPlan(expectedResponses: 1))
        simulation.serveDatagrams(at: Self.first)
        let client = simulation.kernel.datagramPeer(at: Simulation.client(1))
        for _ in 0..<3 {
            client.send(DatagramText.make(sender: 1, place: 0, count: 40), to: Self.listener)
            simulation.run(milliseconds: 10)
            #expect(simulation.liveCount == 0)
        }
        #expect(client.datagramsReceived == 3)
        #expect(simulation.counters[.flowAnswered] == 3)
        finish(simulation)
    }

    @Test("the flow that was silent longest makes room, and no source takes all the room")
    func flowLimits() throws {
        let simulation = try make(udp: UDPListenerPlan(flowsMax: 3, flowsPerSourceMax: 2))
        simulation.serveDatagrams(at: Self.first)
        for port in UInt16(1)...5 {
            let source = SocketAddress.ip(IPAddress(v4: 0x0a00_0009), port: port)
            simulation.kernel.datagramPeer(at: source)
                .send(DatagramText.make(sender: 9, place: 0, count: 20), to: Self.listener)
            simulation.run(milliseconds: 10)
        }
        #expect(simulation.counters[.flowsLive] == 2)
        for place in 20..<25 {
            simulation.kernel.datagramPeer(at: Simulation.client(place))
                .send(DatagramText.make(sender: 1, place: 0, count: 20), to: Self.listener)
            simulation.run(milliseconds: 10)
        }
        #expect(simulation.counters[.flowsLive] == 3)
        #expect(simulation.counters[.flowEvicted] == 4)
        finish(simulation)
        #expect(simulation.counters[.idleTimedOut] == 3)
    }
}
