import Health
import Primitives
import Routing
import Synchronization
import TLS
import Testing
import Traffic

extension Integration {
    @Suite("Checks of endpoints of other makes")
    struct HealthThreadTests {
        private func http(
            _ path: String, host: String? = nil, body: String = ""
        ) -> HealthCheckPlan.Probe {
            .http(.init(host: host, path: path, expectedBody: Array(body.utf8)))
        }

        @Test("nginx is checked by HTTP/1.1, by HTTP/2, and after a PROXY header")
        func nginx() throws {
            let ports = try (0..<3).map { _ in try FreePort.take() }
            let nginx = try PeerProgram.nginxBeingChecked(
                port: ports[0], http2Port: ports[1], proxyPort: ports[2])
            let endpoints = try CheckedEndpoints()
            for framing in [ClusterPlan.Framing.http1, .http2] {
                let port = framing == .http2 ? ports[1] : ports[0]
                #expect(
                    endpoints.first(
                        .of(
                            port, http("/well", host: "a.test", body: "with a.test"),
                            framing: framing)) == .healthy)
                #expect(
                    endpoints.first(.of(port, http("/well", body: "ill"), framing: framing))
                        == .unhealthy(.bodyDiffers(status: 200)))
                #expect(
                    endpoints.first(.of(port, http("/ill"), framing: framing))
                        == .unhealthy(.status(503, isRetriable: false)))
            }
            for header in [ClusterPlan.ProxyHeader.v1, .v2] {
                #expect(
                    endpoints.first(.of(ports[2], http("/well"), proxyHeader: header)) == .healthy)
            }
            // nginx drops who sends no header.
            let verdict = endpoints.first(.of(ports[2], http("/well")))
            #expect(verdict != .healthy && verdict != nil)
            withExtendedLifetime(nginx) {}
        }

        @Test("nginx is checked by TLS with each protocol, and who is not believed is ill for that")
        func secure() throws {
            let credentials = try Credentials()
            let port = try FreePort.take()
            let nginx = try PeerProgram.nginxSpeakingTLS(
                port: port, "a", try credentials.server("a.example.com"))
            let authority = TemporaryFolder.text(of: credentials.authority) ?? ""
            let tls = UpstreamTLSPlan(trust: .authorities([authority]))
            let endpoints = try CheckedEndpoints()
            func first(
                _ probe: HealthCheckPlan.Probe, framing: ClusterPlan.Framing = .http1,
                _ name: String = "a.example.com", by tls: UpstreamTLSPlan
            ) -> HealthVerdict? {
                endpoints.first(.of(port, probe, framing: framing, hostname: name, tls: tls))
            }
            for framing in [ClusterPlan.Framing.http1, .http2] {
                // It is asked for the name by SNI.
                #expect(
                    first(http("/", body: "a heard a.example.com"), framing: framing, by: tls)
                        == .healthy)
                #expect(
                    first(http("/", body: "b"), framing: framing, by: tls)
                        == .unhealthy(.bodyDiffers(status: 200)))
            }
            #expect(first(.tcp(send: [], expect: []), by: tls) == .healthy)
            func fault(_ verdict: HealthVerdict?) -> TLSFault.Kind? {
                if case .unhealthy(.tlsFailed(let fault))? = verdict { fault.kind } else { nil }
            }
            let wrong = first(.tcp(send: [], expect: []), "b.example.com", by: tls)
            #expect(fault(wrong) == .certificateWrongHost)
            let system = first(http("/"), by: UpstreamTLSPlan(trust: .system))
            #expect(fault(system) == .certificateUntrusted)
            #expect(first(http("/"), by: UpstreamTLSPlan(trust: .nobody)) == .healthy)
            withExtendedLifetime(nginx) {}
        }

        @Test("Python's grpcio is asked for its health, and for that of a service")
        func grpc() throws {
            let port = try FreePort.take()
            let server = try PeerProgram.grpcBeingChecked(port: port)
            let endpoints = try CheckedEndpoints()
            #expect(endpoints.first(.of(port, .grpc(service: ""))) == .healthy)
            #expect(endpoints.first(.of(port, .grpc(service: "well"))) == .healthy)
            #expect(
                endpoints.first(.of(port, .grpc(service: "ill"))) == .unhealthy(.notServing(2)))
            #expect(
                endpoints.first(.of(port, .grpc(service: "unknown")))
                    == .unhealthy(.rpcFailed(code: 5, message: "no such service")))
            withExtendedLifetime(server) {}
        }

        @Test("A connection is enough for a check, unless there is something to say")
        func streams() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let port = server.address.port
            let endpoints = try CheckedEndpoints()
            let ping = Array("ping".utf8)
            #expect(endpoints.first(.of(port, .tcp(send: [], expect: []))) == .healthy)
            #expect(endpoints.first(.of(port, .tcp(send: ping, expect: ping))) == .healthy)
            #expect(
                endpoints.first(
                    .of(port, .tcp(send: ping, expect: [1])) { $0.timeout = 100 })
                    == .unhealthy(.timedOut(milliseconds: 100)))
            #expect(
                endpoints.first(.of(try FreePort.take(), .tcp(send: [], expect: [])))
                    == .unhealthy(.connectRefused))
            server.halt()
        }

        @Test("A datagram is answered, refused, or neither")
        func datagrams() throws {
            let server = try DatagramServer(on: anyPort) { $0 == [1] ? [[2]] : [] }
            let port = server.address.port
            let endpoints = try CheckedEndpoints()
            #expect(endpoints.first(.of(port, .udp(send: [1], expect: [2]))) == .healthy)
            #expect(
                endpoints.first(.of(port, .udp(send: [3], expect: [])) { $0.timeout = 50 })
                    == .healthy)
            #expect(
                endpoints.first(.of(port, .udp(send: [3], expect: [2])) { $0.timeout = 50 })
                    == .unhealthy(.timedOut(milliseconds: 50)))
            #expect(
                endpoints.first(.of(try FreePort.take(), .udp(send: [1], expect: [])))
                    == .unhealthy(.datagramRefused))
            try server.stop()
        }

        @Test("It takes so many failures in a row, and so many successes")
        func thresholds() throws {
            let isWell = Mutex(true)
            let server = try DatagramServer(on: anyPort) { datagram in
                isWell.withLock { $0 } ? [datagram] : []
            }
            let endpoints = try CheckedEndpoints()
            let check = HealthCheck.of(server.address.port, .udp(send: [1], expect: [1])) {
                $0.interval = 20
                $0.timeout = 20
                $0.unhealthyThreshold = 3
                $0.healthyThreshold = 2
            }
            #expect(endpoints.first(check) == .healthy)
            isWell.withLock { $0 = false }
            #expect(
                endpoints.verdict(of: check, after: 1) == .unhealthy(.timedOut(milliseconds: 20)))
            #expect(try endpoints.report(of: check).failures >= 3)
            isWell.withLock { $0 = true }
            #expect(endpoints.verdict(of: check, after: 2) == .healthy)
            #expect(try endpoints.report(of: check).failureLast == .timedOut(milliseconds: 20))
            try server.stop()
        }

        @Test("Hundreds of endpoints that do not answer hold nobody up, and leave nothing behind")
        func manySilent() throws {
            // Linux drops a SYN to a socket whose accept queue is full (`listen(2)`).
            let silent = try Socket.listening(on: anyPort, backlog: 0)
            let filler = try Socket.connected(to: silent.localAddress)
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let endpoints = try CheckedEndpoints { $0.flyingMax = 64 }
            let dead = Set(
                try (0..<300).map { number in
                    HealthCheck.of(try silent.localAddress.port, .tcp(send: [], expect: [])) {
                        $0.timeout = 200
                        // Told apart by something.
                        $0.healthyThreshold = UInt32(number + 1)
                    }
                })
            let well = HealthCheck.of(server.address.port, .tcp(send: [], expect: []))
            endpoints.thread.want(dead.union([well]))
            #expect(endpoints.verdict(of: well) == .healthy)
            for check in dead {
                #expect(
                    endpoints.verdict(of: check) == .unhealthy(.timedOut(milliseconds: 200)))
            }
            endpoints.thread.want([])
            let report = try endpoints.report()
            #expect(report.checks.isEmpty && report.flyingCount == 0 && report.waitingCount == 0)
            filler.close()
            server.halt()
        }
    }
}
