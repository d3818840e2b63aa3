import Primitives
import Routing
import TLS
import Testing

@testable import Control

@Suite("What speaks TLS with endpoints")
struct TLSClientsTests {
    private static func cluster(_ name: String, _ tls: [UpstreamTLSPlan?]) -> ClusterPlan {
        let endpoints = tls.enumerated().map { place, tls in
            EndpointPlan(.address(.ip(.loopbackIPv4, port: UInt16(place + 1))), tls: tls)
        }
        return ClusterPlan(name: name, route: "TCPRoute/default/r", tiers: [endpoints])
    }

    private static func named(_ name: String) -> UpstreamTLSPlan {
        UpstreamTLSPlan(trust: .nobody, serverName: name)
    }

    @Test("A plan of TLS has one client, which goes on for as long as the plan is there")
    func kept() throws {
        var clients = TLSClients()
        let (a, b) = (Self.named("a.test"), Self.named("b.test"))
        #expect(
            clients.follow([Self.cluster("x", [a, nil, b, a]), Self.cluster("y", [a])]).isEmpty)
        #expect(Set(clients.known.keys) == [a, b])
        let first = try #require(clients.known[a])
        #expect(clients.follow([Self.cluster("y", [a])]).isEmpty)
        #expect(Set(clients.known.keys) == [a])
        #expect(clients.known[a] === first, "with the sessions that it can resume")
        #expect(clients.follow([]).isEmpty && clients.known.isEmpty)
    }

    @Test("A plan that is no good is told once for each Backend, and has no client")
    func faults() {
        var clients = TLSClients()
        var bad = Self.named("a.test")
        bad.settings.ciphers = ["NO-SUCH-CIPHER"]
        bad.settings.versionMax = .v1_2
        let failures = clients.follow([
            Self.cluster("default/x", [bad, Self.named("b.test")]),
            Self.cluster("default/x", [bad]), Self.cluster("default/y", [bad]),
        ])
        #expect(
            failures.map(\.description) == [
                "TLS to Backend default/x cannot be spoken: NO-SUCH-CIPHER is no cipher that can "
                    + "be used here",
                "TLS to Backend default/y cannot be spoken: NO-SUCH-CIPHER is no cipher that can "
                    + "be used here",
            ])
        #expect(Set(clients.known.keys) == [Self.named("b.test")])
    }
}
