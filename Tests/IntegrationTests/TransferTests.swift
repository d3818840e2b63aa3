import Glibc
import Kernel
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("Every byte arrives")
    struct TransferTests {
        @Test("256 MiB go both ways at once in chunks of random sizes")
        func bothWaysAtOnce() throws {
            let up = Transfer(seed: seed, count: 256 << 20)
            let down = Transfer(seed: seed &+ 10, count: 256 << 20)
            let server = try StreamServer(on: anyPort) {
                try $0.exchange(sending: down, receiving: up)
            }
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener)
            #expect(throws: Never.self, repetition()) {
                try listener.connect().exchange(sending: up, receiving: down)
                try server.stop()
            }
            try apus.stopClean()
            #expect(try apus.statistic("bytesFromClients") == up.count)
            #expect(try apus.statistic("bytesFromEndpoints") == down.count)
        }

        @Test("Sixteen connections at once keep their bytes apart")
        func manyAtOnce() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener, arguments: ["--workers", "2"])
            let clients = (0..<16).map { number in
                Job {
                    let transfer = Transfer(seed: seed &+ UInt64(number), count: 8 << 20)
                    try listener.connect().exchange(sending: transfer, receiving: transfer)
                }
            }
            #expect(throws: Never.self, repetition()) {
                for client in clients { try client.join() }
            }
            try server.stop()
            try apus.stopClean()
            #expect(try apus.statistic("connectionsAccepted") == 16)
        }

        @Test(
            "A process without one kernel feature forwards all the same",
            arguments: KernelFeatures.names.map(\.name))
        func without(feature: String) throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let echo = try DatagramServer(on: anyPort)
            let tcp = try Forwarding.Listener.tcp(to: server.address)
            let udp = try Forwarding.Listener.udp(to: echo.address)
            let apus = try ApusProcess(tcp, udp, arguments: ["--without", feature])
            let transfer = Transfer(seed: seed, count: 24 << 20)
            #expect(throws: Never.self, repetition()) {
                try tcp.connect().exchange(sending: transfer, receiving: transfer)
                try tcp.connect().expectEcho()
                let client = try udp.datagrams()
                for size in [1, 1_400, 65_507] {
                    try client.send(transfer.piece(size))
                    #expect(try client.receive() == transfer.piece(size))
                }
            }
            try server.stop()
            try echo.stop()
            try apus.stopClean()
        }

        @Test("A client that does not read costs bounded memory, and loses nothing")
        func slowReader() throws {
            let transfer = Transfer(seed: seed, count: 192 << 20)
            let stalled = Signal()
            let server = try StreamServer(on: anyPort) { socket in
                try transfer.send(over: socket, whenStalled: stalled.set)
                let bytes = try socket.readToEnd()
                #expect(bytes.isEmpty)
            }
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener)
            let before = apus.child.residentBytes
            let client = try listener.connect(receiveBuffer: 65_536)
            try stalled.wait()
            #expect(apus.child.residentBytes - before < 16 << 20, repetition())
            #expect(throws: Never.self, repetition()) { try transfer.verify(from: client) }
            try client.shutdownWrite()
            try server.stop()
            try apus.stopClean()
        }

        @Test("Ten thousand connections leave descriptors and memory where they were")
        func tenThousandConnections() throws {
            let server = try StreamServer(on: anyPort, serve: { try $0.write(try $0.read()) })
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener)
            func cycles(_ count: Int) throws {
                for _ in 0..<count {
                    let client = try listener.connect()
                    try client.write("x")
                    #expect(try client.readToEnd() == [UInt8(ascii: "x")])
                }
            }
            try cycles(1_000)
            let descriptors = apus.child.descriptorCount
            let memory = apus.child.residentBytes
            try cycles(10_000)
            #expect(eventually { apus.child.descriptorCount <= descriptors })
            #expect(apus.child.residentBytes - memory < 1 << 20)
            try server.stop()
            try apus.stopClean()
            #expect(try apus.statistic("connectionsAccepted") == 11_000)
            #expect(try apus.statistic("endpoint_closed") == 11_000)
        }
    }
}

extension Transfer {
    func piece(_ count: Int) -> [UInt8] {
        Pattern(seed: seed).piece(at: 0, count: count)
    }
}
