import Kernel
import Primitives
import Routing
import SimulatedKernel
import Testing
import Traffic

@testable import Engine

/// TLS that ends at a listener.
@Suite struct HandshakeScenarioTests {
    private static let listener = SocketAddress.ip(.loopbackIPv4, port: 443)
    private static let endpoint = SocketAddress.ip(.loopbackIPv4, port: 9_001)

    private func make(_ tcp: TCPListenerPlan = TCPListenerPlan()) throws -> Simulation {
        let simulation = try Simulation(seed: 3)
        simulation.addListener(
            on: Self.listener, .tcp(tcp), to: [Simulation.cluster([Self.endpoint])],
            serverName: .exact("a.example.com"), ends: try ServerCertificate.makeServer())
        simulation.serve(at: Self.endpoint) { StreamScript(bytesToSend: 100_000) }
        simulation.start()
        return simulation
    }

    @Test("forty clients who come at once are all served, whatever waits for its turn")
    func burst() throws {
        let simulation = try make()
        let client = try ServerCertificate.makeClient()
        for place in 0..<40 {
            simulation.connect(
                from: Simulation.client(place), to: Self.listener, over: client,
                StreamScript(bytesToSend: 50_000))
        }
        simulation.finish()
        simulation.expectCompletion()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
        #expect(simulation.counters[.bytesFromClients] == 40 * 50_000, "counted as plaintext")
        #expect(simulation.counters[.clientClosed] + simulation.counters[.endpointClosed] == 40)
    }

    @Test("a client's first 64 KiB come in records of a segment, the rest in large ones")
    func recordSizes() throws {
        let simulation = try Simulation(seed: 3)
        simulation.addListener(
            on: Self.listener, .tcp(TCPListenerPlan()), to: [Simulation.cluster([Self.endpoint])],
            serverName: .exact("a.example.com"), ends: try ServerCertificate.makeServer())
        simulation.serve(at: Self.endpoint) { StreamScript(bytesToSend: 400_000) }
        simulation.start()
        simulation.connect(
            from: Simulation.client(1), to: Self.listener,
            over: try ServerCertificate.makeClient(), StreamScript(bytesToSend: 10))
        simulation.finish()
        simulation.expectCompletion()
        let sizes = try #require(simulation.clients.first?.secure?.recordsRead)
        var bytes = 0
        for size in sizes {
            if bytes < 65_536 { #expect(size <= 1_369, "after \(bytes) bytes") }
            bytes += size
        }
        #expect(bytes == 400_000 && sizes.contains { $0 > 8_192 }, "\(sizes)")
    }

    @Test("a PROXY header before the hello is read, and what the client sends at once is not lost")
    func behindHeader() throws {
        let simulation = try make(TCPListenerPlan(proxyHeader: .required))
        var script = StreamScript(bytesToSend: 20_000)
        script.preamble = Array("PROXY TCP4 192.0.2.1 192.0.2.9 1 2\r\n".utf8)
        simulation.connect(
            from: Simulation.client(1), to: Self.listener,
            over: try ServerCertificate.makeClient(), script)
        simulation.finish()
        simulation.expectCompletion()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
    }

    @Test("a handshake that fails, ends early or stands still ends for its reason")
    func failures() throws {
        func run(_ script: StreamScript) throws -> Counters {
            let simulation = try make(TCPListenerPlan())
            var script = script
            script.isPreambleGood = false
            simulation.connect(from: Simulation.client(1), to: Self.listener, script)
            simulation.finish()
            #expect(simulation.problems.isEmpty, "\(simulation.report)")
            #expect(simulation.backends.isEmpty)
            return simulation.counters
        }
        var script = StreamScript(bytesToSend: 0)
        // It offers no group and no signature.
        script.hello = HelloBytes(.serverName("a.example.com")).records()
        #expect(try run(script)[.handshakeFailed] == 1)
        script.ending = .lingers
        #expect(try run(script)[.handshakeFailed] == 1, "by our alert")
    }
}
