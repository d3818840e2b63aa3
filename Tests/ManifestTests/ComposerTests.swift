import Testing

@testable import Manifest

/// What a file may do to its reader: every limit is reached here, and answered with a place.
@Suite("Limits of a file")
struct ComposerTests {
    private func compose(_ text: String) -> (documents: [Node], findings: [Finding]) {
        let log = FindingLog()
        var composer = Composer(file: "f", log: log)
        return (composer.documents(of: text), log.findings)
    }

    @Test("nesting to the limit is read, one level more is refused", arguments: ["[", "{a: "])
    func depth(open: String) {
        let close = open == "[" ? "]" : "}"
        func nested(_ count: Int) -> String {
            String(repeating: open, count: count) + String(repeating: close, count: count)
        }
        #expect(compose(nested(Composer.depthMax)).findings.isEmpty)
        let findings = compose(nested(Composer.depthMax + 1)).findings
        #expect(findings.count == 1)
        #expect(findings.first?.message.contains("nested deeper than 64") == true)
    }

    @Test("a hundred thousand open brackets end in one finding")
    func veryDeep() {
        for open in ["[", "{", "- ", "? ", "a: {"] {
            #expect(compose(String(repeating: open, count: 100_000)).findings.count == 1)
        }
    }

    @Test("aliases cannot build what nesting may not")
    func aliasDepth() {
        var text = "- &a0 [x]\n"
        for index in 1...100 { text += "- &a\(index) [*a\(index - 1)]\n" }
        let findings = compose(text).findings
        #expect(findings.count == 1)
        #expect(findings.first?.message.contains("nested deeper") == true)
        #expect(findings.first?.place.line == 63)
    }

    @Test("aliases that multiply are stopped before they take memory")
    func aliasSize() {
        var text = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for index in 1...20 {
            let aliases = Array(repeating: "*a\(index - 1)", count: 10).joined(separator: ", ")
            text += "- &a\(index) [\(aliases)]\n"
        }
        let findings = compose(text).findings
        #expect(findings.count == 1)
        #expect(findings.first?.message.contains("with the aliases written out") == true)
    }

    @Test("a file beyond the limit is not parsed")
    func size() {
        let text = "# " + String(repeating: "x", count: Composer.fileBytesMax)
        let (documents, findings) = compose(text)
        #expect(documents.isEmpty)
        #expect(
            findings.map(\.description) == [
                "f:1:1: error: the file has more than 16 MiB; split it into several"
            ])
    }

    @Test("a mapping of many fields is read in no more than linear time")
    func wide() {
        var text = ""
        for index in 0..<20_000 { text += "field\(index): \(index)\n" }
        let (documents, findings) = compose(text + "field7: again\n")
        #expect(documents.count == 1)
        #expect(
            findings.map(\.description) == [
                "f:20001:1: error: the field field7 is already on line 8; keep one of the two"
            ])
    }

    @Test(
        "text that YAML cannot carry is refused with its place",
        arguments: [
            ("a: b\nc: \u{1}\n", "f:2:4"), ("\0", "f:1:1"), ("a: \"\\ud83d\\ude00\"", "f:1:7"),
            ("\ta: b", "f:1:1"), ("a: 'b", "f:1:6"), ("a: b: c", "f:1:5"), ("%FOO\n", "f:1:5"),
        ])
    func unreadable(text: String, place: String) {
        let findings = compose(text).findings
        #expect(findings.count == 1)
        #expect(findings.first?.place.description == place)
        #expect(findings.first?.layer == .syntax)
    }

    @Test("an empty file, and one with a byte order mark, are read", arguments: ["", "\u{feff}"])
    func empty(text: String) {
        let (documents, findings) = compose(text)
        #expect(documents.isEmpty)
        #expect(findings.isEmpty)
    }
}
