import Primitives
import Testing

@testable import Manifest

/// `yaml`, a single document, as a node.
func node(_ yaml: String) throws -> Node {
    let log = FindingLog()
    var composer = Composer(file: "test.yaml", log: log)
    let documents = composer.documents(of: yaml)
    #expect(log.findings.isEmpty)
    return try #require(documents.first)
}

@Suite("Expressions")
struct ExpressionTests {
    @Test("operators", arguments: ExpressionTable.operators)
    func operators(source: String, verdict: Expression.Verdict) throws {
        #expect(try Expression(source).isTrue(self: node(ExpressionTable.object)) == verdict)
    }

    @Test("functions", arguments: ExpressionTable.functions)
    func functions(source: String, verdict: Expression.Verdict) throws {
        #expect(try Expression(source).isTrue(self: node(ExpressionTable.object)) == verdict)
    }

    @Test(
        "texts that are no duration",
        arguments: [
            "", "1", "s", "-", ".s", "1x", "1s1", "1 s", "1d", "9223372036854775808ns", "2562048h",
            "1..5s", "--1s", "1e3s",
        ])
    func wrongDuration(text: String) throws {
        let rule = try Expression("duration('\(text)') == duration('0')")
        #expect(rule.isTrue(self: try node("a")) == .failed("not a duration"))
    }

    @Test("macros", arguments: ExpressionTable.macros)
    func macros(source: String, verdict: Expression.Verdict) throws {
        #expect(try Expression(source).isTrue(self: node(ExpressionTable.object)) == verdict)
    }

    @Test("literals", arguments: ExpressionTable.literals)
    func literals(source: String) throws {
        #expect(try Expression(source).isTrue(self: node(ExpressionTable.object)) == .isTrue)
    }

    @Test("what is wrong is told with its offset", arguments: ExpressionTable.mistakes)
    func mistakes(source: String, offset: Int, message: String) {
        #expect(throws: ExpressionError(offset: offset, message: message)) {
            try Expression(source)
        }
    }

    @Test("a rule about the earlier state applies only where there is one")
    func transition() throws {
        let rule = try Expression("self == oldSelf")
        #expect(rule.isTransition)
        #expect(rule.isTrue(self: try node("a")) == .isTrue)
        #expect(rule.isTrue(self: try node("a"), oldSelf: try node("a")) == .isTrue)
        #expect(rule.isTrue(self: try node("a"), oldSelf: try node("b")) == .isFalse)
        #expect(try !Expression("self == self").isTransition)
    }

    // MARK: Limits

    @Test(
        "an expression that nests too deep is refused",
        arguments: ["(", "[", "!", "-", "{1:", "self.all(x,", "true?true:", "size(", "1+("])
    func nested(opening: String) {
        let error = #expect(throws: ExpressionError.self) {
            try Expression(String(repeating: opening, count: 1_300))
        }
        let isLimit =
            error?.message == "nested deeper than 128 levels"
            || error?.message == "more than 16 variables at once"
        #expect(isLimit, "\(error?.message ?? "")")
    }

    @Test("so is a chain that is as deep, and an expression that is too long")
    func long() throws {
        let deep = ExpressionError(offset: 257, message: "nested deeper than 128 levels")
        #expect(throws: deep) {
            try Expression("1" + String(repeating: "+1", count: 1_300))
        }
        let chain = "1" + String(repeating: "+1", count: 127) + "==128"
        #expect(throws: ExpressionError.self) { try Expression(chain) }
        let shorter = "1" + String(repeating: "+1", count: 126) + "==127"
        #expect(try Expression(shorter).isTrue(self: node("a")) == .isTrue)
        let error = #expect(throws: ExpressionError.self) {
            try Expression("true" + String(repeating: " ", count: 16 << 10))
        }
        #expect(error?.message == "longer than 16384 bytes")
    }

    private static let costly = Expression.Verdict.failed("the rule costs too much to evaluate")

    @Test(
        "loops in loops end when they cost too much, whatever would absorb an error",
        arguments: [
            "self.all(a, self.all(b, self.all(c, a != -1)))",
            "self.exists(a, self.exists(b, self.exists(c, a == -1))) || true",
            "self.all(a, self.all(b, self.all(c, a != -1))) && false",
            "self.map(a, self.map(b, self.map(c, self))) == []",
            "self.exists_one(a, self.all(b, self == self))",
            "self.all(a, self.all(b, (self + self + self + self).size() > 0))",
        ])
    func bounded(source: String) throws {
        let list = "[" + (0..<256).map(String.init).joined(separator: ",") + "]"
        #expect(try Expression(source).isTrue(self: node(list)) == Self.costly)
    }

    @Test("two loops of 64 with a long body are within the limit")
    func affordable() throws {
        let list = "[" + (0..<64).map { "{p: \($0)}" }.joined(separator: ",") + "]"
        let rule = try Expression(
            "self.all(a, self.exists_one(b, a.p == b.p && (has(a.h) && has(b.h) ? a.h == b.h"
                + " : !has(a.h) && !has(b.h))))")
        #expect(rule.isTrue(self: try node(list)) == .isTrue)
    }

    /// The second spelling is one that no shortcut is known for.
    @Test(
        "a comparison that comes first in a loop may be looked at first, and changes nothing",
        arguments: [
            ("a.f == b.f", "!(a.f != b.f)"), ("b.f == a.f", "!(b.f != a.f)"),
            ("a.f == b.g", "!(a.f != b.g)"),
            ("a.f == b.f && a.g == b.g", "!(a.f != b.f) && a.g == b.g"),
            ("a.f == b.f && b.g > 1 && has(a.f)", "!(a.f != b.f) && b.g > 1 && has(a.f)"),
            ("a.f == b.f || a.g == b.g", "!(a.f != b.f) || a.g == b.g"),
        ], ["all", "exists", "exists_one", "filter"])
    func sieve(bodies: (String, String), macro: String) throws {
        var random = SeededRandom(seed: 11)
        let values = ["1", "2", "x", "'1'", "null", "1.5", "[1]", "true"]
        for _ in 0..<150 {
            let items = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                let fields = ["f", "g"].filter { _ in Int.random(in: 0..<6, using: &random) > 0 }
                return "{"
                    + fields.map { "\($0): \(values.randomElement(using: &random) ?? "")" }
                    .joined(separator: ", ") + "}"
            }
            let list = try node("[\(items.joined(separator: ", "))]")
            let end = macro == "filter" ? ".size() == 1" : ""
            let verdicts = try [bodies.0, bodies.1].map {
                try Expression("self.all(a, self.\(macro)(b, \($0))\(end))").isTrue(self: list)
            }
            #expect(verdicts[0] == verdicts[1], "\(items)")
        }
    }

    @Test("long strings cost by their length")
    func longStrings() throws {
        let text = String(repeating: "a", count: 200_000)
        let list = "[" + (0..<100).map { "\($0)" }.joined(separator: ",") + "]"
        let object = try node("{text: \(text), list: \(list)}")
        for call in ["matches('b$')", "contains('b')", "split('b').size() > 9", "size() == 1"] {
            let rule = try Expression("self.list.all(x, !(self.text.\(call)))")
            #expect(rule.isTrue(self: object) == Self.costly, "\(call)")
        }
        let items = (10..<70).map { "{p: \(text)\($0)}" }
        let twins = try node("[\(items.joined(separator: ","))]")
        let unique = try Expression("self.all(a, self.exists_one(b, a.p == b.p))")
        #expect(unique.isTrue(self: twins) == Self.costly)
        let runaway = try Expression("self.matches('^(a+)+$') || true")
        #expect(
            runaway.isTrue(self: try node(String(repeating: "a", count: 40) + "b")) == Self.costly)
    }
}
