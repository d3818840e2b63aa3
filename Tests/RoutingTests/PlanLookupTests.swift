import Primitives
import Testing

@testable import Routing

@Suite("Listener of a destination")
struct PlanLookupTests {
    private static func address(_ text: String) -> SocketAddress {
        if text.hasPrefix("/") || text.hasPrefix("@") { return .unix(path: text) }
        let parts = text.split(separator: " ")
        return .ip(IPAddress(String(parts[0]))!, port: UInt16(parts[1])!)
    }

    private static func listener(_ addresses: String..., isUDP: Bool = false) -> ListenerPlan {
        ListenerPlan(
            name: addresses[0], addresses: addresses.map(address),
            transport: isUDP ? .udp(UDPListenerPlan()) : .tcp(TCPListenerPlan()))
    }

    private static let plan = Plan(listeners: [
        listener(":: 80"), listener("0.0.0.0 80"), listener("10.0.0.1 80", "10.0.0.2 80"),
        listener("fd00::1 80"), listener(":: 81"), listener("0.0.0.0 82"),
        listener("10.0.0.1 83"), listener("/run/a"), listener("@a"),
        listener(":: 80", isUDP: true), listener("::ffff:10.0.0.9 84"),
    ])

    @Test(
        "an exact address comes before its family's wildcard, and that before the other's",
        arguments: [
            ("10.0.0.1 80", 2), ("10.0.0.2 80", 2), ("10.0.0.3 80", 1), ("fd00::1 80", 3),
            ("fd00::2 80", 0), ("10.0.0.1 81", 4), ("fd00::1 81", 4), ("10.0.0.1 82", 5),
            ("fd00::1 82", nil), ("10.0.0.1 83", 6), ("10.0.0.2 83", nil), ("10.0.0.1 99", nil),
            ("::ffff:10.0.0.1 80", 2), ("::ffff:10.0.0.3 80", 1), ("::ffff:10.0.0.3 81", 4),
            ("10.0.0.9 84", 10), ("/run/a", 7), ("/run/b", nil), ("@a", 8), ("/a", nil),
        ] as [(String, Int?)])
    func tcp(destination: String, listener: Int?) {
        #expect(Self.plan.listener(at: Self.address(destination)) == listener)
    }

    @Test("UDP listeners take datagrams and no connections")
    func udp() {
        #expect(Self.plan.listener(at: Self.address("10.0.0.1 80"), isDatagram: true) == 9)
        #expect(Self.plan.listener(at: Self.address("10.0.0.1 81"), isDatagram: true) == nil)
        #expect(Plan().listener(at: Self.address("10.0.0.1 80")) == nil)
    }
}
