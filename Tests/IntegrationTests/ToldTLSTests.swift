import Primitives
import Routing
import Synchronization
import TLS
import Testing
import Traffic

extension Integration {
    @Suite("What endpoints are told of a client's TLS")
    struct ToldTLSTests {
        private static let name = "a.example.com"
        private let credentials: Credentials
        private let port: UInt16

        init() throws {
            credentials = try Credentials()
            port = try FreePort.take()
        }

        private func configuration(
            _ proto: String, to backend: UInt16, tls policy: String = ""
        ) throws -> String {
            let isHTTP = proto == "HTTPS"
            let documents = [
                """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: edge}
                spec:
                  gatewayClassName: apus
                  addresses: [{type: IPAddress, value: 127.0.0.1}]
                  listeners:
                  - {name: main, protocol: \(proto), port: \(port),
                     tls: {mode: Terminate, certificateRefs: [{name: \(Self.name)}]}}
                """,
                """
                apiVersion: gateway.networking.k8s.io/\(isHTTP ? "v1" : "v1alpha2")
                kind: \(isHTTP ? "HTTPRoute" : "TCPRoute")
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
                """
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: BackendTrafficPolicy
                metadata: {name: p}
                spec:
                  targetRefs:
                  - {group: gateway.networking.k8s.io, kind: \(isHTTP ? "HTTPRoute" : "TCPRoute"),
                     name: r}
                  proxyProtocol: {version: V2}
                """,
                """
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: ClientTrafficPolicy
                metadata: {name: c}
                spec:
                  targetRefs:
                  - {group: gateway.networking.k8s.io, kind: Gateway, name: edge}
                  tls: {\(policy)}
                """,
                """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: ca}
                data:
                  ca.crt: |
                \(Credentials.indented(credentials.authority))
                """,
                try credentials.secret(Self.name, of: Self.name),
            ]
            return credentials.folder.file("apus.yaml", documents.joined(separator: "\n---\n"))
        }

        @Test("HAProxy hears the name that curl has asked for, of each connection by HTTP/2")
        func authority() throws {
            let backend = try FreePort.take()
            let haproxy = try PeerProgram.haproxyTellingAuthority(port: backend)
            let apus = try ApusProcess(configuration: try configuration("HTTPS", to: backend))
            for name in [Self.name, "Other.Example.com"] {
                let curl = try ChildProcess([
                    "curl", "-sS", "--max-time", "20", "--http2", "--insecure",
                    "--resolve", "\(name):\(port):127.0.0.1", "https://\(name):\(port)/",
                ])
                #expect(try curl.wait() == 0)
                try curl.awaitEnd()
                #expect(curl.log.lowercased() == "127.0.0.1 \(name.lowercased())")
            }
            try apus.stopClean()
            withExtendedLifetime(haproxy) {}
        }

        @Test(
            "name, protocol, version and the client's certificate stand in the header's TLVs",
            arguments: [false, true])
        func bytes(hasCertificate: Bool) throws {
            let header = Mutex<[UInt8]>([])
            let server = try StreamServer(on: anyPort) { socket in
                let head = try socket.read(exactly: 16)
                let count = Int(head[14]) << 8 | Int(head[15])
                let rest = try socket.read(exactly: count)
                header.withLock { $0 = head + rest }
                try StreamServer.echo(socket)
            }
            guard case .ip(_, let backend) = server.address else { return }
            let apus = try ApusProcess(
                configuration: try configuration(
                    "TLS", to: backend,
                    tls: "alpnProtocols: [h2, http/1.1], clientValidation: {optional: true, "
                        + "caCertificateRefs: [{kind: ConfigMap, group: \"\", name: ca}]}"))
            var plan = UpstreamTLSPlan(
                trust: .authorities([TemporaryFolder.text(of: credentials.authority) ?? ""]),
                alpnProtocols: ["http/1.1"])
            if hasCertificate {
                let (certificate, key) = try credentials.server("client")
                plan.clientCertificate = CertificatePlan(
                    name: "default/client", chain: TemporaryFolder.text(of: certificate) ?? "",
                    key: TemporaryFolder.text(of: key) ?? "")
            }
            let client = try SecureSocket(
                TLSClient(plan), name: Self.name,
                over: .connected(to: .ip(.loopbackIPv4, port: port)))
            try client.write([1, 2, 3])
            #expect(try client.read(exactly: 3) == [1, 2, 3])
            try client.end()
            try server.stop()
            try apus.stopClean()
            let told = header.withLock { Array($0.dropFirst(28)) }
            let state: [UInt8] = hasCertificate ? [7, 0, 0, 0, 0] : [1, 0, 0, 0, 1]
            let expected =
                [1, 0, 8] + Array("http/1.1".utf8) + [2, 0, 13] + Array(Self.name.utf8)
                + [0x20, 0, 15] + state + [0x21, 0, 7] + Array("TLSv1.3".utf8)
            #expect(told == expected)
        }
    }
}
