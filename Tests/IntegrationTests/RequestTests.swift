import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("Requests of HTTP/1")
    struct RequestTests {
        private let folder = TemporaryFolder()
        private let port: UInt16
        private let backend: UInt16

        init() throws {
            port = try FreePort.take()
            backend = try FreePort.take()
        }

        private var configuration: String {
            let reference = "{group: gateway.envoyproxy.io, kind: Backend, name: b}"
            return folder.file(
                "apus.yaml",
                """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: edge}
                spec:
                  gatewayClassName: apus
                  addresses: [{type: IPAddress, value: 127.0.0.1}]
                  listeners: [{name: http, protocol: HTTP, port: \(port)}]
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: r}
                spec:
                  parentRefs: [{name: edge}]
                  hostnames: [shop.example.com]
                  rules:
                  - matches: [{path: {type: PathPrefix, value: /old}}]
                    filters:
                    - type: RequestRedirect
                      requestRedirect:
                        path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}
                        statusCode: 301
                  - matches: [{path: {type: PathPrefix, value: /api}}]
                    filters:
                    - type: URLRewrite
                      urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}
                    - type: RequestHeaderModifier
                      requestHeaderModifier:
                        {set: [{name: X-Team, value: birds}], remove: [User-Agent]}
                    - type: ResponseHeaderModifier
                      responseHeaderModifier:
                        {add: [{name: X-By, value: apus}], remove: [Server]}
                    backendRefs: [\(reference)]
                  - matches: [{path: {type: PathPrefix, value: /}}]
                    backendRefs: [\(reference)]
                ---
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: Backend
                metadata: {name: b}
                spec: {endpoints: [{ip: {address: 127.0.0.1, port: \(backend)}}]}
                """)
        }

        private func start() throws -> (PeerProgram, ApusProcess) {
            let origin = try PeerProgram.tellingRequests(port: backend)
            let apus = try ApusProcess(configuration: configuration)
            return (origin, apus)
        }

        private func curl(_ arguments: [String], path: String) throws -> String {
            let child = try ChildProcess(
                [
                    "curl", "-sS", "-i", "--max-time", "20", "-H", "Host: shop.example.com",
                ] + arguments + ["http://127.0.0.1:\(port)\(path)"])
            let code = try child.wait()
            try child.awaitEnd()
            #expect(code == 0, "\(child.log)")
            return child.log
        }

        /// What comes back for bytes that no proper client sends.
        private func talk(_ text: String) throws -> String {
            let socket = try Socket.connected(to: .ip(.loopbackIPv4, port: port))
            try socket.write(text)
            return String(decoding: try socket.readToEnd(), as: UTF8.self)
        }

        @Test("a request is routed by host and path, and told on as the rule says")
        func routing() throws {
            let (origin, apus) = try start()
            defer { withExtendedLifetime(origin) {} }
            let plain = try curl([], path: "/a/b?c=d")
            #expect(plain.contains("GET /a/b?c=d HTTP/1.1"))
            #expect(plain.contains("x-forwarded-for: 127.0.0.1"))
            #expect(plain.contains("x-forwarded-proto: http"))
            let edited = try curl([], path: "/api/v1")
            #expect(edited.contains("GET /v1 HTTP/1.1"))
            #expect(edited.contains("x-team: birds"))
            #expect(!edited.lowercased().contains("user-agent"))
            #expect(edited.contains("x-by: apus"))
            let redirect = try curl([], path: "/old/a")
            #expect(redirect.hasPrefix("HTTP/1.1 301 "))
            #expect(redirect.contains("location: http://shop.example.com:\(port)/new/a"))
            let unrouted = try talk("GET / HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n")
            #expect(unrouted.hasPrefix("HTTP/1.1 404 "))
            try apus.stopClean()
            #expect(try apus.statistic("requests") == 4)
            #expect(try apus.statistic("unrouted") == 1)
        }

        @Test("content passes both ways, by length and in chunks")
        func content() throws {
            let (origin, apus) = try start()
            defer { withExtendedLifetime(origin) {} }
            let file = folder.file("body", String(repeating: "0123456789abcdef", count: 1 << 17))
            let byLength = try curl(["-H", "Expect:", "--data-binary", "@\(file)"], path: "/up")
            #expect(byLength.contains("content: 2097152 bytes"))
            let inChunks = try curl(
                ["-H", "Transfer-Encoding: chunked", "--data-binary", "@\(file)"], path: "/up")
            #expect(inChunks.contains("content: 2097152 bytes"))
            let chunked = try curl([], path: "/chunked")
            #expect(chunked.lowercased().contains("transfer-encoding: chunked"))
            #expect(chunked.hasSuffix("chunk 0\nchunk 1\nchunk 2"))
            let old = try curl(["--http1.0"], path: "/chunked")
            #expect(!old.lowercased().contains("transfer-encoding"))
            #expect(old.hasSuffix("chunk 0\nchunk 1\nchunk 2"))
            let head = try curl(["-I"], path: "/chunked")
            #expect(head.hasPrefix("HTTP/1.1 200 "))
            try apus.stopClean()
        }

        @Test("requests that are sent together are answered in their order")
        func pipelining() throws {
            let (origin, apus) = try start()
            defer { withExtendedLifetime(origin) {} }
            let request = { (path: String, more: String) in
                "GET \(path) HTTP/1.1\r\nHost: shop.example.com\r\n\(more)\r\n"
            }
            let answers = try talk(
                request("/1", "") + request("/2", "") + request("/old/3", "")
                    + request("/4", "Connection: close\r\n"))
            let places = ["GET /1 ", "GET /2 ", "/new/3", "GET /4 "].map { answers.range(of: $0) }
            #expect(places.allSatisfy { $0 != nil }, "\(answers)")
            #expect(places == places.sorted { ($0 ?? 0) < ($1 ?? 0) })
            try apus.stopClean()
            // All went by one connection to the endpoint.
            #expect(try apus.statistic("dialAttempts") == 1)
        }

        @Test(
            "what could be read in two ways is refused, and reaches no endpoint",
            arguments: [
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
                "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n",
                "GET / HTTP/1.1\nHost: a\n\n",
                "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                "GET / HTTP/1.1\r\n\r\n",
                "nonsense\r\n\r\n",
            ])
        func refusals(text: String) throws {
            let (origin, apus) = try start()
            defer { withExtendedLifetime(origin) {} }
            let answer = try talk(text)
            #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
            #expect(answer.contains("connection: close\r\n"))
            try apus.stopClean()
            #expect(try apus.statistic("dialAttempts") == 0)
            #expect(try apus.statistic("malformed") == 1)
        }

        @Test("an upgrade to another version of HTTP is not passed on, and the request is answered")
        func hopUpgrade() throws {
            let (origin, apus) = try start()
            defer { withExtendedLifetime(origin) {} }
            let answer = try talk(
                "GET / HTTP/1.1\r\nHost: shop.example.com\r\nUpgrade: h2c\r\n"
                    + "HTTP2-Settings: AAMAAABk\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n"
                    + "GET / HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            #expect(!answer.lowercased().contains("upgrade"))
            #expect(!answer.lowercased().contains("http2-settings"))
            try apus.stopClean()
            #expect(try apus.statistic("answers2xx") == 2)
        }

        @Test("an endpoint that is not there is told by 503, and found when it is")
        func missingEndpoint() throws {
            let apus = try ApusProcess(configuration: configuration)
            #expect(try curl([], path: "/").hasPrefix("HTTP/1.1 503 "))
            let origin = try PeerProgram.tellingRequests(port: backend)
            defer { withExtendedLifetime(origin) {} }
            let isFound = try eventually { try curl([], path: "/").hasPrefix("HTTP/1.1 200 ") }
            #expect(isFound)
            try apus.stopClean()
        }
    }
}

extension String {
    /// Where a text first stands, in bytes.
    fileprivate func range(of text: String) -> Int? {
        let (all, wanted) = (Array(utf8), Array(text.utf8))
        guard all.count >= wanted.count else { return nil }
        return (0...(all.count - wanted.count)).first {
            all[$0..<($0 + wanted.count)].elementsEqual(wanted)
        }
    }
}
