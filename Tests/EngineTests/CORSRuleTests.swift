import Routing
import Testing
import Wire

@testable import Engine

@Suite("Which origins may use a rule's pages")
struct CORSRuleTests {
    struct Row: CustomTestStringConvertible {
        let allowed: [String]
        let origin: String
        let isAllowed: Bool

        init(_ allowed: [String], _ origin: String, _ isAllowed: Bool) {
            (self.allowed, self.origin, self.isAllowed) = (allowed, origin, isAllowed)
        }

        var testDescription: String { "\(allowed) \(origin)" }
    }

    private static let table: [Row] = [
        Row(["https://a.example"], "https://a.example", true),
        Row(["https://a.example"], "HTTPS://A.example", true),
        Row(["https://a.example"], "http://a.example", false),
        Row(["https://a.example"], "https://a.example:8443", false),
        Row(["https://a.example"], "https://a.example.org", false),
        Row(["https://*.example.com"], "https://a.b.example.com", true),
        Row(["https://*.example.com"], "https://example.com", false),
        Row(["https://*.example.com"], "https://.example.com", false),
        Row(["https://*.example.com"], "https://a.example.com.evil.org", false),
        Row(["https://*.example.com:8443"], "https://a.example.com:8443", true),
        Row(["http://other", "*"], "null", true),
        Row([], "https://a.example", false),
    ]

    private func rule(_ change: (inout HTTPFilter.CORS) -> Void) -> CORSRule {
        var plan = HTTPFilter.CORS()
        change(&plan)
        return CORSRule(plan)
    }

    @Test("an origin is allowed as a whole, or by a star", arguments: table)
    func origins(row: Row) {
        let rule = rule { $0.origins = row.allowed }
        var origin = row.origin
        let isAllowed = origin.withUTF8 { rule.allows(UnsafeRawBufferPointer($0)) }
        #expect(isAllowed == row.isAllowed)
    }

    /// What is answered to a request; nil = nothing.
    private func answer(_ text: String, by rule: CORSRule) throws -> String? {
        var text = text
        return try text.withUTF8 { utf8 in
            let bytes = UnsafeRawBufferPointer(utf8)
            let table = HTTPHeadTable(fieldsMax: 100)
            var resume = 0
            guard
                case .complete(let line) = HTTPRequestParser().parse(
                    bytes, resumingAt: &resume, into: table)
            else {
                Issue.record("the request is whole")
                return nil
            }
            let view = RequestView(
                bytes: bytes, line: line,
                fields: UnsafeMutableBufferPointer(
                    rebasing: table.fields[..<Int(line.fieldCount)]),
                path: line.path.bytes(in: bytes), hasBody: false)
            return rule.preflight(view).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test("a browser's question is answered by what the rule says")
    func preflight() throws {
        let question =
            "OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\n"
            + "Access-Control-Request-Method: PUT\r\n"
            + "Access-Control-Request-Headers: x-a, x-b\r\n\r\n"
        let named = rule {
            $0.origins = ["https://a.example"]
            $0.methods = ["GET", "PUT"]
            $0.headers = ["x-a"]
            $0.exposedHeaders = ["x-c"]
            $0.ageMaxSeconds = 60
        }
        #expect(
            try answer(question, by: named) == """
                access-control-allow-origin: https://a.example\r
                vary: Origin\r
                access-control-expose-headers: x-c\r
                access-control-allow-methods: GET, PUT\r
                access-control-allow-headers: x-a\r
                access-control-max-age: 60\r

                """)
        let open = rule {
            ($0.origins, $0.methods, $0.headers) = (["*"], ["*"], ["*"])
        }
        #expect(
            try answer(question, by: open) == """
                access-control-allow-origin: *\r
                access-control-allow-methods: *\r
                access-control-allow-headers: *\r
                access-control-max-age: 5\r

                """)
        let trusting = rule {
            ($0.origins, $0.methods, $0.headers) = (["*"], ["*"], ["*"])
            $0.allowsCredentials = true
        }
        #expect(
            try answer(question, by: trusting) == """
                access-control-allow-origin: https://a.example\r
                vary: Origin\r
                access-control-allow-credentials: true\r
                access-control-allow-methods: PUT\r
                access-control-allow-headers: x-a, x-b\r
                access-control-max-age: 5\r

                """)
        let other = rule { $0.origins = ["https://b.example"] }
        #expect(try answer(question, by: other) == "")
        let plain = "OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\n\r\n"
        #expect(try answer(plain, by: open) == nil)
        #expect(try answer("GET / HTTP/1.1\r\nHost: a\r\n\r\n", by: open) == nil)
    }
}
