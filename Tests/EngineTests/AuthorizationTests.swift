import CLinux
import Kernel
import Primitives
import Routing
import Testing
import Traffic

@testable import Engine

@Suite("Authorization, on the running kernel")
struct AuthorizationTests {
    private static let allowed = SocketAddress.ip(IPAddress(v4: 0x7f00_0002), port: 0)
    private static let denied = SocketAddress.ip(IPAddress(v4: 0x7f00_0003), port: 0)

    /// A worker on a thread of its own that serves one listener until `stop`.
    private struct Served {
        let handle: WorkerHandle
        let address: SocketAddress
        private let end: Wakeup

        /// - Parameter socket: bound to `::`, so that IPv4 clients come with mapped addresses.
        init(
            _ socket: Traffic.Socket, _ transport: ListenerPlan.Transport,
            to endpoint: SocketAddress
        )
            throws
        {
            let rule = AuthorizationPlan.Rule(
                name: "one", allows: true, clients: [AddressRange("127.0.0.2/32")!])
            guard case .ip(_, let port) = try socket.localAddress else {
                throw Errno(rawValue: EINVAL)
            }
            address = .ip(.loopbackIPv4, port: port)
            let listener = ListenerPlan(
                name: "default/gateway/main", addresses: [.ip(.anyIPv6, port: port)],
                transport: transport,
                routes: .opaque(
                    RoutePlan(name: "a", backends: [WeightedBackend(cluster: 0, weight: 1)])),
                authorization: AuthorizationPlan(rules: [rule]))
            let cluster = ClusterPlan(name: "b", route: "a", endpoints: [endpoint])
            let plan = Plan(listeners: [listener], clusters: [cluster])
            // The worker closes its sockets, and the test its own.
            let descriptor = apus_fcntl(socket.descriptor, F_DUPFD_CLOEXEC, 0)
            _ = apus_fcntl(descriptor, F_SETFL, Int(O_NONBLOCK))
            let end = try Wakeup()
            self.end = end
            handle = try WorkerHandle(
                index: 0, settings: WorkerSettings(connectionsMax: 64),
                budget: ConnectionBudget(countMax: 64))
            _ = try WorkerThread.run(handle, cpu: nil) { end.signal() }
            handle.post(.plan(WorkerPlan(plan: plan, sockets: [[descriptor]])))
        }

        func stop() {
            handle.post(.stop)
            end.wait()
        }
    }

    @Test("who is denied is reset without a byte and reaches no endpoint; who is not is served")
    func connections() throws {
        let server = try StreamServer(on: .ip(.loopbackIPv4, port: 0), serve: StreamServer.echo)
        let socket = try Traffic.Socket.listening(on: .ip(.anyIPv6, port: 0))
        let served = try Served(socket, .tcp(TCPListenerPlan()), to: server.address)
        let failure = #expect(throws: SocketFailure.self) {
            try Traffic.Socket.connected(to: served.address, from: Self.denied).read(exactly: 1)
        }
        #expect(failure?.errno.rawValue == ECONNRESET)
        let client = try Traffic.Socket.connected(to: served.address, from: Self.allowed)
        try client.write("ping")
        #expect(try client.read(exactly: 4) == Array("ping".utf8))
        client.close()
        served.stop()
        #expect(server.accepted == 1)
        #expect(served.handle.counters[.clientDenied] == 1)
        #expect(served.handle.counters[.connectionsAccepted] == 2)
        server.halt()
    }

    @Test("datagrams of who is denied are dropped and counted")
    func datagrams() throws {
        let server = try DatagramServer(on: .ip(.loopbackIPv4, port: 0))
        let socket = try Traffic.Socket.datagrams(on: .ip(.anyIPv6, port: 0))
        let served = try Served(socket, .udp(UDPListenerPlan()), to: server.address)
        let denied = try Traffic.Socket.datagrams(on: Self.denied)
        try denied.connect(to: served.address)
        try denied.send([1])
        let client = try Traffic.Socket.datagrams(on: Self.allowed)
        try client.connect(to: served.address)
        try client.send([2])
        // What was sent before it was taken before it, so the answer says that both were.
        #expect(try client.receive() == [2])
        served.stop()
        #expect(server.received == 1)
        #expect(served.handle.counters[.clientDenied] == 1)
        #expect(served.handle.counters[.datagramsDropped] == 1)
        try server.stop()
    }
}
