import Glibc
import Primitives
import Synchronization
import Testing
import Traffic

extension Integration {
    @Suite("Connections to endpoints")
    struct DialTests {
        /// An address where nothing listens.
        private func refusing() throws -> SocketAddress {
            .ip(.loopbackIPv4, port: try FreePort.take())
        }

        @Test("An endpoint that refuses is passed over, and no client notices")
        func nextEndpoint() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: refusing(), refusing(), server.address)
            let apus = try ApusProcess(listener)
            for _ in 0..<30 { try listener.connect().expectEcho() }
            try server.stop()
            try apus.stopClean()
            #expect(try apus.statistic("dialFailures") > 0)
            #expect(try apus.statistic("connect_failed") == 0)
        }

        @Test("When every endpoint refuses the client's connection ends")
        func allRefuse() throws {
            let listener = try Forwarding.Listener.tcp(to: refusing(), refusing())
            let apus = try ApusProcess(listener)
            let client = try listener.connect()
            _ = try client.endsByReset()
            try apus.stopClean()
            #expect(try apus.statistic("connect_failed") == 1)
        }

        @Test("An endpoint that never answers costs no more than the connect time-out")
        func connectTimeout() throws {
            // Linux drops a SYN to a socket whose accept queue is full (`listen(2)`).
            let silent = try Socket.listening(on: anyPort, backlog: 0)
            let address = try silent.localAddress
            let filler = try Socket.connected(to: address)
            let listener = try Forwarding.Listener.tcp(
                to: address, backend: "timeout: {tcp: {connectTimeout: 300ms}}")
            let apus = try ApusProcess(listener)
            let client = try listener.connect()
            _ = try client.endsByReset()
            filler.close()
            try apus.stopClean()
            #expect(try apus.statistic("connect_timed_out") == 1)
        }

        @Test("Weights 70 and 30 mean 70 and 30 of 100 connections")
        func weights() throws {
            let first = try StreamServer(on: anyPort, serve: StreamServer.greet("A"))
            let second = try StreamServer(on: anyPort, serve: StreamServer.greet("B"))
            let listener = Forwarding.Listener(
                transport: .tcp, address: .ip(.loopbackIPv4, port: try FreePort.take()),
                backends: [([first.address], 70), ([second.address], 30)])
            let apus = try ApusProcess(listener)
            var greetings = ""
            for _ in 0..<100 {
                greetings += String(decoding: try listener.connect().readToEnd(), as: UTF8.self)
            }
            #expect(greetings.filter { $0 == "A" }.count == 70)
            #expect(greetings.filter { $0 == "B" }.count == 30)
            #expect(!greetings.contains("BB"), "the lighter one's turns are spread")
            try first.stop()
            try second.stop()
            try apus.stopClean()
        }

        @Test("IPv4, IPv6, Unix and abstract addresses listen and are dialled, in every pair")
        func families() throws {
            let folder = TemporaryFolder()
            let endpoints: [SocketAddress] = [
                anyPort, .ip(.loopbackIPv6, port: 0), .unix(path: "\(folder.path)/endpoint"),
                .unix(path: "@apus-test-endpoint-\(getpid())"),
            ]
            let addresses: [SocketAddress] = [
                .ip(.loopbackIPv4, port: try FreePort.take()),
                .ip(.loopbackIPv6, port: try FreePort.take()),
                .unix(path: "\(folder.path)/listener"),
                .unix(path: "@apus-test-listener-\(getpid())"),
            ]
            let transfer = Transfer(seed: seed, count: 2_000_000)
            for endpoint in endpoints {
                let server = try StreamServer(on: endpoint, serve: StreamServer.echo)
                var forwarding = Forwarding()
                forwarding.listeners = addresses.map {
                    .init(transport: .tcp, address: $0, backends: [([server.address], 1)])
                }
                let apus = try ApusProcess(forwarding)
                for listener in forwarding.listeners {
                    #expect(throws: Never.self, "\(listener.address) to \(endpoint)") {
                        try listener.connect().exchange(sending: transfer, receiving: transfer)
                    }
                }
                try server.stop()
                try apus.stopClean()
            }
        }

        @Test("Datagrams go from IPv6 clients to IPv4 endpoints and the other way round")
        func datagramFamilies() throws {
            let four = try DatagramServer(on: anyPort)
            let six = try DatagramServer(on: .ip(.loopbackIPv6, port: 0))
            let fourToSix = Forwarding.Listener(
                transport: .udp, address: .ip(.loopbackIPv4, port: try FreePort.take()),
                backends: [([six.address], 1)])
            let sixToFour = Forwarding.Listener(
                transport: .udp, address: .ip(.loopbackIPv6, port: try FreePort.take()),
                backends: [([four.address], 1)])
            let apus = try ApusProcess(fourToSix, sixToFour)
            for listener in [fourToSix, sixToFour] {
                let source =
                    listener.address.raw.family == AF_INET
                    ? anyPort : SocketAddress.ip(.loopbackIPv6, port: 0)
                let client = try Socket.datagrams(on: source)
                try client.connect(to: listener.address)
                try client.send(Array("ping".utf8))
                #expect(try client.receive() == Array("ping".utf8))
            }
            try four.stop()
            try six.stop()
            try apus.stopClean()
        }
    }
}
