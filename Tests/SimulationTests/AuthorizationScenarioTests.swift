import Kernel
import Primitives
import Routing
import SimulatedKernel
import Testing

@testable import Engine

/// Who is let in at a listener and at its route, and what who is not gets.
@Suite struct AuthorizationScenarioTests {
    private static let listener = SocketAddress.ip(.loopbackIPv4, port: 80)
    private static let endpoint = SocketAddress.ip(.loopbackIPv4, port: 9_001)

    /// Simulated clients are 10.0.0.0, 10.0.0.1 and so on.
    private static func allowing(_ blocks: String...) -> AuthorizationPlan {
        AuthorizationPlan(rules: [
            AuthorizationPlan.Rule(
                name: "some", allows: true, clients: blocks.compactMap { AddressRange($0) })
        ])
    }

    private func make(
        _ transport: ListenerPlan.Transport, on address: SocketAddress = listener,
        listener: AuthorizationPlan? = nil, route: AuthorizationPlan? = nil
    ) throws -> Simulation {
        let simulation = try Simulation(seed: 5)
        simulation.addListener(
            on: address, transport, to: [Simulation.cluster([Self.endpoint])],
            authorization: listener, routeAuthorization: route)
        return simulation
    }

    private func finish(_ simulation: Simulation) {
        simulation.finish()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
    }

    @Test("a client must pass its listener and its route; who does not gets a reset and no bytes")
    func connections() throws {
        let simulation = try make(
            .tcp(TCPListenerPlan()), listener: Self.allowing("10.0.0.0/29"),
            route: Self.allowing("10.0.0.4/30", "10.0.0.8/30"))
        simulation.serve(at: Self.endpoint) { StreamScript(bytesToSend: 1_000) }
        simulation.start()
        for place in 0..<12 {
            simulation.connect(
                from: Simulation.client(place), to: Self.listener, StreamScript(bytesToSend: 500))
        }
        finish(simulation)
        #expect(simulation.counters[.connectionsAccepted] == 12)
        #expect(simulation.counters[.clientDenied] == 8)
        #expect(simulation.backends.count == 4, "who is denied reaches no endpoint")
        #expect(simulation.clients.count { $0.end == .clean } == 4)
        #expect(simulation.clients.count { $0.end == .reset && $0.bytesReceived == 0 } == 8)
    }

    @Test(
        "where there is a PROXY header, the client that it names counts",
        arguments: [
            ("PROXY TCP4 192.0.2.1 192.0.2.9 1 2\r\n", false, true),
            ("PROXY TCP4 192.0.2.2 192.0.2.9 1 2\r\n", false, false),
            ("PROXY UNKNOWN\r\n", false, false), ("", true, false),
        ])
    func header(text: String, isOptional: Bool, isAllowed: Bool) throws {
        let tcp = TCPListenerPlan(proxyHeader: isOptional ? .optional : .required)
        let simulation = try make(.tcp(tcp), listener: Self.allowing("192.0.2.1"))
        simulation.serve(at: Self.endpoint) { StreamScript(bytesToSend: 1_000) }
        simulation.start()
        var script = StreamScript(bytesToSend: 500)
        script.preamble = Array(text.utf8)
        simulation.connect(from: Simulation.client(1), to: Self.listener, script)
        finish(simulation)
        #expect(simulation.counters[.clientDenied] == (isAllowed ? 0 : 1))
        #expect(simulation.backends.count == (isAllowed ? 1 : 0))
    }

    @Test("a client without an address passes no rule that asks for one")
    func unix() throws {
        let address = SocketAddress.unix(path: "@apus")
        let simulation = try make(
            .tcp(TCPListenerPlan()), on: address, route: Self.allowing("::/0"))
        simulation.start()
        simulation.connect(from: nil, to: address, StreamScript(bytesToSend: 500))
        finish(simulation)
        #expect(simulation.counters[.clientDenied] == 1)
    }

    @Test("what a client sent before its reset passes no rule that denies somebody")
    func reset() throws {
        let rule = AuthorizationPlan.Rule(
            name: "bad", allows: false, clients: [AddressRange("10.0.0.0/8")!])
        let everybodyElse = AuthorizationPlan(rules: [rule], allowsByDefault: true)
        let simulation = try make(.tcp(TCPListenerPlan()), listener: everybodyElse)
        simulation.serve(at: Self.endpoint) { StreamScript(bytesToSend: 1_000) }
        for place in 0..<20 {
            var script = StreamScript(bytesToSend: 500)
            script.ending = .resets(after: 0)
            simulation.connect(from: Simulation.client(place), to: Self.listener, script)
        }
        // All of them connect, send and reset before the worker begins to accept.
        while simulation.kernel.step() {}
        simulation.start()
        finish(simulation)
        #expect(simulation.backends.isEmpty)
        #expect(simulation.counters[.clientReset] == 20)
    }

    @Test("datagrams of a client that is denied are dropped and counted, and open no flow")
    func datagrams() throws {
        let simulation = try make(.udp(UDPListenerPlan()), listener: Self.allowing("10.0.0.1"))
        simulation.serveDatagrams(at: Self.endpoint)
        simulation.start()
        simulation.run(milliseconds: 1)
        let peers = [1, 2].map { simulation.kernel.datagramPeer(at: Simulation.client($0)) }
        for (place, peer) in peers.enumerated() {
            for turn in 0..<3 {
                peer.send(
                    DatagramText.make(sender: UInt32(place), place: UInt32(turn), count: 64),
                    to: Self.listener)
            }
        }
        simulation.run(milliseconds: 5)
        #expect(simulation.datagramEchoes[0].received == 3)
        #expect(peers.map(\.datagramsReceived) == [3, 0])
        #expect(simulation.counters[.flowsLive] == 1)
        #expect(simulation.counters[.clientDenied] == 3)
        #expect(simulation.counters[.datagramsDropped] == 3)
        finish(simulation)
    }
}
