import GatewayAPI
import Primitives
import Testing

@Suite("The admin server's address")
struct AdminAddressTests {
    @Test(
        "is an address with a port, a Unix socket or nothing, and is written as it is read",
        arguments: [
            "off", "127.0.0.1:19000", "0.0.0.0:0", "[::1]:65535", "[fe80::1]:1", "unix:/run/a.sock",
            "unix:@apus", "unix:/with space:1",
        ])
    func forms(text: String) {
        #expect(AdminAddress(text).map { "\($0)" } == text)
    }

    @Test(
        "is nothing else",
        arguments: [
            "", "on", "OFF", "127.0.0.1", ":19000", "19000", "127.0.0.1:", "127.0.0.1:65536",
            "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:１", "::1:80", "[127.0.0.1]:80", "[::1]",
            "localhost:80", "unix:", "unix:run", "unix:/", "unix:@", "unix:/a\u{0}b",
            "unix:/" + String(repeating: "x", count: 107),
        ])
    func wrong(text: String) {
        #expect(AdminAddress(text) == nil)
    }

    @Test("is the one that Envoy Gateway's proxies have where nobody says another")
    func standard() {
        #expect("\(AdminAddress.standard)" == "127.0.0.1:19000")
    }
}
