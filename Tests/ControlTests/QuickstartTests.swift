import GatewayAPI
import Primitives
import Routing
import Testing

@testable import Control

@Suite("Quickstart")
struct QuickstartTests {
    @Test("its text becomes the plan that its instructions promise, without a finding")
    func plan() throws {
        let first = SocketAddress.ip(.loopbackIPv4, port: 1001)
        let second = SocketAddress.unix(path: "@demo")
        let echo = SocketAddress.ip(.loopbackIPv4, port: 1003)
        let text = Quickstart.text(first: first, second: second, echo: echo)
        let result = Configuration.load(files: [(path: "quickstart.yaml", text: text)])
        #expect(result.findings.map(\.description) == [])
        let plan = result.plan
        #expect(
            plan.listeners.flatMap(\.addresses) == [
                .ip(.loopbackIPv4, port: UInt16(Quickstart.tcpPort)),
                .ip(.loopbackIPv4, port: UInt16(Quickstart.udpPort)),
            ])
        #expect(plan.listeners.map(\.network) == [.tcp, .udp])
        let tcp = try #require(plan.listeners[0].route)
        #expect(tcp.backends.map(\.weight) == [2, 1])
        let places = tcp.backends.compactMap(\.cluster).map { plan.clusters[$0].tiers }
        #expect(places == [[[.init(.address(first))]], [[.init(.address(second))]]])
        let udp = try #require(plan.listeners[1].route)
        #expect(
            udp.backends.compactMap(\.cluster).map { plan.clusters[$0].tiers }
                == [[[.init(.address(echo))]]])
    }
}
