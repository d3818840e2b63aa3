import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("The admin server")
    struct AdminServerTests {
        private static let anywhere = ["--admin", "127.0.0.1:0"]

        @Test("Every page is there, and programs can read those that are for them")
        func pages() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener, arguments: Self.anywhere)
            let place = try AdminPlace(of: apus.child)
            let client = try listener.connect()
            try client.expectEcho()

            #expect(try place.get("/ready") == (200, "LIVE\n"))
            let clusters = try place.get("/clusters").body.split(separator: "\n")
                .filter { $0.contains("/default/l0-b0::\(server.address)::") }
            #expect(clusters.contains { $0.hasSuffix("::cx_active::1") }, "\(clusters)")
            #expect(clusters.contains { $0.hasSuffix("::health_flags::healthy") }, "\(clusters)")
            let listeners = try place.get("/listeners").body
            #expect(listeners == "default/l0/main::\(listener.address)\n")
            let stats = try place.get("/stats?filter=apus.connections").body
            #expect(
                stats == "apus.connections_accepted_total: 1\napus.connections_live: 1\n")
            try place.checkByPrograms()

            client.close()
            try server.stop()
            try apus.stopClean()
        }

        @Test("What is not there, not allowed or not for everybody is refused, and harms nothing")
        func refusals() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener, arguments: Self.anywhere)
            let place = try AdminPlace(of: apus.child)
            let unknown = try place.get("/quitquitquit")
            #expect(unknown.code == 404)
            #expect(unknown.body.contains("/stats/prometheus"))
            let posted = try place.get("/ready", ["-X", "POST", "-d", "a=b", "-i"])
            #expect(posted.code == 405)
            #expect(posted.body.contains("Allow: GET, HEAD"))
            #expect(try place.get("/ready", ["-H", "Host: evil.test"]).code == 421)
            #expect(try place.get("/ready", ["-H", "Host: localhost:1"]).code == 200)
            let cookie = String(repeating: "a", count: 9_000)
            #expect(try place.get("/ready", ["-H", "Cookie: \(cookie)"]).code == 431)
            #expect(try place.get("/stats?filter=(").code == 400)
            #expect(try place.get("/ready", ["--http0.9", "-X", "GET /"]).code == 400)
            #expect(try place.get("/ready", ["-I"]).code == 200)

            try listener.connect().expectEcho()
            try server.stop()
            try apus.stopClean()
        }

        @Test("Visitors who come in crowds and say nothing wait, and clients do not notice")
        func crowd() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener, arguments: Self.anywhere)
            let place = try AdminPlace(of: apus.child)
            let port = try #require(UInt16(place.text.split(separator: ":").last ?? ""))
            let before = apus.child.descriptorCount
            var crowd = try (0..<40).map { _ in
                try Socket.connected(to: .ip(.loopbackIPv4, port: port))
            }
            #expect(eventually { apus.child.descriptorCount == before + 16 })
            try listener.connect().expectEcho()
            #expect(eventually { apus.child.descriptorCount == before + 16 })
            crowd.removeAll()
            #expect(try place.get("/ready").code == 200)
            #expect(eventually { apus.child.descriptorCount == before })
            try server.stop()
            try apus.stopClean()
        }

        @Test("It can be at a Unix socket, which is gone at the end, or nowhere")
        func unix() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let folder = TemporaryFolder()
            let place = AdminPlace("unix:\(folder.path)/admin.sock")
            let apus = try ApusProcess(
                .tcp(to: server.address), arguments: ["--admin", place.text])
            #expect(try place.get("/ready") == (200, "LIVE\n"))
            #expect(try place.endpoints().count == 2)
            try apus.stopClean()
            #expect(access("\(folder.path)/admin.sock", F_OK) != 0)
            let silent = try ApusProcess(.tcp(to: server.address), arguments: ["--admin", "off"])
            #expect(!silent.child.log.contains("admin server"))
            try silent.stopClean()
            try server.stop()
        }

        @Test("A place that is taken is told with what helps, and the exit code is 1")
        func taken() throws {
            let holder = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: holder.address)
            let folder = TemporaryFolder()
            let file = folder.file("apus.yaml", Forwarding(listener).yaml)
            let (code, log) = try ApusProcess.failingToStart(
                ["run", "--config", file, "--admin", "\(holder.address)"])
            #expect(code == 1)
            #expect(log.contains("the admin server cannot listen on \(holder.address)"), "\(log)")
            #expect(log.contains("--admin 127.0.0.1:PORT"), "\(log)")
            #expect(log.contains("--admin off"), "\(log)")
            try holder.stop()
        }

        @Test("It is where the ApusConfig says, and follows a reload with what it shows")
        func configuration() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let (one, two) = (
                try Forwarding.Listener.tcp(to: server.address),
                try Forwarding.Listener.tcp(to: server.address)
            )
            let place = AdminPlace("127.0.0.1:\(try FreePort.take())")
            let folder = TemporaryFolder()
            func write(_ forwarding: Forwarding) -> String {
                folder.file(
                    "apus.yaml",
                    """
                    apiVersion: apus.dev/v1alpha1
                    kind: ApusConfig
                    metadata: {name: apus}
                    spec: {admin: "\(place.text)"}
                    ---
                    \(forwarding.yaml)
                    """)
            }
            let file = write(Forwarding(one))
            let apus = try ChildProcess(
                [ApusProcess.binary, "run", "--config", file, "--workers", "1"])
            try apus.awaitLine(containing: "ready")
            #expect(try place.get("/listeners").body == "default/l0/main::\(one.address)\n")
            _ = write(Forwarding(one, two))
            #expect(
                try eventually {
                    try place.get("/listeners").body
                        == "default/l0/main::\(one.address)\ndefault/l1/main::\(two.address)\n"
                })
            #expect(try place.get("/clusters").body.contains("/default/l1-b0::"))
            apus.signal(SIGTERM)
            #expect(try apus.wait() == 0)
            try server.stop()
        }

        @Test("While it drains it says so, and to whom connections still go")
        func draining() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener, arguments: Self.anywhere)
            let place = try AdminPlace(of: apus.child)
            let client = try listener.connect()
            try client.expectEcho()
            apus.child.signal(SIGTERM)
            try apus.child.awaitLine(containing: "draining")
            #expect(try place.get("/ready") == (503, "DRAINING\n"))
            #expect(try place.get("/stats?filter=connections_live").body.contains(": 1"))
            client.close()
            #expect(try apus.child.wait() == 0)
            try server.stop()
        }
    }

    @Suite("apus endpoints")
    struct EndpointsCommandTests {
        /// - Returns: the columns behind the cluster's name, one space between.
        private func rows(_ place: AdminPlace, _ arguments: String...) throws -> [String] {
            try place.endpoints().filter { $0.hasPrefix("tcproute/") }
                .map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
        }

        @Test("It says who serves, who was left out and why, and who is checked and ill")
        func states() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let gone = SocketAddress.ip(.loopbackIPv4, port: try FreePort.take())
            var listeners = [
                try Forwarding.Listener.tcp(to: server.address, gone),
                try Forwarding.Listener.tcp(
                    to: server.address, gone,
                    backend: "healthCheck: {panicThreshold: 0, active: {type: TCP, timeout: 5s, "
                        + "interval: 50ms, tcp: {}}}"),
            ]
            listeners[0].backends[0].endpoints = [server.address, gone]
            var forwarding = Forwarding()
            forwarding.listeners = listeners
            let apus = try ApusProcess(forwarding, arguments: ["--admin", "127.0.0.1:0"])
            let place = try AdminPlace(of: apus.child)
            // Each second one is led to the endpoint that is gone first, until it is left out.
            for _ in 0..<6 { try listeners[0].connect().expectEcho() }
            let ejected = try #require(
                try waitFor(place) { $0.hasPrefix("0 \(gone) - 1 ejected 0 3 3 1 failed ") })
            #expect(ejected.hasSuffix(" s"))
            #expect(
                try waitFor(place) {
                    $0.hasPrefix("0 \(gone) - 1 down 0 0 0 0 connect refused; ")
                        && $0.hasSuffix(" checks failed in a row")
                } != nil)
            #expect(
                try waitFor(place) { $0 == "0 \(server.address) - 1 serving 0 6 0 0" } != nil)
            let part = try place.endpoints("default/l1-b0")
            #expect(part.count == 3, "the titles, and one cluster's endpoints: \(part)")
            let clusters = try place.get("/clusters").body
            #expect(clusters.contains("l1-b0::\(gone)::health_flags::/failed_active_hc\n"))
            #expect(clusters.contains("l0-b0::\(gone)::health_flags::/failed_outlier_check\n"))
            // Checks end by a reset, which is no failure here.
            server.halt()
            try apus.stopClean()
        }

        /// A row that is so, as soon as there is one.
        private func waitFor(
            _ place: AdminPlace, _ isSo: (String) -> Bool
        ) throws -> String? {
            var found: String?
            let isFound = try eventually {
                found = try rows(place).first(where: isSo)
                return found != nil
            }
            if !isFound { Issue.record("\(try place.endpoints().joined(separator: "\n"))") }
            return found
        }

        @Test("It shows the names behind endpoints, with what was answered")
        func names() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            guard case .ip(_, let port) = server.address else { return }
            let name = try FreePort.take()
            let program = try Integration.dnsmasq(
                port: name, ["--host-record=cart.test,127.0.0.1", "--local-ttl=600"])
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let folder = TemporaryFolder()
            let text = Forwarding(listener).yaml.replacing(
                "ip: {address: \"127.0.0.1\", port: \(port)}",
                with: "fqdn: {hostname: cart.test, port: \(port)}")
            let file = folder.file(
                "apus.yaml",
                """
                \(text)---
                apiVersion: apus.dev/v1alpha1
                kind: EndpointPolicy
                metadata: {name: p}
                spec:
                  targetRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: l0-b0}]
                  dns: {servers: ["127.0.0.1:\(name)"]}

                """)
            let apus = try ApusProcess(
                configuration: file, arguments: ["--admin", "127.0.0.1:0"])
            let place = try AdminPlace(of: apus.child)
            try listener.connect().expectEcho()
            let lines = try place.endpoints()
            #expect(lines.contains { $0.contains(" 0 \(server.address) cart.test 1 serving ") })
            #expect(lines.contains { $0.hasPrefix("cart.test A 1 ") }, "\(lines)")
            let dns = try place.get("/dns").body
            #expect(dns.contains("cart.test::A::answers::127.0.0.1\n"), "\(dns)")
            #expect(dns.contains("cart.test::A::last_error::none\n"), "\(dns)")
            try server.stop()
            try apus.stopClean()
            withExtendedLifetime(program) {}
        }

        @Test("Where no Apus answers it says what to do, and the exit code is 1")
        func nobody() throws {
            let place = "127.0.0.1:\(try FreePort.take())"
            let (code, log) = try ApusProcess.failingToStart(["endpoints", "--admin", place])
            #expect(code == 1)
            #expect(log.contains("no Apus answers at \(place)"), "\(log)")
            let server = try StreamServer(on: anyPort) { socket in
                _ = try socket.read()
                try socket.write("SSH-2.0-a\r\n")
            }
            let (other, said) = try ApusProcess.failingToStart(
                ["endpoints", "--admin", "\(server.address)"])
            #expect(other == 1)
            #expect(said.contains("no admin server of Apus"), "\(said)")
            try server.stop()
        }
    }
}
