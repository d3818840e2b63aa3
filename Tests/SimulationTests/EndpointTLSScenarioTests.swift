import Primitives
import Routing
import SimulatedKernel
import Testing

@testable import Engine

/// TLS that begins here, with endpoints.
@Suite struct EndpointTLSScenarioTests {
    private static let listener = SocketAddress.ip(.loopbackIPv4, port: 80)

    private static func endpoint(_ place: Int) -> SocketAddress {
        .ip(.loopbackIPv4, port: UInt16(9_000 + place))
    }

    private func make(
        endpoints: Int = 1, header: ClusterPlan.ProxyHeader = .none,
        connectTimeoutMilliseconds: UInt32 = 10_000, endsTLS: Bool = false,
        _ tls: UpstreamTLSPlan = ServerCertificate.trusting
    ) throws -> Simulation {
        let simulation = try Simulation(seed: 5)
        simulation.addListener(
            on: Self.listener, .tcp(TCPListenerPlan()),
            to: [
                Simulation.cluster(
                    (0..<endpoints).map(Self.endpoint), header: header,
                    connectTimeoutMilliseconds: connectTimeoutMilliseconds, tls: tls)
            ],
            serverName: endsTLS ? .exact("a.example.com") : nil,
            ends: endsTLS ? try ServerCertificate.makeServer() : nil)
        return simulation
    }

    private func serve(_ simulation: Simulation, at place: Int, awaitsHeader: Bool = false) throws {
        simulation.serve(
            at: Self.endpoint(place), awaitsHeader: awaitsHeader,
            ends: try ServerCertificate.makeServer()
        ) { StreamScript(bytesToSend: 100_000) }
    }

    private func connect(_ simulation: Simulation, _ countMax: Int = 1) {
        for place in 0..<countMax {
            simulation.connect(
                from: Simulation.client(place), to: Self.listener,
                StreamScript(bytesToSend: 50_000))
        }
    }

    @Test(
        "forty clients who come at once get TLS to their endpoints, in as many turns as it takes",
        arguments: [TLSSettings.Version.v1_2, .v1_3])
    func burst(version: TLSSettings.Version) throws {
        // By 1.2 the endpoint's first bytes come with the end of its handshake.
        var plan = ServerCertificate.trusting
        plan.settings.versionMax = version
        let simulation = try make(plan)
        try serve(simulation, at: 0)
        simulation.start()
        connect(simulation, 40)
        simulation.finish()
        simulation.expectCompletion()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
        #expect(simulation.counters[.dialFailures] == 0)
        #expect(simulation.counters[.clientClosed] + simulation.counters[.endpointClosed] == 40)
    }

    @Test("TLS with both sides: what one session decrypts another encrypts")
    func bothSides() throws {
        let simulation = try make(endsTLS: true)
        try serve(simulation, at: 0)
        simulation.start()
        let client = try ServerCertificate.makeClient()
        for place in 0..<12 {
            simulation.connect(
                from: Simulation.client(place), to: Self.listener, over: client,
                StreamScript(bytesToSend: 150_000))
        }
        simulation.finish()
        simulation.expectCompletion()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
    }

    @Test("a PROXY header goes before the handshake, in the clear")
    func header() throws {
        for header in [ClusterPlan.ProxyHeader.v1, .v2] {
            let simulation = try make(header: header)
            try serve(simulation, at: 0, awaitsHeader: true)
            simulation.start()
            connect(simulation, 3)
            simulation.finish()
            simulation.expectCompletion()
            #expect(simulation.problems.isEmpty, "\(simulation.report)")
            #expect(simulation.backends.count { $0.header != nil } == 3)
        }
    }

    @Test("an endpoint whose certificate is for another, or is not believed, gets not a byte")
    func unbelieved() throws {
        var other = ServerCertificate.trusting
        other.serverName = "b.example.com"
        for plan in [other, UpstreamTLSPlan(trust: .system, serverName: "a.example.com")] {
            let simulation = try make(endpoints: 2, plan)
            try serve(simulation, at: 0)
            try serve(simulation, at: 1)
            simulation.start()
            connect(simulation)
            simulation.finish()
            #expect(simulation.problems.isEmpty, "\(simulation.report)")
            #expect(simulation.counters[.endpointHandshakeFailed] == 1)
            #expect(simulation.counters[.dialFailures] == 2, "both were tried")
            #expect(simulation.backends.allSatisfy { $0.bytesReceived == 0 })
            #expect(simulation.clients[0].end == .reset)
        }
    }

    /// What an endpoint does instead of a handshake.
    enum Misbehaviour: CaseIterable {
        case saysSomethingElse, closes, resets, isSilent, isNotThere
    }

    @Test("who does not agree on TLS is passed over for the next", arguments: Misbehaviour.allCases)
    func nextEndpoint(_ misbehaviour: Misbehaviour) throws {
        let simulation = try make(endpoints: 2, connectTimeoutMilliseconds: 4_000)
        var script = StreamScript(bytesToSend: 0)
        script.isDeaf = true
        switch misbehaviour {
        case .saysSomethingElse:
            script.hello = Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)
            script.ending = .lingers
        case .closes: break
        case .resets: script.ending = .resets(after: 0)
        case .isSilent: script.ending = .lingers
        case .isNotThere: break
        }
        if misbehaviour != .isNotThere {
            simulation.serve(at: Self.endpoint(0)) { script }
        }
        try serve(simulation, at: 1)
        simulation.start()
        connect(simulation, 6)
        simulation.finish()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
        #expect(simulation.clients.allSatisfy { $0.end == .clean })
        #expect(simulation.counters[.dialFailures] > 0)
    }

    @Test("a stream that ends without close_notify ends so for a client by TLS, and plainly by TCP")
    func cutOff() throws {
        for endsTLS in [false, true] {
            let simulation = try make(endsTLS: endsTLS)
            var script = StreamScript(bytesToSend: 30_000)
            script.ending = .cutsOff
            simulation.serve(
                at: Self.endpoint(0), ends: try ServerCertificate.makeServer()
            ) { script }
            simulation.start()
            simulation.connect(
                from: Simulation.client(1), to: Self.listener,
                over: endsTLS ? try ServerCertificate.makeClient() : nil,
                StreamScript(bytesToSend: 20_000))
            simulation.finish()
            #expect(simulation.problems.isEmpty, "\(simulation.report)")
            #expect(simulation.clients[0].bytesReceived == 30_000)
            #expect(simulation.clients[0].end == (endsTLS ? .reset : .clean))
            #expect(simulation.backends[0].bytesReceived == 20_000)
            #expect(simulation.backends[0].end == .clean)
        }
    }

    @Test("what is no record ends the connection, and the other side knows that it was no end")
    func garbled() throws {
        for isEndpoint in [false, true] {
            let simulation = try make(endsTLS: true)
            var bad = StreamScript(bytesToSend: 30_000)
            bad.ending = .garbles
            let good = StreamScript(bytesToSend: 20_000)
            simulation.serve(at: Self.endpoint(0), ends: try ServerCertificate.makeServer()) {
                isEndpoint ? bad : good
            }
            simulation.start()
            simulation.connect(
                from: Simulation.client(1), to: Self.listener,
                over: try ServerCertificate.makeClient(), isEndpoint ? good : bad)
            simulation.finish()
            #expect(simulation.problems.isEmpty, "\(simulation.report)")
            let reason = isEndpoint ? TerminationReason.endpointRecordsFailed : .clientRecordsFailed
            #expect(simulation.counters[reason] == 1)
            let other = isEndpoint ? simulation.clients[0] : simulation.backends[0]
            #expect(other.end == .reset)
        }
    }

    @Test("a handshake that finds no buffer goes on when slow readers give some back")
    func starved() throws {
        let simulation = try Simulation(
            seed: 5, settings: WorkerSettings(connectionsMax: 64, features: .all, buffersMax: 6))
        simulation.kernel.socketCapacities = [16_384]
        let slow = SocketAddress.ip(.loopbackIPv4, port: 81)
        simulation.addListener(
            on: slow, .tcp(TCPListenerPlan()), to: [Simulation.cluster([Self.endpoint(1)])])
        simulation.addListener(
            on: Self.listener, .tcp(TCPListenerPlan()),
            to: [Simulation.cluster([Self.endpoint(0)], tls: ServerCertificate.trusting)])
        simulation.serve(at: Self.endpoint(1)) {
            var script = StreamScript(bytesToSend: 100)
            (script.readMax, script.restRate) = (4_096, 1_024)
            script.restNanosecondsMax = 100_000_000
            return script
        }
        simulation.serve(at: Self.endpoint(0), ends: try ServerCertificate.makeServer()) {
            StreamScript(bytesToSend: 100)
        }
        simulation.start()
        for place in 0..<8 {
            simulation.connect(
                from: Simulation.client(place), to: slow, StreamScript(bytesToSend: 150_000))
            simulation.connect(
                from: Simulation.client(10 + place), to: Self.listener, after: 50_000_000,
                StreamScript(bytesToSend: 100))
        }
        simulation.finish()
        simulation.expectCompletion()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
        #expect(simulation.counters[.bufferStarvations] > 0)
    }

    @Test("when nobody is left the client is told, with what the last attempt failed for")
    func nobodyLeft() throws {
        func run(_ ending: StreamScript.Ending) throws -> Counters {
            let simulation = try make(connectTimeoutMilliseconds: 500)
            var script = StreamScript(bytesToSend: 0)
            script.isDeaf = true
            script.ending = ending
            simulation.serve(at: Self.endpoint(0)) { script }
            simulation.start()
            connect(simulation)
            simulation.finish()
            #expect(simulation.problems.isEmpty, "\(simulation.report)")
            #expect(simulation.clients[0].end == .reset)
            return simulation.counters
        }
        #expect(try run(.halfClose)[.endpointHandshakeFailed] == 1)
        #expect(try run(.resets(after: 0))[.endpointHandshakeFailed] == 1)
        #expect(try run(.lingers)[.connectTimedOut] == 1)
    }
}
