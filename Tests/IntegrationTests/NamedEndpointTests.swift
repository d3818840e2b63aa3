import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    /// Backends that are names, resolved by dnsmasq, and endpoints that fail under clients.
    @Suite("Endpoints by name")
    struct NamedEndpointTests {
        /// A TCP listener whose Backend has these endpoints, and an EndpointPolicy.
        private static func configuration(
            port: UInt16, endpoints: String, policy: String
        ) -> String {
            """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: gw}
            spec:
              gatewayClassName: apus
              addresses: [{value: 127.0.0.1}]
              listeners: [{name: tcp, protocol: TCP, port: \(port)}]
            ---
            apiVersion: gateway.networking.k8s.io/v1alpha2
            kind: TCPRoute
            metadata: {name: r}
            spec:
              parentRefs: [{name: gw}]
              rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b}]}]
            ---
            apiVersion: gateway.envoyproxy.io/v1alpha1
            kind: Backend
            metadata: {name: b}
            spec: {endpoints: [\(endpoints)]}
            ---
            apiVersion: apus.dev/v1alpha1
            kind: EndpointPolicy
            metadata: {name: p}
            spec:
              targetRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b}]
              \(policy)

            """
        }

        private static func port(of server: StreamServer) throws -> UInt16 {
            guard case .ip(_, let port) = server.address else {
                throw ChildProcess.Failure(description: "no port at \(server.address)")
            }
            return port
        }

        private static func answer(_ port: UInt16) throws -> String {
            let listener = Forwarding.Listener(
                transport: .tcp, address: .ip(.loopbackIPv4, port: port), backends: [])
            return String(decoding: try listener.connect().readToEnd(), as: UTF8.self)
        }

        @Test("A client is served by the address of a name, from the first one on, and by the next")
        func host() throws {
            let (one, two) = (
                try StreamServer(on: anyPort, serve: StreamServer.greet("one")),
                try StreamServer(
                    on: .ip(IPAddress(v4: 0x7f00_0002), port: 0), serve: StreamServer.greet("two"))
            )
            let folder = TemporaryFolder()
            let (listen, name) = (try FreePort.take(), try FreePort.take())
            let records = folder.file("hosts", "127.0.0.1 host.test\n")
            let program = try Integration.dnsmasq(
                port: name, ["--addn-hosts=\(records)", "--local-ttl=1"])
            func text(_ port: UInt16) -> String {
                Self.configuration(
                    port: listen, endpoints: "{fqdn: {hostname: host.test, port: \(port)}}",
                    policy: "dns: {servers: [\"127.0.0.1:\(name)\"]}")
            }
            let file = folder.file("apus.yaml", text(try Self.port(of: one)))
            let apus = try ApusProcess(configuration: file)
            #expect(try Self.answer(listen) == "one", "\(apus.child.log)")
            // Another port of the same name needs no answer; another address does.
            rename(folder.file(".new", text(try Self.port(of: two))), file)
            rename(folder.file(".hosts", "127.0.0.2 host.test\n"), records)
            program.signal(SIGHUP)
            #expect(eventually { (try? Self.answer(listen)) == "two" }, "\(program.log)")
            _ = try apus.stop()
            program.signal(SIGTERM)
            _ = try program.wait()
            try one.stop()
            try two.stop()
        }

        @Test(
            "A service's records are tiers: the second serves while the first is away",
            arguments: ["Backend", "EndpointPolicy"])
        func service(namedIn kind: String) throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.greet("second"))
            let (listen, name, away) = (
                try FreePort.take(), try FreePort.take(), try FreePort.take()
            )
            let program = try Integration.dnsmasq(
                port: name,
                [
                    "--host-record=host.test,127.0.0.1",
                    "--srv-host=_x._tcp.test,host.test,\(away),1,1",
                    "--srv-host=_x._tcp.test,host.test,\(try Self.port(of: server)),2,1",
                ])
            let folder = TemporaryFolder()
            let dns = "dns: {servers: [\"127.0.0.1:\(name)\"]}"
            let isInBackend = kind == "Backend"
            let apus = try ApusProcess(
                configuration: folder.file(
                    "apus.yaml",
                    Self.configuration(
                        port: listen,
                        endpoints: isInBackend
                            ? "{srv: _x._tcp.test}"
                            : "{ip: {address: 127.0.0.1, port: \(away)}}",
                        policy: isInBackend ? dns : "srv: {name: _x._tcp.test}\n  \(dns)")))
            for _ in 0..<8 { #expect(try Self.answer(listen) == "second", "\(apus.child.log)") }
            _ = try apus.stop()
            // The first three clients cost a connect more each; then the first tier is left out.
            #expect(try apus.statistic("dialFailures") <= 6)
            program.signal(SIGTERM)
            _ = try program.wait()
            try server.stop()
        }

        @Test("No client notices that endpoints go away and come back")
        func failover() throws {
            let ports = try (0..<3).map { _ in try FreePort.take() }
            func serve(_ place: Int) throws -> StreamServer {
                try StreamServer(
                    on: .ip(.loopbackIPv4, port: ports[place]),
                    serve: StreamServer.greet("hello"))
            }
            var servers = try ports.indices.map(serve)
            let listen = try FreePort.take()
            let endpoints = ports.map { "{ip: {address: 127.0.0.1, port: \($0)}}" }
            let folder = TemporaryFolder()
            let apus = try ApusProcess(
                configuration: folder.file(
                    "apus.yaml",
                    Self.configuration(
                        port: listen, endpoints: endpoints.joined(separator: ", "),
                        policy: "udp: {idleTimeout: 5s}")))
            for round in 0..<6 {
                let place = round % 3
                try servers[place].stop()
                for _ in 0..<50 { #expect(try Self.answer(listen) == "hello") }
                servers[place] = try serve(place)
                for _ in 0..<50 { #expect(try Self.answer(listen) == "hello") }
            }
            _ = try apus.stop()
            // Three each until it is left out, and some before the keeper has seen it.
            let failures = try apus.statistic("dialFailures")
            #expect(failures >= 3 && failures < 120, "\(failures)")
            for server in servers { try server.stop() }
        }
    }
}
