import GatewayAPI
import Routing
import Testing

@Suite("Expressions of routes")
struct HTTPExpressionTests {
    @Test(
        "an expression stands for the whole of what it is compared with",
        arguments: [
            ("/a", "/a", true), ("/a", "/ab", false), ("/a", "x/a", false), ("/a.*", "/ab", true),
            ("a|bc", "bc", true), ("a|bc", "abc", false), ("a|bc", "a", true), ("^/a$", "/a", true),
            ("/a", "/a\n", false), ("(?i)/a", "/A", true), ("/[0-9]+", "/42", true), ("", "", true),
            ("", "a", false), ("é", "é", true),
        ])
    func whole(text: String, value: String, matches: Bool) throws {
        let expression = try #require(HTTPExpression.compile(text))
        let found = Array(value.utf8).withUnsafeBytes { expression($0) }
        #expect(found == matches)
    }

    @Test("what is no expression is refused", arguments: ["(", "a)|(b", "[", "*"])
    func refused(text: String) {
        #expect(HTTPExpression.compile(text) == nil)
    }

    @Test("bytes that are no UTF-8 are compared, and harm nothing")
    func bytes() throws {
        let any = try #require(HTTPExpression.compile(".{3}"))
        let found = ([0x61, 0xff, 0xc3] as [UInt8]).withUnsafeBytes { any($0) }
        #expect(found)
    }

    @Test("a listener's table uses them")
    func table() {
        let match = HTTPMatch(
            path: .expression("/v[0-9]/.*"),
            headers: [HTTPMatch.Field(name: "x", value: .expression("a+"))])
        let server = HTTPServerPlan(
            name: "a", host: .any,
            candidates: [HTTPCandidate(host: .any, match: match, rule: 0)])
        let table = ListenerTable(
            ListenerPlan(
                name: "a", addresses: [], transport: .tcp(TCPListenerPlan()),
                routes: .http([server])))
        let good = HTTPRequest(authority: "a", target: "/v1/x", headers: [("X", "aa")])
        let decision = table.decide(good)
        #expect(decision == .candidate(server: 0, candidate: 0))
        let bad = HTTPRequest(authority: "a", target: "/v1/x", headers: [("X", "ab")])
        let refusal = table.decide(bad)
        #expect(refusal == .noRoute(server: 0))
    }
}
