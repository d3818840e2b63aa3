import Routing
import Testing
import Wire

@testable import Engine

@Suite("Cookies that lead clients to their endpoints")
struct StickyCookieTests {
    private func line(_ cookie: StickyCookie, _ value: UInt64) -> String {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 500, alignment: 8)
        defer { memory.deallocate() }
        var writer = HTTPHeadWriter(memory)
        cookie.write(value, to: &writer)
        return writer.written.map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    @Test("a cookie has the time to live and the attributes of its plan")
    func attributes() throws {
        let value = StickyCookie.value(0x12)
        let plain = try #require(StickyCookie(.cookie(name: "s", ttlSeconds: 60)))
        #expect(
            line(plain, value) == "set-cookie: s=8000000000000012; Max-Age=60; HttpOnly\r\n")
        let session = try #require(
            StickyCookie(
                .cookie(name: "s", ttlSeconds: 0, attributes: ["Path=/", "SameSite=Strict"])))
        #expect(
            line(session, value)
                == "set-cookie: s=8000000000000012; Path=/; SameSite=Strict; HttpOnly\r\n")
        #expect(StickyCookie(.cookie(name: "s", ttlSeconds: nil)) == nil, "none is made")
        #expect(StickyCookie(.headers(["s"])) == nil)
    }

    @Test("who sends the cookie back is led to where it was made", arguments: [0, 1, UInt64.max])
    func returns(random: UInt64) throws {
        let key = LoadBalancerPlan.HashKey.cookie(name: "s", ttlSeconds: 60)
        let cookie = try #require(StickyCookie(key))
        let value = StickyCookie.value(random)
        let pair = line(cookie, value).dropFirst("set-cookie: ".count).prefix { $0 != ";" }
        let request = HTTPRequest(authority: "a", headers: [("Cookie", String(pair))])
        #expect(key.hash(client: nil, head: request) == StickyCookie.hash(value))
    }
}
