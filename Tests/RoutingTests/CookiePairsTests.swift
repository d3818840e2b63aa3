import Testing

@testable import Routing

@Suite("Cookies of a request")
struct CookiePairsTests {
    struct Row: CustomTestStringConvertible {
        let lines: [String]
        let value: String?

        init(_ lines: [String], _ value: String?) { (self.lines, self.value) = (lines, value) }

        var testDescription: String { lines.joined(separator: " | ") }
    }

    private static let table: [Row] = [
        Row([], nil), Row([""], nil), Row(["a=1"], "1"), Row(["b=2; a=1"], "1"),
        Row(["b=2;a=1"], "1"), Row([" a=1 ; b=2"], "1"), Row(["aa=1"], nil), Row(["a"], nil),
        Row(["a="], nil), Row(["a=; a=2"], "2"), Row(["b=1", "a=2"], "2"), Row(["a=1; a=2"], "1"),
        Row(["A=1"], nil), Row(["a=\"1\""], "1"), Row(["a=\"\""], nil), Row(["a=\""], "\""),
        Row(["a=b=c"], "b=c"), Row([";;a=1;"], "1"), Row(["b=a=1"], nil),
    ]

    @Test("the first of a name that has a value is taken, as browsers write it", arguments: table)
    func values(row: Row) {
        let request = HTTPRequest(
            authority: "a", headers: row.lines.map { (name: "Cookie", value: $0) })
        let value = Array("a".utf8).withUnsafeBytes { name in
            CookiePairs.value(name, of: request).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(value == row.value)
    }
}
