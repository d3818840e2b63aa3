import Primitives
import Synchronization
import Testing
import Traffic

extension Integration {
    @Suite("Endpoints that checks find well or ill")
    struct ActiveCheckTests {
        /// A server of HTTP that answers checks as it is told, and clients by its name.
        private final class Checked: Sendable {
            private let isWell: Mutex<Bool>
            private let name: String

            init(_ name: String, isWell: Bool) {
                self.name = name
                self.isWell = Mutex(isWell)
            }

            func become(well: Bool) { isWell.withLock { $0 = well } }

            func serve(_ socket: Socket) throws {
                var head = ""
                while !head.hasSuffix("\r\n\r\n") {
                    let bytes = try socket.read()
                    if bytes.isEmpty { return }
                    head += String(decoding: bytes, as: UTF8.self)
                }
                let isFine = !head.hasPrefix("GET /health ") || isWell.withLock { $0 }
                try socket.write(
                    """
                    HTTP/1.1 \(isFine ? "200 OK" : "503 Service Unavailable")\r
                    Content-Length: 1\r
                    \r
                    \(name)
                    """)
                // Until the other end has enough.
                while try !socket.read().isEmpty {}
            }
        }

        private static let policy =
            "healthCheck: {panicThreshold: 0, active: {type: HTTP, interval: 50ms, timeout: 5s, "
            + "unhealthyThreshold: 1, healthyThreshold: 1, http: {path: /health}}}"

        private func get(_ listener: Forwarding.Listener) throws -> (client: Socket, name: String) {
            let client = try listener.connect()
            try client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            var answer = ""
            while !answer.contains("\r\n\r\nA"), !answer.contains("\r\n\r\nB") {
                let bytes = try client.read()
                if bytes.isEmpty { break }
                answer += String(decoding: bytes, as: UTF8.self)
            }
            return (client, String(answer.suffix(1)))
        }

        private func names(_ listener: Forwarding.Listener, count: Int = 8) throws -> Set<String> {
            Set(try (0..<count).map { _ in try get(listener).name })
        }

        @Test("Clients are led to those who are well, from the first one on")
        func http() throws {
            let (a, b) = (Checked("A", isWell: false), Checked("B", isWell: true))
            let first = try StreamServer(on: anyPort, serve: a.serve)
            let second = try StreamServer(on: anyPort, serve: b.serve)
            var listener = try Forwarding.Listener.tcp(
                to: first.address, second.address, backend: Self.policy)
            listener.endpointPolicy = "connections: {onEndpointDown: End}"
            let apus = try ApusProcess(listener)
            #expect(try names(listener) == ["B"])
            a.become(well: true)
            #expect(try eventually { try names(listener) == ["A", "B"] })
            let stays = try (0..<8).map { _ in try get(listener) }
            b.become(well: false)
            #expect(try eventually { try names(listener) == ["A"] })
            for (client, name) in stays where name == "B" { _ = try client.endsByReset() }
            for (client, name) in stays where name == "A" { client.close() }
            first.halt()
            second.halt()
            try apus.stopClean()
            #expect(try apus.statistic("endpoint_down") == 4)
            #expect(try apus.statistic("no_endpoint") == 0)
        }

        @Test("Where nobody is well and panic is forbidden, clients are refused until somebody is")
        func nobody() throws {
            let a = Checked("A", isWell: false)
            let server = try StreamServer(on: anyPort, serve: a.serve)
            let listener = try Forwarding.Listener.tcp(to: server.address, backend: Self.policy)
            let apus = try ApusProcess(listener)
            _ = try listener.connect().endsByReset()
            a.become(well: true)
            #expect(eventually { (try? get(listener).name) == "A" })
            server.halt()
            try apus.stopClean()
            #expect(try apus.statistic("no_endpoint") >= 1)
        }

        @Test("UDP flows leave an endpoint that no longer answers checks")
        func datagrams() throws {
            let isWell = Mutex(true)
            // Checks are answered as told, clients always.
            let first = try DatagramServer(on: anyPort) { datagram in
                if datagram == Array("up?".utf8) { return isWell.withLock { $0 } ? [[1]] : [] }
                return [Array("A".utf8)]
            }
            let second = try DatagramServer(on: anyPort) { datagram in
                datagram == Array("up?".utf8) ? [[1]] : [Array("B".utf8)]
            }
            let listener = try Forwarding.Listener.udp(
                to: first.address, second.address,
                endpointPolicy: "healthCheck: {interval: 50ms, timeout: 50ms, unhealthyThreshold: "
                    + "1, udp: {send: {type: Text, text: up?}, "
                    + "expect: {type: Binary, binary: AQ==}}}"
            )
            let apus = try ApusProcess(listener)
            let clients = try (0..<4).map { _ in try listener.datagrams() }
            for client in clients { try client.limitWaits(seconds: 1) }
            // What is on its way while a flow moves may be lost, as any datagram; who asks, asks
            // again.
            func ask(_ client: Socket) throws -> String {
                for _ in 0..<10 {
                    try client.send([7])
                    do {
                        return String(decoding: try client.receive(), as: UTF8.self)
                    } catch let failure as SocketFailure where failure.isSilence {
                        continue
                    }
                }
                return ""
            }
            #expect(Set(try clients.map(ask)) == ["A", "B"])
            isWell.withLock { $0 = false }
            #expect(try eventually { Set(try clients.map(ask)) == ["B"] })
            try first.stop()
            try second.stop()
            try apus.stopClean()
        }
    }
}
