import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("Requests of one client go to one endpoint")
    struct StickyRequestTests {
        private let ports: [UInt16]
        private let origin: PeerProgram

        init() throws {
            ports = try (0..<4).map { _ in try FreePort.take() }
            origin = try PeerProgram.nginxTellingPort(ports)
        }

        /// A listener before all endpoints that hashes as `fields` say.
        private func listener(_ fields: String) throws -> Forwarding.Listener {
            let place = { (number: Int) in SocketAddress.ip(.loopbackIPv4, port: ports[number]) }
            return try .http(
                to: place(0), place(1), place(2), place(3),
                backend: "loadBalancer: {type: ConsistentHash, consistentHash: {\(fields)}}")
        }

        /// The answer to a request by a connection of its own.
        private func get(
            _ listener: Forwarding.Listener, _ target: String = "/", _ lines: String...
        ) throws -> String {
            let socket = try listener.connect()
            let head = ["GET \(target) HTTP/1.1", "Host: a", "Connection: close"] + lines
            try socket.write(head.map { $0 + "\r\n" }.joined() + "\r\n")
            return String(decoding: try socket.readToEnd(), as: UTF8.self)
        }

        private func port(_ answer: String) -> String {
            answer.split(separator: " ").last.map(String.init) ?? ""
        }

        @Test("by a header's or a parameter's value")
        func values() throws {
            let header = try listener("type: Headers, headers: [{name: X-User}]")
            let parameter = try listener("type: QueryParams, queryParams: [{name: u}]")
            let apus = try ApusProcess(header, parameter, arguments: ["--workers", "2"])
            var seen: Set<String> = []
            for user in 0..<12 {
                let byHeader = try (0..<5).map { _ in port(try get(header, "/", "x-user: \(user)"))
                }
                #expect(Set(byHeader).count == 1, "\(byHeader)")
                let byParameter = try (0..<5).map {
                    port(try get(parameter, "/?v=\($0)&u=\(user)"))
                }
                #expect(Set(byParameter).count == 1, "\(byParameter)")
                // The same value is another key.
                seen.formUnion(byHeader + byParameter)
            }
            #expect(seen.count > 1)
            // Who has no such header is anybody's.
            #expect(Set(try (0..<16).map { _ in port(try get(header)) }).count > 1)
            try apus.stopClean()
        }

        @Test("by a cookie, which is made for who has none")
        func cookie() throws {
            let listener = try listener(
                "type: Cookie, cookie: {name: where, ttl: 1h, attributes: {Path: /}}")
            let apus = try ApusProcess(listener, arguments: ["--workers", "2"])
            var seen: Set<String> = []
            for _ in 0..<12 {
                let first = try get(listener)
                let line = try #require(
                    first.split(separator: "\r\n").first { $0.hasPrefix("set-cookie: where=") })
                #expect(line.hasSuffix("; Max-Age=3600; Path=/; HttpOnly"))
                let pair = line.dropFirst("set-cookie: ".count).prefix { $0 != ";" }
                for _ in 0..<5 {
                    let again = try get(listener, "/", "Cookie: other=1; \(pair)")
                    #expect(port(again) == port(first))
                    #expect(!again.contains("set-cookie"))
                }
                seen.insert(port(first))
            }
            #expect(seen.count > 1)
            try apus.stopClean()
        }

        @Test("by HTTP/2 as well")
        func streams() throws {
            let listener = try listener("type: Cookie, cookie: {name: where, ttl: 0s}")
            let apus = try ApusProcess(listener)
            let child = try ChildProcess(
                [
                    "curl", "-sSi", "--max-time", "20", "--http2-prior-knowledge",
                    "http://127.0.0.1:\(listener.port)/",
                ])
            #expect(try child.wait() == 0)
            try child.awaitEnd()
            let line = child.log.split(whereSeparator: \.isNewline).first {
                $0.hasPrefix("set-cookie: where=")
            }
            #expect(line?.hasSuffix("; HttpOnly") == true, "\(child.log)")
            let pair = line?.dropFirst("set-cookie: ".count).prefix { $0 != ";" } ?? ""
            let again = try get(listener, "/", "Cookie: \(pair)")
            #expect(port(again) == port(child.log))
            try apus.stopClean()
        }
    }
}
