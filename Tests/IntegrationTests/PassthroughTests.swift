import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("TLS that passes through")
    struct PassthroughTests {
        private let credentials: Credentials
        private let port: UInt16
        private let servers: [PeerProgram]
        private let apus: ApusProcess

        /// `a.example.com` goes to one nginx and `*.example.com` to another.
        init() throws {
            let credentials = try Credentials()
            self.credentials = credentials
            port = try FreePort.take()
            let ports = [try FreePort.take(), try FreePort.take()]
            servers = try zip(ports, ["a.example.com", "b.example.com"]).map { port, name in
                try PeerProgram.nginxSpeakingTLS(port: port, name, try credentials.server(name))
            }
            apus = try ApusProcess(
                configuration: credentials.folder.file(
                    "apus.yaml", Self.configuration(port, to: ports)))
        }

        private static func configuration(_ port: UInt16, to servers: [UInt16]) -> String {
            let gateway = """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: edge}
                spec:
                  gatewayClassName: apus
                  addresses: [{type: IPAddress, value: 127.0.0.1}]
                  listeners:
                  - {name: tls, protocol: TLS, port: \(port), hostname: "*.example.com",
                     tls: {mode: Passthrough}}
                """
            let routes = zip(["a", "\"*\""], servers).enumerated().map { place, route in
                """
                apiVersion: gateway.networking.k8s.io/v1
                kind: TLSRoute
                metadata: {name: r\(place)}
                spec:
                  parentRefs: [{name: edge}]
                  hostnames: ["\(route.0.filter { $0 != "\"" }).example.com"]
                  rules:
                  - backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b\(place)}]
                ---
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: Backend
                metadata: {name: b\(place)}
                spec: {endpoints: [{ip: {address: 127.0.0.1, port: \(route.1)}}]}
                """
            }
            return ([gateway] + routes).joined(separator: "\n---\n")
        }

        /// - Returns: curl's exit code, and what it printed.
        private func curl(_ name: String, _ arguments: String...) throws -> (Int32, String) {
            let curl = try ChildProcess(
                [
                    "curl", "-sS", "--max-time", "60", "--cacert", credentials.authority,
                    "--resolve", "\(name):\(port):127.0.0.1",
                ] + arguments + ["https://\(name):\(port)/"])
            let code = try curl.wait()
            try curl.awaitEnd()
            return (code, curl.log)
        }

        @Test("curl reaches the server that it names, with that server's own certificate")
        func names() throws {
            #expect(try curl("a.example.com") == (0, "a.example.com heard a.example.com"))
            #expect(try curl("b.example.com") == (0, "b.example.com heard b.example.com"))
            let old = try curl("a.example.com", "--tls-max", "1.2", "--http1.1")
            #expect(old == (0, "a.example.com heard a.example.com"))
            // The wildcard's server has no certificate for this one, and curl would not be told so
            // if anybody but that server had answered.
            let (code, log) = try curl("c.example.com")
            #expect(code == 60, "\(log)")
            try apus.stopClean()
            #expect(try apus.statistic("connectionsAccepted") == 4)
        }

        @Test("who asks for a name that is nobody's gets the alert that says so")
        func refusals() throws {
            for arguments in [["-servername", "a.example.net"], ["-noservername"]] {
                let client = try ChildProcess(
                    ["openssl", "s_client", "-connect", "127.0.0.1:\(port)"] + arguments)
                let code = try client.wait()
                #expect(code == 1)
                try client.awaitEnd()
                #expect(client.log.contains("SSL alert number 112"), "\(client.log)")
            }
            let plain = try Socket.connected(to: .ip(.loopbackIPv4, port: port))
            try plain.write("GET / HTTP/1.1\r\n\r\n")
            #expect(try !plain.endsByReset())
            try apus.stopClean()
            #expect(try apus.statistic("server_unknown") == 1)
            #expect(try apus.statistic("server_name_missing") == 1)
            #expect(try apus.statistic("not_tls") == 1)
        }

        @Test("a hello of more than 16 KiB that comes byte by byte is passed on as it came")
        func slowly() throws {
            let hello = HelloBytes(.padding(16_500), .serverName("a.example.com")).records()
            let client = try Socket.connected(to: .ip(.loopbackIPv4, port: port))
            for byte in hello[..<600] { try client.write([byte]) }
            try client.write(Array(hello[600...]))
            // nginx refuses such a hello by an alert, which only it can have sent.
            let answer = try client.readToEnd()
            #expect(answer.first == 21, "\(answer)")
            client.close()
            try apus.stopClean()
        }
    }
}
