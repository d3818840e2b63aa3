import Testing

@testable import Manifest

@Suite("Patterns")
struct PatternTests {
    @Test(
        "match what RE2 matches",
        arguments: [
            ("b", "abc", true), ("^b", "abc", false), ("c$", "abc", true),
            ("", "", true), ("", "x", true), ("^$", "", true), ("a", "", false),
            // Without the flag m, `$` is the end of the text and not of the line before it.
            ("a$", "a\n", false), ("(?m)a$", "a\nb", true), ("a.b", "a\nb", false),
            ("^.$", "é", true), ("^.$", "🦋", true), ("^\\p{L}+$", "Ürümqi", true),
            ("^(?i)abc$", "aBC", true), ("^a(?i)b$", "AB", false), ("[[:alpha:]]+", "1a", true),
            ("^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$", "/a%2Fb", true),
            ("^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$", "/a%2", false),
            ("^(?P<name>a)+$", "aaa", true), ("\0", "a\0b", true), ("\\x00$", "a\0", true),
        ] as [(String, String, Bool)])
    func matches(pattern: String, text: String, isFound: Bool) throws {
        #expect(try Pattern(pattern).matches(text) == isFound)
    }

    @Test(
        "that are wrong tell where and why",
        arguments: [
            ("a(b", 3, "missing closing parenthesis"), ("a)", 1, "unmatched closing parenthesis"),
            ("[a", 2, "missing terminating ] for character class"),
            ("*a", 0, "quantifier does not follow a repeatable item"),
            // A group captures nothing, so that there is nothing to refer back to.
            ("(a)\\1", 4, "reference to non-existent subpattern"),
            ("\\C", 2, "using \\C is disabled by the application"),
        ] as [(String, Int, String)])
    func refuses(text: String, offset: Int, message: String) {
        #expect(throws: PatternError(offset: offset, message: message)) { try Pattern(text) }
    }

    @Test("no text makes one run away")
    func bounded() throws {
        let pattern = try Pattern("^(a+)+$")
        #expect(pattern.search(String(repeating: "a", count: 40)) == .found)
        let text = String(repeating: "a", count: 40) + "b"
        #expect(pattern.search(text) == .undecided)
        #expect(!pattern.matches(text))
    }

    @Test("a text too deep for the compiled code's stack is searched all the same")
    func deep() throws {
        let pattern = try Pattern("^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.|$))*$")
        let text = String(repeating: "ab-c.", count: 5_000)
        let isFound = pattern.matches(text)
        #expect(isFound, "the text has \(text.utf8.count) bytes")
    }

    @Test("one is shared by threads that match at once")
    func shared() async throws {
        let pattern = try Pattern("^[a-z]+[0-9]$")
        let found = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    (0..<1_000).count { pattern.matches("abc\(($0 + worker) % 20)") }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(found == 4 * 500)
    }
}
