import CLinux
import Engine
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
        /// Of plans before, whose sockets nobody closed.
        private var held: [WorkerPlan] = []

        init(
            _ listeners: [ListenerPlan], workers: Int = 1, features: KernelFeatures = .all
        ) throws {
            sockets = try ListenerSockets(
                plan: Plan(listeners: listeners), workers: workers, features: features,
                directory: .unattended(workers: workers))
        }

        /// Of worker, listener and first address.
        func descriptor(_ worker: Int, _ listener: Int) -> Descriptor {
            guard
                case .opened(let descriptor, _, _) = sockets.workers[worker].listeners[listener]
                    .sockets[0]
            else { return -1 }
            return descriptor
        }

        mutating func replace(_ listeners: [ListenerPlan], settled: UInt64) -> [ListenerFailure] {
            held += sockets.workers
            return sockets.replace(
                with: Plan(listeners: listeners), drainDeadline: 0, settled: settled)
        }

        /// What the workers are told of the sockets of the plan, those of the first one.
        var told: [[WorkerPlan.Socket]] { sockets.workers[0].listeners.map(\.sockets) }

        func port(_ listener: Int) -> UInt16 {
            guard case .ip(_, let port) = sockets.addresses[listener][0] else { return 0 }
            return port
        }

        deinit {
            for worker in held + sockets.workers {
                for case .opened(let descriptor, _, _) in worker.listeners.flatMap(\.sockets) {
                    _ = apus_close(descriptor)
                }
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
                plan: Plan(listeners: listeners), workers: 1, features: .all,
                directory: .unattended(workers: 1))
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
        let bound = try Bound(
            [Self.udp(Self.loopback)], features: .all.subtracting(.udpReceiveOffload))
        #expect(try option(bound.descriptor(0, 0), Int32(IPPROTO_UDP), UDP_GRO) == 0)
    }

    @Test("a listener that stays keeps its socket and its limit, whatever else of it changes")
    func kept() throws {
        let port = try Bound([Self.tcp(Self.loopback)]).port(0)
        let address = SocketAddress.ip(.loopbackIPv4, port: port)
        func limited(_ count: UInt32, name: String) -> ListenerPlan {
            var tcp = TCPListenerPlan(connectionsMax: count)
            tcp.idleTimeoutMilliseconds = count
            return ListenerPlan(name: name, addresses: [address], transport: .tcp(tcp))
        }
        var bound = try Bound([limited(2, name: "default/edge/a")], workers: 2)
        let budget = try #require(bound.sockets.workers[0].listeners[0].limit)
        let failures = bound.replace(
            [Self.udp(Self.loopback), limited(5, name: "default/edge/b")], settled: 1)
        #expect(failures.isEmpty)
        let told = bound.told
        #expect(told[1] == [.kept(0)])
        for worker in bound.sockets.workers {
            #expect(worker.listeners[1].limit === budget)
            #expect(worker.listeners.map(\.former) == [nil, 0])
        }
        #expect(budget.countMax == 5)
        #expect(bound.replace([limited(5, name: "default/edge/b")], settled: 2).isEmpty)
        let after = bound.told
        #expect(after == [[.kept(1)]], "places count over all sockets of the plan before")
    }

    @Test("an address that is taken is left out, the rest is served, and it is tried again")
    func without() throws {
        let other = try Bound([Self.tcp(Self.loopback)])
        let taken = SocketAddress.ip(.loopbackIPv4, port: other.port(0))
        var bound = try Bound([Self.tcp(Self.loopback, name: "default/edge/a")])
        var both = [
            Self.tcp(Self.loopback, name: "default/edge/a"),
            Self.tcp(taken, name: "default/edge/b"),
        ]
        let failures = bound.replace(both, settled: 1)
        #expect(failures.map(\.listener) == ["default/edge/b"])
        #expect(failures.map(\.cause) == [.system(Errno(rawValue: EADDRINUSE))])
        let served = bound.sockets.plan.listeners.map(\.name)
        #expect(served == ["default/edge/a"])
        both[1].addresses.append(Self.loopback)
        #expect(bound.replace(both, settled: 2).count == 1)
        let addresses = bound.sockets.plan.listeners.map(\.addresses)
        #expect(
            addresses == [[Self.loopback], [Self.loopback]], "on its other address it is served")
    }

    @Test("what was given up and is wanted again has its number, until the workers have closed it")
    func again() throws {
        let first = Self.tcp(Self.loopback, name: "default/edge/a")
        let port = try Bound([Self.tcp(Self.loopback)]).port(0)
        let passing = Self.tcp(.ip(.loopbackIPv4, port: port), name: "default/edge/b")
        var bound = try Bound([first, passing])
        let number = Self.number(bound.told[1][0])
        // The descriptors stay open here, as those of workers that are busy.
        #expect(bound.replace([first], settled: 1).isEmpty)
        #expect(bound.replace([first, passing], settled: 1).isEmpty)
        guard case .opened(_, let again, isAgain: true) = bound.told[1][0] else {
            Issue.record("it is told that there may be one")
            return
        }
        #expect(again == number)
    }

    private static func number(_ socket: WorkerPlan.Socket) -> UInt64? {
        guard case .opened(_, let number, _) = socket else { return nil }
        return number
    }

    @Test("from a wildcard to one address of the same port is no conflict with oneself")
    func narrowed() throws {
        let port = try Bound([Self.tcp(Self.loopback)]).port(0)
        var bound = try Bound([Self.tcp(.ip(.anyIPv4, port: port))])
        #expect(bound.replace([Self.tcp(.ip(.loopbackIPv4, port: port))], settled: 1).isEmpty)
        let addresses = bound.sockets.addresses
        #expect(addresses == [[.ip(.loopbackIPv4, port: port)]])
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
