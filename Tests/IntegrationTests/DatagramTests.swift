import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("Datagrams")
    struct DatagramTests {
        @Test("Two thousand clients each get their own answers")
        func manyClients() throws {
            let server = try DatagramServer(on: anyPort)
            let listener = try Forwarding.Listener.udp(to: server.address)
            let apus = try ApusProcess(listener)
            let clients = try (0..<2_000).map { _ in try listener.datagrams() }
            for round in 0..<3 {
                // No more at a time than a socket's receive queue holds for certain.
                for first in stride(from: 0, to: clients.count, by: 50) {
                    for number in first..<first + 50 {
                        try clients[number].send(Array("\(round) of \(number)".utf8))
                    }
                    for number in first..<first + 50 {
                        let answer = String(decoding: try clients[number].receive(), as: UTF8.self)
                        #expect(answer == "\(round) of \(number)")
                    }
                }
            }
            #expect(server.sources.count == 2_000, "a client keeps its flow")
            try server.stop()
            #expect(try apus.stop() == 0)
            #expect(try apus.statistic("flowsAccepted") == 2_000)
            #expect(try apus.statistic("flowsLive") == 0)
        }

        @Test("Datagrams of every size from 0 to 65,507 bytes keep their boundaries")
        func sizes() throws {
            let server = try DatagramServer(on: anyPort)
            let listener = try Forwarding.Listener.udp(to: server.address)
            let apus = try ApusProcess(listener)
            let client = try listener.datagrams()
            let pattern = Pattern(seed: seed)
            var random = SeededRandom(seed: seed)
            let chosen =
                [0, 1, 2, 511, 512, 1_400, 1_472, 1_473, 9_000, 16_383, 16_384, 16_385]
                + [32_768, 65_506, 65_507]
                + (0..<100).map { _ in .random(in: 0...65_507, using: &random) }
            for size in chosen {
                let datagram = pattern.piece(at: size, count: size)
                try client.send(datagram)
                #expect(try client.receive() == datagram, "\(size) bytes; \(repetition())")
            }
            try server.stop()
            #expect(try apus.stop() == 0)
            #expect(try apus.statistic("datagramsDropped") == 0)
        }

        @Test("Bursts of one flow arrive whole and in order")
        func bursts() throws {
            let server = try DatagramServer(on: anyPort)
            let listener = try Forwarding.Listener.udp(to: server.address)
            let apus = try ApusProcess(listener)
            let client = try listener.datagrams()
            for size in [16, 64, 1_000, 1_400] {
                for _ in 0..<50 {
                    // The last of a burst is shorter, as the tail of a segmented send is.
                    let burst = (0..<16).map { number in
                        [UInt8](repeating: UInt8(number), count: number == 15 ? size / 2 : size)
                    }
                    for datagram in burst { try client.send(datagram) }
                    for datagram in burst { #expect(try client.receive() == datagram) }
                }
            }
            try server.stop()
            #expect(try apus.stop() == 0)
        }

        @Test("DNS questions to dnsmasq are answered")
        func dns() throws {
            let port = try FreePort.take()
            let dnsmasq = try ChildProcess([
                "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts",
                "--conf-file=/dev/null",
                "--log-facility=-", "--pid-file=", "--user=", "--port=\(port)",
                "--listen-address=127.0.0.1", "--bind-interfaces",
                "--address=/apus.test/192.0.2.7",
            ])
            try dnsmasq.awaitLine(containing: "started")
            let listener = try Forwarding.Listener.udp(
                to: .ip(.loopbackIPv4, port: port), endpointPolicy: "udp: {expectedResponses: 1}")
            let apus = try ApusProcess(listener)
            for number in 0..<200 as Range<UInt8> {
                let client = try listener.datagrams()
                // RFC 1035 §4.1: an identifier, recursion desired, one question for A in IN.
                let question: [UInt8] =
                    [7, number, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
                    + [4] + Array("apus".utf8) + [4] + Array("test".utf8) + [0, 0, 1, 0, 1]
                try client.send(question)
                let answer = try client.receive()
                #expect(answer.starts(with: [7, number]))
                #expect(answer.suffix(4) == [192, 0, 2, 7])
            }
            #expect(try apus.stop() == 0)
            #expect(try apus.statistic("flow_answered") == 200)
        }

        @Test("A flow that got its expected answer makes room, and the client's next one is new")
        func expectedResponses() throws {
            let server = try DatagramServer(on: anyPort)
            let listener = try Forwarding.Listener.udp(
                to: server.address, endpointPolicy: "udp: {expectedResponses: 1}")
            let apus = try ApusProcess(listener)
            let descriptors = apus.child.descriptorCount
            let client = try listener.datagrams()
            for _ in 0..<3 {
                try client.send([1])
                #expect(try client.receive() == [1])
                #expect(eventually { apus.child.descriptorCount <= descriptors })
            }
            try server.stop()
            #expect(try apus.stop() == 0)
            #expect(try apus.statistic("flowsAccepted") == 3)
        }

        @Test("A silent flow is forgotten after its idle time-out")
        func idleTimeout() throws {
            let server = try DatagramServer(on: anyPort)
            let listener = try Forwarding.Listener.udp(
                to: server.address, endpointPolicy: "udp: {idleTimeout: 200ms}")
            let apus = try ApusProcess(listener)
            let descriptors = apus.child.descriptorCount
            let client = try listener.datagrams()
            try client.send([1])
            #expect(try client.receive() == [1])
            #expect(eventually { apus.child.descriptorCount <= descriptors })
            try client.send([2])
            #expect(try client.receive() == [2])
            try server.stop()
            #expect(try apus.stop() == 0)
            #expect(try apus.statistic("idle_timed_out") >= 1)
        }

        @Test("One source address cannot take more flows than its share")
        func flowsPerSource() throws {
            let server = try DatagramServer(on: anyPort)
            let listener = try Forwarding.Listener.udp(
                to: server.address, endpointPolicy: "udp: {flowsPerSourceMax: 4}")
            let apus = try ApusProcess(listener)
            let clients = try (0..<20).map { _ in try listener.datagrams() }
            for client in clients.prefix(4) {
                try client.send([1])
                #expect(try client.receive() == [1])
            }
            for client in clients.dropFirst(4) { try client.send([2]) }
            // Datagrams are taken in order: when this one is answered, those were dropped.
            try clients[0].send([3])
            #expect(try clients[0].receive() == [3])
            try server.stop()
            #expect(server.sources.count == 4 + 1, "four flows, and who stopped the server")
            #expect(try apus.stop() == 0)
            #expect(try apus.statistic("flowsAccepted") == 4)
            #expect(try apus.statistic("datagramsDropped") == 16)
        }

        @Test("At a listener's limit the flow that was silent the longest makes room")
        func flowsMax() throws {
            let server = try DatagramServer(on: anyPort)
            let listener = try Forwarding.Listener.udp(
                to: server.address, endpointPolicy: "udp: {flowsMax: 4}")
            let apus = try ApusProcess(listener)
            let descriptors = apus.child.descriptorCount
            // Each from an address of its own: one address alone is refused, not given room.
            let clients = try (0..<20 as Range<UInt32>).map { number in
                let address = IPAddress(v4: IPAddress.loopbackIPv4.v4 + 1 + number)
                let client = try Socket.datagrams(on: .ip(address, port: 0))
                try client.connect(to: listener.address)
                return client
            }
            for client in clients {
                try client.send([1])
                #expect(try client.receive() == [1])
            }
            #expect(eventually { apus.child.descriptorCount <= descriptors + 4 })
            try server.stop()
            #expect(try apus.stop() == 0)
            #expect(try apus.statistic("flow_evicted") == 16)
        }

        @Test("A refusal by ICMP does not kill the flow: the endpoint is tried anew")
        func endpointComesUp() throws {
            let address = SocketAddress.ip(.loopbackIPv4, port: try FreePort.take())
            let listener = try Forwarding.Listener.udp(to: address)
            let other = try DatagramServer(on: anyPort)
            let otherListener = try Forwarding.Listener.udp(to: other.address)
            let apus = try ApusProcess(listener, otherListener)
            let client = try listener.datagrams()
            try client.send([1])
            // The worker takes what arrives in turn: once this is answered, the first is refused.
            let witness = try otherListener.datagrams()
            try witness.send([2])
            #expect(try witness.receive() == [2])
            try other.stop()
            let server = try DatagramServer(on: address)
            try client.limitWaits(seconds: 1)
            let isServed = eventually {
                do {
                    try client.send([3])
                    return try client.receive() == [3]
                } catch {
                    return false
                }
            }
            #expect(isServed)
            try server.stop()
            #expect(try apus.stop() == 0)
            #expect(try apus.statistic("endpointRefusals") >= 1)
        }

        @Test("A flow whose endpoint refuses goes to another one")
        func endpointReplaced() throws {
            let dead = SocketAddress.ip(.loopbackIPv4, port: try FreePort.take())
            let server = try DatagramServer(on: anyPort)
            let listener = try Forwarding.Listener.udp(to: dead, server.address)
            let apus = try ApusProcess(listener)
            for _ in 0..<10 {
                let client = try listener.datagrams()
                try client.limitWaits(seconds: 1)
                let isServed = eventually {
                    do {
                        try client.send([1])
                        return try client.receive() == [1]
                    } catch {
                        return false
                    }
                }
                #expect(isServed)
            }
            try server.stop()
            #expect(try apus.stop() == 0)
        }
    }
}
