import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("Ends of connections are passed on as they are")
    struct EndingTests {
        @Test("A client that ends its stream still gets the whole answer")
        func clientHalfCloses() throws {
            let request = Transfer(seed: seed, count: 1_000_000)
            let answer = Transfer(seed: seed &+ 10, count: 3_000_000)
            let server = try StreamServer(on: anyPort) {
                try request.verify(from: $0)
                try answer.send(over: $0)
            }
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener)
            let client = try listener.connect()
            try request.send(over: client)
            #expect(throws: Never.self, repetition()) { try answer.verify(from: client) }
            try server.stop()
            try apus.stopClean()
            #expect(try apus.statistic("client_closed") == 1)
        }

        @Test("An endpoint that ends its stream still gets everything from the client")
        func endpointHalfCloses() throws {
            let upload = Transfer(seed: seed, count: 3_000_000)
            let server = try StreamServer(on: anyPort) {
                try $0.write("bye")
                try $0.shutdownWrite()
                try upload.verify(from: $0)
            }
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener)
            let client = try listener.connect()
            #expect(try client.readToEnd() == Array("bye".utf8))
            try upload.send(over: client)
            #expect(throws: Never.self, repetition()) { try server.stop() }
            try apus.stopClean()
            #expect(try apus.statistic("endpoint_closed") == 1)
        }

        @Test("A reset by the endpoint is a reset to the client")
        func endpointResets() throws {
            let server = try StreamServer(on: anyPort) {
                _ = try $0.read(exactly: 4)
                try $0.reset()
            }
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener)
            let client = try listener.connect()
            try client.write("ping")
            #expect(try client.endsByReset())
            try server.stop()
            try apus.stopClean()
            #expect(try apus.statistic("endpoint_reset") == 1)
        }

        @Test("A reset by the client is a reset to the endpoint")
        func clientResets() throws {
            let arrived = Signal()
            let server = try StreamServer(on: anyPort) {
                _ = try $0.read(exactly: 4)
                arrived.set()
                #expect(try $0.endsByReset())
            }
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener)
            let client = try listener.connect()
            try client.write("ping")
            try arrived.wait()
            try client.reset()
            try server.stop()
            try apus.stopClean()
            #expect(try apus.statistic("client_reset") == 1)
        }

        @Test("A reset in the middle of bulk data is passed on, and nothing leaks")
        func resetInBulk() throws {
            let transfer = Transfer(seed: seed, count: 64 << 20)
            let server = try StreamServer(on: anyPort) { socket in
                let sender = Job { try transfer.send(over: socket) }
                _ = try socket.endsByReset()
                _ = Result { try sender.join() }
            }
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener)
            let descriptors = apus.child.descriptorCount
            for count in [1, 100_000, 5_000_000, 20_000_000] {
                let client = try listener.connect()
                _ = try client.read(exactly: count)
                try client.reset()
            }
            // What is kept is pipes, for the next to come.
            #expect(eventually { apus.child.descriptorCount <= descriptors + 16 })
            server.halt()
            try apus.stopClean()
            #expect(try apus.statistic("client_reset") == 4)
        }

        @Test("When a backend is killed its clients see the end, and the next endpoint serves on")
        func backendKilled() throws {
            let port = try FreePort.take()
            let address = SocketAddress.ip(.loopbackIPv4, port: port)
            let backend = try ChildProcess([
                "socat", "-d", "-d", "-u", "OPEN:/dev/zero",
                "TCP-LISTEN:\(port),bind=127.0.0.1,reuseaddr",
            ])
            try backend.awaitLine(containing: "listening on")
            let spare = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: address, spare.address)
            let apus = try ApusProcess(listener)
            let client = try listener.connect()
            #expect(try client.read(exactly: 10_000_000).allSatisfy { $0 == 0 })
            backend.signal(SIGKILL)
            try backend.wait()
            _ = try client.endsByReset()
            client.close()
            for _ in 0..<10 { try listener.connect().expectEcho() }
            try spare.stop()
            try apus.stopClean()
        }

        @Test("A silent connection ends after the idle time-out")
        func idleTimeout() throws {
            let server = try StreamServer(on: anyPort) { _ = try $0.endsByReset() }
            let listener = try Forwarding.Listener.tcp(
                to: server.address, client: "timeout: {tcp: {idleTimeout: 200ms}}")
            let apus = try ApusProcess(listener)
            let client = try listener.connect()
            try client.write("ping")
            _ = try client.endsByReset()
            try server.stop()
            try apus.stopClean()
            #expect(try apus.statistic("idle_timed_out") == 1)
        }
    }
}
