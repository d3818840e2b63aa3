import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("What policies say of requests")
    struct RequestPolicyTests {
        private let folder = TemporaryFolder()
        private let port: UInt16
        private let backend: UInt16

        init() throws {
            port = try FreePort.take()
            backend = try FreePort.take()
        }

        /// - Parameters:
        ///   - client, traffic: what stands below `spec` of a ClientTrafficPolicy and a
        ///     BackendTrafficPolicy; empty = there is none.
        private func configuration(
            client: String = "", traffic: String = "", security: String = ""
        ) -> String {
            let gateway = "{group: gateway.networking.k8s.io, kind: Gateway, name: edge}"
            let route = "{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}"
            var documents = [
                """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: edge}
                spec:
                  gatewayClassName: apus
                  addresses: [{type: IPAddress, value: 127.0.0.1}]
                  listeners: [{name: http, protocol: HTTP, port: \(port)}]
                """,
                """
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
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
            let policies = [
                ("ClientTrafficPolicy", gateway, client), ("BackendTrafficPolicy", route, traffic),
                ("SecurityPolicy", route, security),
            ]
            for (kind, target, spec) in policies where !spec.isEmpty {
                documents.append(
                    """
                    apiVersion: gateway.envoyproxy.io/v1alpha1
                    kind: \(kind)
                    metadata: {name: p}
                    spec:
                      targetRefs: [\(target)]
                      \(spec)
                    """)
            }
            return folder.file("apus.yaml", documents.joined(separator: "\n---\n"))
        }

        private func start(_ configuration: String) throws -> (PeerProgram, ApusProcess) {
            let origin = try PeerProgram.tellingRequests(port: backend)
            return (origin, try ApusProcess(configuration: configuration))
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
            "a request that fails is sent again, as often as the policy says",
            arguments: ["--http1.1", "--http2-prior-knowledge"])
        func retries(version: String) throws {
            let (origin, apus) = try start(
                configuration(
                    traffic: """
                        retry:
                            numRetries: 2
                            retryOn: {triggers: [gateway-error]}
                            perRetry: {backOff: {baseInterval: 10ms, maxInterval: 20ms}}
                        """))
            defer { withExtendedLifetime(origin) {} }
            #expect(try curl("/fails/a", version).contains(" 200"))
            #expect(try curl("/drops/a", version).contains(" 200"))
            // What has gone to an endpoint once is not there to be sent again.
            let body = try curl("/fails/b", version, "-H", "Expect:", "-d", "content")
            #expect(body.contains(" 503"))
            #expect(body.hasSuffix("busy"))
            try apus.stopClean()
            #expect(try apus.statistic("requestsRepeated") == 4)
        }

        @Test("without a policy nothing is sent again that an endpoint may have seen")
        func noRetries() throws {
            let (origin, apus) = try start(configuration())
            defer { withExtendedLifetime(origin) {} }
            #expect(try curl("/drops/a").hasPrefix("HTTP/1.1 503 "))
            #expect(try curl("/fails/a").hasPrefix("HTTP/1.1 503 "))
            try apus.stopClean()
            #expect(try apus.statistic("requestsRepeated") == 0)
        }

        @Test("the client's address is taken from where the policy says, and judged")
        func clientAddress() throws {
            let (origin, apus) = try start(
                configuration(
                    client: "clientIPDetection: {xForwardedFor: {numTrustedHops: 1}}",
                    security: """
                        authorization:
                            defaultAction: Deny
                            rules:
                            - action: Allow
                              principal: {clientCIDRs: [192.0.2.0/24]}
                        """))
            defer { withExtendedLifetime(origin) {} }
            let allowed = try curl("/", "-H", "X-Forwarded-For: 10.0.0.1, 192.0.2.1")
            #expect(allowed.hasPrefix("HTTP/1.1 200 "))
            #expect(allowed.contains("x-forwarded-for: 10.0.0.1, 192.0.2.1,127.0.0.1"))
            #expect(try curl("/", "-H", "X-Forwarded-For: 10.0.0.1").hasPrefix("HTTP/1.1 403 "))
            #expect(try curl("/").hasPrefix("HTTP/1.1 403 "))
            try apus.stopClean()
            #expect(try apus.statistic("denied") == 2)
        }

        @Test("pages of the origins that a SecurityPolicy names may use the answers")
        func origins() throws {
            let (origin, apus) = try start(
                configuration(
                    security: """
                        cors:
                            allowOrigins: ["https://*.example.com"]
                            allowMethods: [GET, PUT]
                            allowCredentials: true
                            maxAge: 10m
                        """))
            defer { withExtendedLifetime(origin) {} }
            let page = "Origin: https://a.example.com"
            let question = try curl(
                "/", "-X", "OPTIONS", "-H", page, "-H", "Access-Control-Request-Method: PUT")
            #expect(question.hasPrefix("HTTP/1.1 204 "))
            #expect(question.contains("access-control-allow-methods: GET, PUT\r\n"))
            #expect(question.contains("access-control-max-age: 600\r\n"))
            let answer = try curl("/", "-H", page)
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            #expect(answer.contains("access-control-allow-origin: https://a.example.com\r\n"))
            #expect(answer.contains("access-control-allow-credentials: true\r\n"))
            let other = try curl("/", "-H", "Origin: https://a.example.org")
            #expect(!other.contains("access-control"))
            try apus.stopClean()
        }

        @Test("a listener tells that it is well, and ends connections after so many requests")
        func listener() throws {
            let (origin, apus) = try start(
                configuration(
                    client: """
                        healthCheck: {path: /well}
                          connection: {connectionLimit: {value: 1000, maxRequestsPerConnection: 2}}
                        """))
            defer { withExtendedLifetime(origin) {} }
            let well = try curl("/well")
            #expect(well.hasPrefix("HTTP/1.1 200 "))
            let second = try curl("/a", "-o", "/dev/null", "http://127.0.0.1:\(port)/a")
            #expect(second.contains("connection: close"))
            let url = "http://127.0.0.1:\(port)/a"
            let streams = try ChildProcess(["nghttp", "-nv", url, url + "b"])
            #expect(try streams.wait() == 0)
            try streams.awaitEnd()
            #expect(streams.log.contains("recv GOAWAY frame"))
            #expect(streams.log.contains("error_code=NO_ERROR"))
            try apus.stopClean()
            #expect(try apus.statistic("connectionsAccepted") == 3)
        }

        @Test("a request that takes too long to arrive is told so")
        func slowRequest() throws {
            let (origin, apus) = try start(
                configuration(client: "timeout: {http: {requestReceivedTimeout: 200ms}}"))
            defer { withExtendedLifetime(origin) {} }
            let socket = try Socket.connected(to: .ip(.loopbackIPv4, port: port))
            try socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na")
            let answer = String(decoding: try socket.readToEnd(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
            try apus.stopClean()
            #expect(try apus.statistic("head_timed_out") == 1)
        }
    }
}
