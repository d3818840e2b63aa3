import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("TLS that ends here")
    struct TerminationTests {
        private let credentials: Credentials
        private let port: UInt16

        init() throws {
            credentials = try Credentials()
            port = try FreePort.take()
        }

        /// A listener with certificates for these names, before one plain Backend.
        private func configuration(
            _ names: [String], to server: SocketAddress, policy: String = ""
        ) throws -> String {
            guard case .ip(_, let backend) = server else { return "" }
            let references = names.map { "{name: \"\($0)\"}" }.joined(separator: ", ")
            let secrets = try names.map { try credentials.secret($0, of: $0) }
            let documents = [
                """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: edge}
                spec:
                  gatewayClassName: apus
                  addresses: [{type: IPAddress, value: 127.0.0.1}]
                  listeners:
                  - {name: tls, protocol: TLS, port: \(port),
                     tls: {mode: Terminate, certificateRefs: [\(references)]}}
                """,
                """
                apiVersion: gateway.networking.k8s.io/v1alpha2
                kind: TCPRoute
                metadata: {name: r}
                spec:
                  parentRefs: [{name: edge}]
                  rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b}]}]
                """,
                """
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: Backend
                metadata: {name: b}
                spec: {endpoints: [{ip: {address: 127.0.0.1, port: \(backend)}}]}
                """,
            ]
            let policies =
                policy.isEmpty
                ? []
                : [
                    """
                    apiVersion: gateway.envoyproxy.io/v1alpha1
                    kind: ClientTrafficPolicy
                    metadata: {name: p}
                    spec:
                      targetRefs:
                      - {group: gateway.networking.k8s.io, kind: Gateway, name: edge}
                      \(policy)
                    """
                ]
            let text = (documents + secrets + policies).joined(separator: "\n---\n")
            return credentials.folder.file("apus.yaml", text)
        }

        /// - Returns: the exit code of `openssl s_client`, and what it printed.
        private func openssl(_ arguments: String...) throws -> (Int32, String) {
            try openssl(arguments: arguments)
        }

        private func openssl(arguments: [String]) throws -> (Int32, String) {
            let client = try ChildProcess(
                ["openssl", "s_client", "-connect", "127.0.0.1:\(port)"] + arguments)
            let code = try client.wait()
            try client.awaitEnd()
            return (code, client.log)
        }

        @Test("Every byte goes both ways, through HAProxy's TLS and ours")
        func transfer() throws {
            let up = Transfer(seed: seed, count: 48 << 20)
            let down = Transfer(seed: seed &+ 1, count: 48 << 20)
            let server = try StreamServer(on: anyPort) {
                try $0.exchange(sending: down, receiving: up)
            }
            let entrance = try FreePort.take()
            // Whoever looks whether it listens is not to get through.
            let haproxy = try PeerProgram.haproxySpeakingTLS(
                port: entrance, to: port, "a.example.com", authority: credentials.authority)
            let apus = try ApusProcess(
                configuration: try configuration(["a.example.com"], to: server.address))
            #expect(throws: Never.self, repetition()) {
                let client = try Socket.connected(to: .ip(.loopbackIPv4, port: entrance))
                try client.exchange(sending: up, receiving: down)
                try server.stop()
            }
            try apus.stopClean()
            #expect(try apus.statistic("bytesFromClients") == up.count)
            withExtendedLifetime(haproxy) {}
        }

        @Test("Each name gets its certificate, by TLS 1.2 and 1.3, and nothing older is spoken")
        func names() throws {
            let web = try FreePort.take()
            let nginx = try PeerProgram.nginxBeingChecked(
                port: web, http2Port: try FreePort.take(), proxyPort: try FreePort.take())
            let names = ["a.example.com", "b.example.com"]
            let apus = try ApusProcess(
                configuration: try configuration(names, to: .ip(.loopbackIPv4, port: web)))
            for (name, version) in zip(names + names, ["1.2", "1.2", "1.3", "1.3"]) {
                let curl = try ChildProcess([
                    "curl", "-sS", "--max-time", "60", "--http1.1", "--cacert",
                    credentials.authority, "--tls-max", version,
                    "--resolve", "\(name):\(port):127.0.0.1", "https://\(name):\(port)/well",
                ])
                #expect(try curl.wait() == 0)
                try curl.awaitEnd()
                #expect(curl.log == "all is well with \(name)")
            }
            let (code, log) = try openssl("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
            #expect(code == 1)
            #expect(log.contains("SSL alert number 70"), "\(log)")
            try apus.stopClean()
            #expect(try apus.statistic("handshake_failed") == 1)
            withExtendedLifetime(nginx) {}
        }

        @Test("Clients that ask get the OCSP response that stands beside the certificate")
        func staple() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let file = try configuration(
                ["a.example.com", "b.example.com"], to: server.address)
            let response = try credentials.base64(try credentials.staple("a.example.com"))
            let secret = "metadata: {name: a.example.com}"
            let lines = (TemporaryFolder.text(of: file) ?? "").split(separator: "\n").map {
                $0 == secret ? "\(secret)\ndata: {tls.ocsp-staple: \"\(response)\"}" : $0
            }
            let text = lines.joined(separator: "\n")
            let apus = try ApusProcess(
                configuration: credentials.folder.file("stapled.yaml", text))
            let usual = ["-status", "-CAfile", credentials.authority, "-verify_return_error"]
            for version in ["-tls1_2", "-tls1_3"] {
                let (code, log) = try openssl(
                    arguments: usual + [version, "-servername", "a.example.com"])
                #expect(code == 0)
                #expect(log.contains("OCSP Response Status: successful"), "\(log)")
                #expect(log.contains("Cert Status: good"), "\(log)")
                let (_, other) = try openssl(
                    arguments: usual + [version, "-servername", "b.example.com"])
                #expect(other.contains("OCSP response: no response sent"), "\(other)")
            }
            try server.stop()
            try apus.stopClean()
        }

        @Test("Who has no certificate of the authority is refused, and who has one is let in")
        func clientCertificates() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let file = try configuration(
                ["a.example.com"], to: server.address,
                policy: "tls: {clientValidation: {caCertificateRefs: [{kind: ConfigMap, "
                    + "group: \"\", name: ca}]}}")
            let folder = TemporaryFolder()
            let text = TemporaryFolder.text(of: file) ?? ""
            let configuration = folder.file(
                "apus.yaml",
                """
                \(text)
                ---
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: ca}
                data:
                  ca.crt: |
                \(Credentials.indented(credentials.authority))
                """)
            let apus = try ApusProcess(configuration: configuration)
            let (certificate, key) = try credentials.server("client.example.com")
            let (code, log) = try openssl("-cert", certificate, "-key", key)
            #expect(code == 0, "\(log)")
            let (_, refused) = try openssl("-ign_eof")
            #expect(refused.contains("SSL alert number 116"), "\(refused)")
            let others = try Credentials()
            let foreign = try others.server("client.example.com")
            let (_, unknown) = try openssl(
                "-ign_eof", "-cert", foreign.certificate, "-key", foreign.key)
            #expect(unknown.contains("SSL alert number 48"), "\(unknown)")
            try server.stop()
            try apus.stopClean()
            #expect(try apus.statistic("client_certificate_refused") == 2)
        }

        @Test("A handshake that is broken off, slow or no handshake ends for its reason")
        func failures() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let apus = try ApusProcess(
                configuration: try configuration(
                    ["a.example.com"], to: server.address,
                    policy: "timeout: {tcp: {tlsHandshakeTimeout: 200ms}}"))
            let hello = HelloBytes(.serverName("a.example.com")).records()
            // It offers nothing that both could speak.
            let mute = try Socket.connected(to: .ip(.loopbackIPv4, port: port))
            try mute.write(hello)
            #expect(try mute.readToEnd().first == 21, "an alert")
            let (_, log) = try openssl("-cipher", "NULL-SHA:@SECLEVEL=0", "-tls1_2")
            #expect(log.contains("alert number 40"), "\(log)")
            // A hello, and then nothing.
            let slow = try ChildProcess([
                "/usr/bin/python3", "-c", Self.slowClient, "\(port)",
            ])
            #expect(try slow.wait() == 0)
            try slow.awaitEnd()
            #expect(slow.lines.last == "closed", "\(slow.log)")
            try server.stop()
            try apus.stopClean()
            #expect(try apus.statistic("handshake_failed") == 2)
            #expect(try apus.statistic("handshake_timed_out") == 1)
        }

        private static let slowClient = """
            import socket, ssl, sys
            context = ssl.create_default_context()
            into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = context.wrap_bio(into, out, server_hostname="a.example.com")
            try:
                client.do_handshake()
            except ssl.SSLWantReadError:
                pass
            connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60)
            connection.sendall(out.read())
            while connection.recv(65536):
                pass
            print("closed")
            """
    }
}
