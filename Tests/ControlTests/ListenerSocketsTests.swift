import CLinux
import Kernel
import Primitives
import Routing
import Testing

@testable import Control

@Suite("Listener sockets")
struct ListenerSocketsTests {
    private static let loopback = SocketAddress.ip(.loopbackIPv4, port: 0)

    private static func tcp(
        _ address: SocketAddress, name: String = "default/edge/tcp",
        keepalive: TCPKeepalive? = nil
    ) -> ListenerPlan {
        ListenerPlan(
            name: name, addresses: [address],
            transport: .tcp(TCPListenerPlan(keepalive: keepalive)))
    }

    private static func udp(_ address: SocketAddress) -> ListenerPlan {
        ListenerPlan(
            name: "default/edge/udp", addresses: [address], transport: .udp(UDPListenerPlan()))
    }

    /// Sockets of a plan, closed at the end of the test as workers would.
    private struct Bound: ~Copyable {
        var sockets: ListenerSockets

        init(_ listeners: [ListenerPlan], workers: Int = 1) throws {
            sockets = try ListenerSockets(
                plan: Plan(listeners: listeners), workers: workers, features: .all)
        }

        /// Of worker, listener and first address.
        func descriptor(_ worker: Int, _ listener: Int) -> Descriptor {
            sockets.workers[worker].sockets[listener][0]
        }

        func port(_ listener: Int) -> UInt16 {
            guard case .ip(_, let port) = sockets.addresses[listener][0] else { return 0 }
            return port
        }

        deinit {
            for worker in sockets.workers {
                for descriptor in worker.sockets.joined() { _ = apus_close(descriptor) }
            }
        }
    }

    private func option(_ socket: Descriptor, _ level: Int32, _ name: Int32) throws -> Int32 {
        var value: Int32 = 0
        var length = UInt32(MemoryLayout<Int32>.size)
        let result = apus_getsockopt(socket, level, name, &value, &length)
        if let error = Errno(result: Int(result)) { throw error }
        return value
    }

    private func failure(_ listeners: [ListenerPlan]) throws -> ListenerFailure {
        do throws(ListenerFailure) {
            let sockets = try ListenerSockets(
                plan: Plan(listeners: listeners), workers: 1, features: .all)
            _ = consume sockets
        } catch {
            return error
        }
        Issue.record("no failure for \(listeners)")
        throw Errno(rawValue: 0)
    }

    @Test("each worker has a socket of its own on the same port, non-blocking, close-on-exec")
    func perWorker() throws {
        let bound = try Bound([Self.tcp(Self.loopback), Self.udp(Self.loopback)], workers: 3)
        var seen = Set<Descriptor>()
        for worker in 0..<3 {
            for listener in 0..<2 {
                let socket = bound.descriptor(worker, listener)
                #expect(seen.insert(socket).inserted)
                #expect(try option(socket, SOL_SOCKET, SO_REUSEPORT) == 1)
                #expect(apus_fcntl(socket, F_GETFL, 0) & O_NONBLOCK != 0)
                #expect(apus_fcntl(socket, F_GETFD, 0) & FD_CLOEXEC != 0)
                var raw = RawSocketAddress()
                raw.length = RawSocketAddress.capacity
                #expect(apus_getsockname(socket, &raw.storage, &raw.length) == 0)
                #expect(raw.ip?.port == bound.port(listener))
            }
            #expect(try option(bound.descriptor(worker, 0), SOL_SOCKET, SO_ACCEPTCONN) == 1)
        }
        #expect(bound.port(0) != 0 && bound.port(1) != 0)
    }

    @Test("an accepted connection inherits TCP_NODELAY and keepalive")
    func inherited() throws {
        let keepalive = TCPKeepalive(probes: 3, idleSeconds: 40, intervalSeconds: 5)
        let bound = try Bound([Self.tcp(Self.loopback, keepalive: keepalive)])
        let client = apus_socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { _ = apus_close(client) }
        var raw = SocketAddress.ip(.loopbackIPv4, port: bound.port(0)).raw
        #expect(apus_connect(client, &raw.storage, raw.length) == 0)
        let accepted = apus_accept(bound.descriptor(0, 0), 0)
        try #require(accepted >= 0)
        defer { _ = apus_close(accepted) }
        let tcp = Int32(IPPROTO_TCP)
        #expect(try option(accepted, tcp, TCP_NODELAY) == 1)
        #expect(try option(accepted, SOL_SOCKET, SO_KEEPALIVE) == 1)
        #expect(try option(accepted, tcp, TCP_KEEPCNT) == 3)
        #expect(try option(accepted, tcp, TCP_KEEPIDLE) == 40)
        #expect(try option(accepted, tcp, TCP_KEEPINTVL) == 5)
    }

    @Test("a port that another socket shares by SO_REUSEPORT counts as in use")
    func shared() throws {
        for make in [{ Self.tcp($0) }, { Self.udp($0) }] as [(SocketAddress) -> ListenerPlan] {
            let bound = try Bound([make(Self.loopback)])
            let error = try failure([make(.ip(.loopbackIPv4, port: bound.port(0)))])
            #expect(error.cause == .system(Errno(rawValue: EADDRINUSE)))
            #expect(error.startFailure.description.contains("sport = :\(bound.port(0))"))
        }
    }

    @Test("two listeners on one address are refused, TCP beside UDP is not")
    func duplicates() throws {
        let port = try Bound([Self.tcp(Self.loopback)]).port(0)
        let address = SocketAddress.ip(.loopbackIPv4, port: port)
        let error = try failure([Self.tcp(address), Self.tcp(address, name: "default/edge/again")])
        #expect(error.cause == .takenBy(listener: "default/edge/tcp"))
        #expect(error.listener == "default/edge/again")
        let both = try Bound([Self.tcp(address), Self.udp(address)])
        #expect(both.port(0) == both.port(1))
    }

    @Test("a wildcard and one address may have the same port")
    func wildcardBeside() throws {
        let port = try Bound([Self.tcp(Self.loopback)]).port(0)
        let bound = try Bound([
            Self.tcp(.ip(.anyIPv4, port: port), name: "default/edge/any"),
            Self.tcp(.ip(.loopbackIPv4, port: port)),
        ])
        #expect(bound.port(0) == bound.port(1))
    }

    @Test("an address that no interface has is told")
    func foreignAddress() throws {
        // 192.0.2.0/24 is for documentation (RFC 5737).
        let address = SocketAddress.ip(IPAddress(v4: 0xc000_0201), port: 0)
        let error = try failure([Self.tcp(address)])
        #expect(error.cause == .system(Errno(rawValue: EADDRNOTAVAIL)))
    }

    @Test("a wildcard UDP socket tells each datagram's destination, a bound one does not")
    func packetInformation() throws {
        let bound = try Bound([Self.udp(.ip(.anyIPv4, port: 0)), Self.udp(Self.loopback)])
        #expect(try option(bound.descriptor(0, 0), Int32(IPPROTO_IP), IP_PKTINFO) == 1)
        #expect(try option(bound.descriptor(0, 1), Int32(IPPROTO_IP), IP_PKTINFO) == 0)
        #expect(try option(bound.descriptor(0, 0), Int32(IPPROTO_UDP), UDP_GRO) == 1)
    }

    @Test("without the feature a UDP socket has no receive offload")
    func withoutOffload() throws {
        let sockets = try ListenerSockets(
            plan: Plan(listeners: [Self.udp(Self.loopback)]), workers: 1,
            features: .all.subtracting(.udpReceiveOffload))
        let socket = sockets.workers[0].sockets[0][0]
        defer { _ = apus_close(socket) }
        #expect(try option(socket, Int32(IPPROTO_UDP), UDP_GRO) == 0)
    }

    @Test("`::` takes both families, or IPv4 alone where there is no IPv6")
    func dualStack() throws {
        let bound = try Bound([Self.tcp(.ip(.anyIPv6, port: 0))])
        let client = apus_socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { _ = apus_close(client) }
        var raw = SocketAddress.ip(.loopbackIPv4, port: bound.port(0)).raw
        #expect(apus_connect(client, &raw.storage, raw.length) == 0)
    }
}
