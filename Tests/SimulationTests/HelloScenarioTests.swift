import Kernel
import Primitives
import Routing
import SimulatedKernel
import Testing
import Traffic

@testable import Engine

/// TLS that passes through: where a ClientHello leads, and what becomes of those that lead nowhere.
@Suite struct HelloScenarioTests {
    private static let listener = SocketAddress.ip(.loopbackIPv4, port: 443)

    private static func endpoint(_ place: Int) -> SocketAddress {
        .ip(.loopbackIPv4, port: UInt16(9_000 + place))
    }

    /// Two servers on one port: `*.example.com`, where `a` goes to the first endpoint and the rest
    /// to the second, and `only.example.com`, which has no route.
    private func make(_ tcp: TCPListenerPlan = TCPListenerPlan()) throws -> Simulation {
        let simulation = try Simulation(seed: 9)
        simulation.addListener(
            on: Self.listener, .tcp(tcp), to: [Simulation.cluster([Self.endpoint(0)])],
            serverName: .suffix(".example.com"))
        simulation.plan.clusters.append(Simulation.cluster([Self.endpoint(1)]))
        let routes = [0, 1].map {
            RoutePlan(
                name: "TLSRoute/default/\($0)",
                backends: [WeightedBackend(cluster: $0, weight: 1)])
        }
        simulation.plan.listeners[0].routes = .tls([
            TLSServerPlan(
                name: "only", host: .exact("only.example.com"), mode: .passthrough([])),
            TLSServerPlan(
                name: "all", host: .suffix(".example.com"),
                mode: .passthrough([
                    TLSRoutePlan(hosts: [.exact("a.example.com")], route: routes[0]),
                    TLSRoutePlan(hosts: [.suffix(".example.com")], route: routes[1]),
                ])),
        ])
        return simulation
    }

    private func run(
        _ script: StreamScript, helloAwaited: [UInt8] = [], _ tcp: TCPListenerPlan = .init()
    ) throws -> Simulation {
        let simulation = try make(tcp)
        for place in 0..<2 {
            simulation.serve(at: Self.endpoint(place), helloAwaited: helloAwaited) {
                StreamScript(bytesToSend: 20_000 + place)
            }
        }
        simulation.start()
        simulation.connect(from: Simulation.client(1), to: Self.listener, script)
        simulation.finish()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
        return simulation
    }

    @Test(
        "a name leads to its route, in whatever pieces it comes, and the bytes stay as they were",
        arguments: [("a.example.com", 0), ("A.Example.COM.", 0), ("b.c.example.com", 1)],
        [1, 5, 16_384])
    func leads(to: (name: String, place: Int), recordBytes: Int) throws {
        var script = StreamScript(bytesToSend: 50_000)
        script.hello = HelloBytes(.serverName(to.name), .padding(300)).records(of: recordBytes)
        script.writeMax = 700
        let simulation = try run(script, helloAwaited: script.hello)
        simulation.expectCompletion()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
        #expect(simulation.clients[0].bytesReceived == 20_000 + to.place)
        #expect(simulation.counters[.clientClosed] + simulation.counters[.endpointClosed] == 1)
    }

    @Test("a hello behind a PROXY header is read too, however long it is")
    func behindHeader() throws {
        var script = StreamScript(bytesToSend: 50_000)
        script.preamble = Array("PROXY TCP4 192.0.2.1 192.0.2.9 1 2\r\n".utf8)
        script.hello = HelloBytes(.padding(20_000), .serverName("a.example.com")).records()
        let simulation = try run(
            script, helloAwaited: script.hello, TCPListenerPlan(proxyHeader: .required))
        simulation.expectCompletion()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
        #expect(simulation.clients[0].bytesReceived == 20_000)
    }

    @Test(
        "what leads nowhere ends for its reason, and reaches nobody",
        arguments: [
            (Array("GET / HTTP/1.1\r\n".utf8), TerminationReason.notTLS),
            (HelloBytes().records(), .serverNameMissing),
            (HelloBytes(.serverName("10.0.0.1")).records(), .serverNameMissing),
            (HelloBytes(.serverName("example.com")).records(), .serverUnknown),
            (HelloBytes(.serverName("only.example.com")).records(), .noRoute),
            ([22, 3, 1, 0, 0], .helloMalformed),
            (HelloBytes(.padding(33_000)).records(), .helloTooLong),
            (Array(HelloBytes(.padding(60_000)).records(of: 1).prefix(80_000)), .helloTooLong),
        ])
    func refusals(hello: [UInt8], reason: TerminationReason) throws {
        var script = StreamScript(bytesToSend: 8)
        (script.hello, script.isPreambleGood) = (hello, false)
        let simulation = try run(script)
        #expect(simulation.counters[reason] == 1, "\(simulation.counters)")
        #expect(simulation.backends.isEmpty)
    }

    @Test("who ends before the hello is whole, or is too slow with it, is closed")
    func slowness() throws {
        var script = StreamScript(bytesToSend: 0)
        script.isPreambleGood = false
        script.hello = Array(HelloBytes(.serverName("a.example.com")).records().dropLast())
        #expect(try run(script).counters[.helloMissing] == 1)
        script.ending = .lingers
        #expect(try run(script).counters[.inspectionTimedOut] == 1)
        script.hello = []
        #expect(
            try run(script, TCPListenerPlan(proxyHeader: .optional))
                .counters[.inspectionTimedOut] == 1)
    }
}
