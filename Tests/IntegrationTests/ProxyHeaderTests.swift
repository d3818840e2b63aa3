import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("The PROXY protocol, with other makers' senders and receivers")
    struct ProxyHeaderTests {
        private static let required = "proxyProtocol: {}"
        private static let optional = "proxyProtocol: {optional: true}"

        /// The body of the answer to one HTTP request over a connection, and the port it came from.
        private func get(
            from address: SocketAddress, header: [UInt8] = []
        ) throws -> (body: String, port: UInt16) {
            let client = try Socket.connected(to: address)
            guard case .ip(_, let port) = try client.localAddress else { return ("", 0) }
            try client.write(header + Array("GET / HTTP/1.0\r\n\r\n".utf8))
            let answer = String(decoding: try client.readToEnd(), as: UTF8.self)
            let body = answer.split(separator: "\r\n\r\n", maxSplits: 1).dropFirst().first ?? ""
            return (String(body.prefix { $0 != "\n" }), port)
        }

        @Test("nginx and HAProxy read the headers that are sent to them", arguments: ["V1", "V2"])
        func sent(version: String) throws {
            let ports = (try FreePort.take(), try FreePort.take())
            let peers = (
                try PeerProgram.nginxTellingClient(port: ports.0),
                try PeerProgram.haproxyTellingClient(port: ports.1)
            )
            let policy = "proxyProtocol: {version: \(version)}"
            let nginx = try Forwarding.Listener.tcp(
                to: .ip(.loopbackIPv4, port: ports.0), backend: policy)
            let haproxy = try Forwarding.Listener.tcp(
                to: .ip(.loopbackIPv4, port: ports.1), backend: policy)
            let apus = try ApusProcess(nginx, haproxy)
            for listener in [nginx, haproxy] {
                let (body, port) = try get(from: listener.address)
                #expect(body == "127.0.0.1 \(port)")
            }
            try apus.stopClean()
            withExtendedLifetime(peers) {}
        }

        @Test(
            "The headers of HAProxy are read, and what they say is sent on",
            arguments: ["send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn"])
        func accepted(sending: String) throws {
            let ports = (try FreePort.take(), try FreePort.take())
            let nginx = try PeerProgram.nginxTellingClient(port: ports.0)
            let listener = try Forwarding.Listener.tcp(
                to: .ip(.loopbackIPv4, port: ports.0), client: Self.required,
                backend: "proxyProtocol: {version: V2}")
            let apus = try ApusProcess(listener)
            let haproxy = try PeerProgram.haproxy(
                port: ports.1, to: listener.port, sending: sending)
            let (body, port) = try get(from: .ip(.loopbackIPv4, port: ports.1))
            #expect(body == "127.0.0.1 \(port)", "the client of HAProxy is seen behind both")
            #expect(try apus.stop() == 0)
            withExtendedLifetime((nginx, haproxy)) {}
        }

        @Test("curl's header is read")
        func curl() throws {
            let port = try FreePort.take()
            let nginx = try PeerProgram.nginxTellingClient(port: port)
            let listener = try Forwarding.Listener.tcp(
                to: .ip(.loopbackIPv4, port: port), client: Self.required,
                backend: "proxyProtocol: {version: V1}")
            let apus = try ApusProcess(listener)
            let curl = try ChildProcess([
                "curl", "-sS", "--haproxy-protocol", "http://127.0.0.1:\(listener.port)/",
            ])
            #expect(try curl.wait() == 0)
            try curl.awaitEnd()
            #expect(curl.log.hasPrefix("127.0.0.1 "), "\(curl.log)")
            try apus.stopClean()
            withExtendedLifetime(nginx) {}
        }

        /// Version 1, and version 2 with the same addresses (PROXY protocol §2.1, §2.2).
        private static let headers: [[UInt8]] = [
            Array("PROXY TCP4 192.0.2.1 192.0.2.2 4660 80\r\n".utf8),
            [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, 0x11, 0, 12]
                + [192, 0, 2, 1, 192, 0, 2, 2, 0x12, 0x34, 0, 80],
        ]

        @Test("A header may come byte by byte", arguments: headers)
        func byteByByte(header: [UInt8]) throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: server.address, client: Self.required)
            let apus = try ApusProcess(listener)
            let client = try listener.connect()
            try client.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            for byte in header { try client.write([byte]) }
            try client.expectEcho(of: "after the header")
            client.close()
            try server.stop()
            try apus.stopClean()
        }

        @Test("What is sent on says what the client's header said", arguments: headers)
        func addressesAreKept(header: [UInt8]) throws {
            let server = try StreamServer(on: anyPort) { socket in
                #expect(
                    try socket.readLine() == "PROXY TCP4 192.0.2.1 192.0.2.2 4660 80\r")
                try StreamServer.echo(socket)
            }
            let listener = try Forwarding.Listener.tcp(
                to: server.address, client: Self.required, backend: "proxyProtocol: {version: V1}")
            let apus = try ApusProcess(listener)
            let client = try listener.connect()
            try client.write(header + Array("first data".utf8))
            #expect(try client.read(exactly: 10) == Array("first data".utf8))
            client.close()
            try server.stop()
            try apus.stopClean()
        }

        @Test(
            "A malformed header is refused, and no endpoint sees any of it",
            arguments: [
                "PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
                "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
                "PROXY TCP4 ::1 192.0.2.2 1 2\r\n", "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
                "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", "GET / HTTP/1.0\r\n\r\n",
                "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
                "PROXY " + String(repeating: "x", count: 200),
            ])
        func malformed(header: String) throws {
            let server = try StreamServer(on: anyPort) { socket in
                let bytes = try socket.readToEnd()
                #expect(bytes.isEmpty)
            }
            let listener = try Forwarding.Listener.tcp(to: server.address, client: Self.required)
            let apus = try ApusProcess(listener)
            let client = try listener.connect()
            try client.write(header)
            _ = try client.endsByReset()
            try server.stop()
            try apus.stopClean()
            let reasons = ["proxy_header_malformed", "proxy_header_missing"]
            #expect(try reasons.map(apus.statistic).reduce(0, +) == 1)
        }

        @Test("Where the header is optional, connections without one are forwarded whole")
        func withoutHeader() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: server.address, client: Self.optional)
            let apus = try ApusProcess(listener)
            for text in ["hello", "PROX", "PROXIMITY is not PROXY"] {
                let client = try listener.connect()
                try client.write(text)
                try client.shutdownWrite()
                #expect(try client.readToEnd() == Array(text.utf8))
            }
            try server.stop()
            try apus.stopClean()
        }

        @Test("Where the header is optional, a client may wait for the server to speak first")
        func serverFirst() throws {
            let server = try StreamServer(on: anyPort) { socket in
                try socket.write("220 ready")
                try socket.shutdownWrite()
                _ = try socket.readToEnd()
            }
            let listener = try Forwarding.Listener.tcp(
                to: server.address,
                client: "\(Self.optional), timeout: {tcp: {connectionInspectionTimeout: 200ms}}")
            let apus = try ApusProcess(listener)
            let client = try listener.connect()
            #expect(try client.readToEnd() == Array("220 ready".utf8))
            try client.shutdownWrite()
            try server.stop()
            try apus.stopClean()
            #expect(try apus.statistic("inspection_timed_out") == 0)
        }

        @Test("A client that sends half a header and waits is cut off")
        func inspectionTimeout() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(
                to: server.address,
                client: "\(Self.required), timeout: {tcp: {connectionInspectionTimeout: 200ms}}")
            let apus = try ApusProcess(listener)
            let client = try listener.connect()
            try client.write("PROXY TCP4")
            _ = try client.endsByReset()
            try server.stop()
            try apus.stopClean()
            #expect(try apus.statistic("inspection_timed_out") == 1)
        }
    }
}
