import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("Filters of HTTPRoutes")
    struct RequestFilterTests {
        private let folder = TemporaryFolder()
        private let port: UInt16
        private let backend: UInt16
        private let copies: UInt16

        init() throws {
            port = try FreePort.take()
            backend = try FreePort.take()
            copies = try FreePort.take()
        }

        private var configuration: String {
            let reference = { (name: String) in
                "{group: gateway.envoyproxy.io, kind: Backend, name: \(name)}"
            }
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
                  rules:
                  - matches: [{path: {type: PathPrefix, value: /cors}}]
                    filters:
                    - type: CORS
                      cors:
                        allowOrigins: ["https://*.example.com"]
                        allowMethods: [GET, PUT]
                        allowHeaders: [X-Token]
                        exposeHeaders: [X-Count]
                        maxAge: 600
                    backendRefs: [\(reference("b"))]
                  - matches: [{path: {type: PathPrefix, value: /mirror}}]
                    filters:
                    - type: RequestMirror
                      requestMirror: {backendRef: \(reference("copies"))}
                    backendRefs: [\(reference("b"))]
                  - matches: [{path: {type: PathPrefix, value: /never}}]
                    filters:
                    - type: RequestMirror
                      requestMirror: {backendRef: \(reference("copies")), percent: 0}
                    backendRefs: [\(reference("b"))]
                ---
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: Backend
                metadata: {name: b}
                spec: {endpoints: [{ip: {address: 127.0.0.1, port: \(backend)}}]}
                ---
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: Backend
                metadata: {name: copies}
                spec: {endpoints: [{ip: {address: 127.0.0.1, port: \(copies)}}]}
                """)
        }

        private func curl(_ path: String, _ arguments: String...) throws -> String {
            let child = try ChildProcess(
                ["curl", "-sS", "-i", "--max-time", "20"] + arguments
                    + ["http://127.0.0.1:\(port)\(path)"])
            let code = try child.wait()
            try child.awaitEnd()
            #expect(code == 0, "\(child.log)")
            return child.log
        }

        @Test(
            "browsers are told which origins may use a page",
            arguments: ["--http1.1", "--http2-prior-knowledge"])
        func origins(version: String) throws {
            let origin = try PeerProgram.tellingRequests(port: backend)
            let apus = try ApusProcess(configuration: configuration)
            let question = try curl(
                "/cors/a", version, "-X", "OPTIONS", "-H", "Origin: https://a.example.com",
                "-H", "Access-Control-Request-Method: PUT")
            #expect(question.contains(" 204"))
            #expect(question.contains("access-control-allow-origin: https://a.example.com\r\n"))
            #expect(question.contains("access-control-allow-methods: GET, PUT\r\n"))
            #expect(question.contains("access-control-allow-headers: X-Token\r\n"))
            #expect(question.contains("access-control-max-age: 600\r\n"))
            let answer = try curl("/cors/a", version, "-H", "Origin: https://a.example.com")
            #expect(answer.contains(" 200"))
            #expect(answer.contains("access-control-allow-origin: https://a.example.com\r\n"))
            #expect(answer.contains("vary: Origin\r\n"))
            #expect(answer.contains("access-control-expose-headers: X-Count\r\n"))
            let other = try curl("/cors/a", version, "-H", "Origin: https://a.example.org")
            #expect(other.contains(" 200"))
            #expect(!other.contains("access-control"))
            let refused = try curl(
                "/cors/a", version, "-X", "OPTIONS", "-H", "Origin: https://a.example.org",
                "-H", "Access-Control-Request-Method: PUT")
            #expect(refused.contains(" 204"))
            #expect(!refused.contains("access-control"))
            try apus.stopClean()
            // Only the two requests themselves have reached an endpoint.
            #expect(origin.child.log == "GET /cors/a 0\nGET /cors/a 0")
        }

        @Test(
            "copies of requests go to a mirror, whose answers nobody sees",
            arguments: ["--http1.1", "--http2-prior-knowledge"])
        func mirrors(version: String) throws {
            let origin = try PeerProgram.tellingRequests(port: backend)
            let mirror = try PeerProgram.tellingRequests(port: copies)
            let apus = try ApusProcess(configuration: configuration)
            let file = folder.file("body", String(repeating: "0123456789abcdef", count: 1 << 16))
            #expect(try curl("/mirror/a", version).contains("GET /mirror/a HTTP/1.1"))
            let sent = try curl(
                "/mirror/b", version, "-H", "Expect:", "--data-binary", "@\(file)")
            #expect(sent.contains("content: 1048576 bytes"))
            #expect(try curl("/never/a", version).contains(" 200"))
            #expect(try eventually { mirror.child.log.contains("POST /mirror/b 1048576") })
            #expect(mirror.child.log == "GET /mirror/a 0\nPOST /mirror/b 1048576")
            try apus.stopClean()
            #expect(
                origin.child.log == "GET /mirror/a 0\nPOST /mirror/b 1048576\nGET /never/a 0")
            #expect(try apus.statistic("answers2xx") == 3)
        }

        @Test("a mirror that is not there costs nobody anything")
        func missingMirror() throws {
            let origin = try PeerProgram.tellingRequests(port: backend)
            defer { withExtendedLifetime(origin) {} }
            let apus = try ApusProcess(configuration: configuration)
            for _ in 0..<5 { #expect(try curl("/mirror/a").hasPrefix("HTTP/1.1 200 ")) }
            try apus.stopClean()
            #expect(try apus.statistic("answers5xx") == 0)
            #expect(try apus.statistic("dialFailures") == 5)
        }
    }
}
