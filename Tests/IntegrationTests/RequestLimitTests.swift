import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("Requests within limits")
    struct RequestLimitTests {
        private let backend: UInt16

        init() throws { backend = try FreePort.take() }

        private var endpoint: SocketAddress { .ip(.loopbackIPv4, port: backend) }

        /// A request that its endpoint has, and that lasts until `end`.
        private func begin(_ listener: Forwarding.Listener) throws -> Socket {
            let socket = try listener.connect()
            try socket.write(
                "POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                    + "Expect: 100-continue\r\nConnection: close\r\n\r\n")
            let interim = "HTTP/1.1 100 Continue\r\n\r\n"
            #expect(try socket.read(exactly: interim.utf8.count) == Array(interim.utf8))
            return socket
        }

        private func end(_ socket: Socket) throws -> String {
            try socket.write("abc")
            return String(decoding: try socket.readToEnd(), as: UTF8.self)
        }

        private func get(_ listener: Forwarding.Listener, _ path: String = "/") throws -> String {
            let socket = try listener.connect()
            try socket.write("GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return String(decoding: try socket.readToEnd(), as: UTF8.self)
        }

        @Test("a Backend has no more requests at a time than its breaker allows, over all workers")
        func requests() throws {
            let origin = try PeerProgram.tellingRequests(port: backend)
            defer { withExtendedLifetime(origin) {} }
            let listener = try Forwarding.Listener.http(
                to: endpoint, backend: "circuitBreaker: {maxParallelRequests: 2}")
            let apus = try ApusProcess(listener, arguments: ["--workers", "2"])
            var held = [try begin(listener), try begin(listener)]
            #expect(try get(listener).hasPrefix("HTTP/1.1 503 "))
            #expect(try get(listener).hasSuffix("too many requests at a time\n"))
            #expect(try end(held.removeFirst()).hasPrefix("HTTP/1.1 200 "))
            #expect(try get(listener).hasPrefix("HTTP/1.1 200 "))
            #expect(try end(held.removeFirst()).hasPrefix("HTTP/1.1 200 "))
            try apus.stopClean()
            #expect(try apus.statistic("overflow") == 2)
        }

        @Test("a source has no more requests at a time than it may, and is told so")
        func sources() throws {
            let origin = try PeerProgram.tellingRequests(port: backend)
            defer { withExtendedLifetime(origin) {} }
            let listener = try Forwarding.Listener.http(
                to: endpoint, client: "clientIPDetection: {xForwardedFor: {numTrustedHops: 1}}",
                endpoint: "limits: {connectionsPerSourceMax: 1}")
            let apus = try ApusProcess(listener)
            let held = try begin(listener)
            #expect(try get(listener).hasPrefix("HTTP/1.1 429 "))
            let other = try listener.connect()
            try other.write(
                "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n"
                    + "Connection: close\r\n\r\n")
            let answer = String(decoding: try other.readToEnd(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 200 "), "who it is counts, not who connects")
            #expect(try end(held).hasPrefix("HTTP/1.1 200 "))
            #expect(try get(listener).hasPrefix("HTTP/1.1 200 "))
            try apus.stopClean()
            #expect(try apus.statistic("source_overflow") == 1)
        }

        @Test("no more requests at a time are sent again than the breaker or its budget allows")
        func retries() throws {
            let origin = try PeerProgram.tellingRequests(port: backend)
            defer { withExtendedLifetime(origin) {} }
            let retry = "retry: {numRetries: 2, retryOn: {triggers: [gateway-error]}}"
            let none = try Forwarding.Listener.http(
                to: endpoint, backend: "\(retry), circuitBreaker: {maxParallelRetries: 0}")
            let budget = try Forwarding.Listener.http(
                to: endpoint,
                backend: "\(retry), circuitBreaker: {maxParallelRetries: 0, retryBudget: "
                    + "{percent: {numerator: 0}, minRetryConcurrency: 1}}")
            let apus = try ApusProcess(none, budget)
            #expect(try get(none, "/fails/a").hasPrefix("HTTP/1.1 503 "))
            #expect(try get(budget, "/fails/b").hasPrefix("HTTP/1.1 200 "))
            try apus.stopClean()
            #expect(try apus.statistic("retriesRefused") == 1)
            #expect(try apus.statistic("requestsRepeated") == 2)
        }
    }
}
