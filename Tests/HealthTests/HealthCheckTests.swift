import Primitives
import Routing
import Testing

@testable import Health

@Suite("What is checked")
struct HealthCheckTests {
    private static let place = SocketAddress.ip(.of("192.0.2.1"), port: 80)
    private static let tcp = HealthCheckPlan.Active(probe: .tcp(send: [], expect: []))

    private static func http(host: String? = nil) -> HealthCheckPlan.Active {
        .init(probe: .http(.init(host: host, path: "/")))
    }

    @Test("another port is checked where one is given, but never of a Unix socket")
    func ports() {
        var plan = Self.tcp
        plan.port = 81
        let endpoint = EndpointPlan(.address(Self.place))
        let check = HealthCheck(endpoint, at: Self.place, plan: plan, framing: .opaque)
        #expect(check.address == .ip(.of("192.0.2.1"), port: 81))
        let direct = SocketAddress.ip(.of("192.0.2.1"), port: 81)
        #expect(check == HealthCheck(endpoint, at: direct, plan: Self.tcp, framing: .opaque))
        let unix = SocketAddress.unix(path: "/run/a")
        let other = HealthCheck(
            EndpointPlan(.address(unix)), at: unix, plan: plan, framing: .opaque)
        #expect(other.address == unix)
    }

    @Test("the host is the probe's, else the endpoint's, else its name, else its address")
    func hosts() {
        let named = EndpointPlan(.name("a.test", port: 80))
        let renamed = EndpointPlan(.name("a.test", port: 80), hostname: "b.test")
        let plain = EndpointPlan(.address(Self.place))
        func host(
            _ endpoint: EndpointPlan, _ plan: HealthCheckPlan.Active, at: SocketAddress = Self.place
        ) -> String {
            HealthCheck(endpoint, at: at, plan: plan, framing: .http1).host
        }
        #expect(host(renamed, Self.http(host: "c.test")) == "c.test")
        #expect(host(renamed, Self.http()) == "b.test")
        #expect(host(named, Self.http()) == "a.test")
        #expect(host(plain, Self.http()) == "192.0.2.1:80")
        #expect(host(plain, Self.http(), at: .unix(path: "/run/a")) == "localhost")
        #expect(host(renamed, .init(probe: .grpc(service: ""))) == "b.test")
    }

    @Test(
        "TLS is spoken with the probe's protocol, for the endpoint's name, and not with datagrams")
    func tls() {
        var plan = UpstreamTLSPlan(trust: .system, alpnProtocols: ["own"])
        plan.serverName = "s.test"
        let endpoint = EndpointPlan(.name("a.test", port: 443), tls: plan)
        func protocols(
            _ probe: HealthCheckPlan.Probe, _ framing: ClusterPlan.Framing
        ) -> [String]? {
            let check = HealthCheck(
                endpoint, at: Self.place, plan: .init(probe: probe), framing: framing)
            #expect(check.tls == nil || check.tlsName == "a.test" && check.tls?.serverName != nil)
            return check.tls?.alpnProtocols
        }
        #expect(protocols(.tcp(send: [], expect: []), .opaque) == ["own"])
        #expect(protocols(Self.http().probe, .opaque) == ["http/1.1"])
        #expect(protocols(Self.http().probe, .http2) == ["h2"])
        #expect(protocols(.grpc(service: ""), .opaque) == ["h2"])
        #expect(protocols(.udp(send: [], expect: []), .opaque) == nil)
    }

    @Test("what makes no difference to a probe makes no other check")
    func equality() {
        let named = EndpointPlan(.name("a.test", port: 80))
        let plain = EndpointPlan(.address(Self.place))
        let framings: [ClusterPlan.Framing] = [.opaque, .http1, .http2, .websocket]
        func checks(_ plan: HealthCheckPlan.Active) -> Set<HealthCheck> {
            var checks: Set<HealthCheck> = []
            for framing in framings {
                for endpoint in [named, plain] {
                    checks.insert(
                        HealthCheck(endpoint, at: Self.place, plan: plan, framing: framing))
                }
            }
            return checks
        }
        #expect(checks(Self.tcp).count == 1)
        #expect(checks(.init(probe: .udp(send: [], expect: []))).count == 1)
        #expect(checks(Self.http(host: "c.test")).count == 2, "HTTP/1.1 and HTTP/2")
        #expect(checks(Self.http()).count == 4, "and by hosts")
        #expect(checks(.init(probe: .grpc(service: "s"))).count == 2)
    }
}

extension IPAddress {
    static func of(_ text: String) -> IPAddress {
        guard let address = IPAddress(text) else { preconditionFailure("no address: \(text)") }
        return address
    }
}
