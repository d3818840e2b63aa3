import Primitives
import Testing

@testable import Admin

@Suite("The admin server's names")
struct HostRuleTests {
    private static let loopback = HostRule(address: .ip(.loopbackIPv4, port: 19_000))

    @Test(
        "are its addresses and localhost, with any port",
        arguments: [
            "localhost", "LOCALHOST:1", "localhost.", "127.0.0.1", "127.0.0.1:19000", "127.9.9.9",
            "[::1]", "[::1]:80", "[::ffff:127.0.0.1]",
        ])
    func own(host: String) {
        #expect(Self.loopback.allows(host, local: nil))
    }

    @Test(
        "are none that a web page could make its own",
        arguments: [
            "", ":80", "example.com", "localhost.example.com", "127.0.0.1.example.com", "10.0.0.1",
            "[::2]", "::1", "[", "[]", "[localhost]", "127.0.0.1@example.com", "0.0.0.0", "127.1",
            "2130706433", "localhost ", "lоcalhost",
        ])
    func foreign(host: String) {
        #expect(!Self.loopback.allows(host, local: .ip(.loopbackIPv4, port: 19_000)))
    }

    @Test("are those of the interface that is asked, where it listens on all")
    func everywhere() throws {
        let own = try #require(IPAddress("192.0.2.1"))
        let rule = HostRule(address: .ip(try #require(IPAddress("::")), port: 1))
        let mapped = try #require(IPAddress("::ffff:192.0.2.1"))
        #expect(rule.allows("192.0.2.1:1", local: .ip(own, port: 1)))
        #expect(rule.allows("192.0.2.1", local: .ip(mapped, port: 1)))
        #expect(!rule.allows("192.0.2.2", local: .ip(own, port: 1)))
        #expect(!rule.allows("example.com", local: .ip(own, port: 1)))
    }

    @Test("do not matter without a Host, or over a Unix socket")
    func unnamed() {
        #expect(Self.loopback.allows(nil, local: nil))
        #expect(HostRule(address: .unix(path: "/a")).allows("example.com", local: nil))
    }
}
