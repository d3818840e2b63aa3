import Testing

@testable import Manifest

@Suite("YAML that is written")
struct YAMLWriterTests {
    private static let place = SourcePlace(file: "f", line: 1, column: 1)

    private func written(_ node: Node) -> String {
        var writer = YAMLWriter()
        writer.write(node)
        return writer.text
    }

    private func read(_ text: String) -> [Node]? {
        let log = FindingLog()
        var composer = Composer(file: "f", log: log)
        let documents = composer.documents(of: text)
        return log.findings.isEmpty ? documents : nil
    }

    /// What a node says, without its places.
    private func content(_ node: Node) -> String {
        switch node.value {
        case .scalar(let scalar): "\(scalar.kind) \(scalar.text.debugDescription)"
        case .sequence(let items): "[" + items.map(content).joined(separator: ", ") + "]"
        case .mapping(let entries):
            "{"
                + entries.map { "\($0.key.debugDescription): \(content($0.value))" }
                .joined(separator: ", ") + "}"
        }
    }

    @Test(
        "texts that some YAML takes for something else are quoted",
        arguments: [
            "", " ", "a ", " a", "yes", "No", "on", "OFF", "y", "n", "true", "null", "~", "0x1",
            "1",
            "010", "1e3", ".5", "1_000", "12:30:45", "2001-01-01", "0b2", "+1", "-", "- a", "? a",
            ": a", "a: b", "a #b", "#a", "a:", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", "'",
            "\"",
            "{", "[", "]", ",a", "<<", "=", "---", "...", "\t", "a\tb", "\u{feff}", "\u{0}", "\r\n",
            "::1", "1.5", ".inf", "\u{2028}", "\u{85}", "0o7",
        ])
    func quotes(text: String) throws {
        let line = written(Node(text, at: Self.place))
        #expect(line.hasPrefix("\"") && line.hasSuffix("\"\n"), "\(line)")
        #expect(line.utf8.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(try #require(read(line)).first.map(content) == content(Node(text, at: Self.place)))
    }

    @Test(
        "texts that everybody reads alike are not",
        arguments: [
            "a", "a b", "/var/run/x.sock", "10.0.0.1", "10.0.0.0/8", "1h30m", "fd00::1",
            "api.example.com", "gateway.envoyproxy.io/v1alpha1", "http/1.1", "a#b", "yesterday",
        ])
    func plain(text: String) {
        #expect(written(Node(text, at: Self.place)) == text + "\n")
    }

    @Test("collections are in block style, lists under their field")
    func blocks() throws {
        let text = """
            a:
              b: 1
              c: {}
              d: []
            e:
            - f: true
              g:
              - x
            -
              - 1
              - null
            - "no"
            h: |
              one

                two
            i: |-
              one
              two

            """
        let document = try #require(read(text)?.first)
        #expect(written(document) == text)
    }

    @Test("what is read of what is written is what was there, for 20,000 random nodes")
    func roundTrip() throws {
        for seed in 0..<20_000 {
            var source = NodeSource(seed: UInt64(seed))
            let node = source.node(depth: 4)
            // An empty document is none.
            guard !node.isNull else { continue }
            let text = written(node)
            let again = read(text)
            try #require(again?.count == 1, "seed \(seed): \(text)")
            try #require(again.map { content($0[0]) } == content(node), "seed \(seed): \(text)")
        }
    }

    @Test("comments stay with what they stand by, and a # that is none is content")
    func comments() throws {
        let text = """
            # above a
            a: 1 # beside a
            b: "x # y"
            c:
            # above the item
            - d: z#z # beside d
              # above e
              e: |
                # content
                f
            # below

            """
        let documents = try #require(read(text))
        let comments = Comments(of: text, file: "f", linesBefore: 0, documents: documents)
        var writer = YAMLWriter(comments: comments)
        writer.write(documents[0])
        writer.writeCommentsBelow()
        #expect(writer.text == text)
        #expect(writer.comments.rest.isEmpty)
    }
}

/// Random nodes: every scalar that YAML has trouble with, and any other.
struct NodeSource {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(state: seed) }

    /// Manifest's tests know no other module; this is `SeededRandom` in three lines.
    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            let mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
            return mixed ^ (mixed >> 27)
        }
    }

    private static let place = SourcePlace(file: "f", line: 1, column: 1)
    private static let pieces = [
        "a", "Z", "0", "7", "x", "e", ".", "-", "_", ":", " ", "  ", "#", " #", ": ", "\n", "\n\n",
        "\t", "\r", "'", "\"", "\\", "{", "}", "[", "]", ",", "&", "*", "!", "|", ">", "%", "@",
        "`",
        "?", "---", "...", "<<", "=", "~", "yes", "on", "null", "0x1", "1e3", "é", "\u{85}",
        "\u{a0}", "\u{2028}", "\u{feff}", "\u{0}", "\u{7f}", "😀", "\u{ffff}", "\u{301}",
    ]
    private static let plain = [
        "", "~", "null", "true", "no", "1", "-3", "0x1f", "010", "1.5", "1e3", ".inf",
        "99999999999999999999",
    ]

    mutating func node(depth: Int) -> Node {
        let value: Node.Value
        switch Int.random(in: 0..<(depth > 0 ? 4 : 2), using: &random) {
        case 0: value = .scalar(Scalar(text(), isText: true))
        case 1:
            let shown = Self.plain.randomElement(using: &random) ?? ""
            value = .scalar(Scalar(shown, isText: false))
        case 2:
            let count = Int.random(in: 0...3, using: &random)
            value = .sequence((0..<count).map { _ in node(depth: depth - 1) })
        default:
            var keys: Set<String> = []
            let count = Int.random(in: 0...3, using: &random)
            var entries: [Node.Entry] = []
            for _ in 0..<count {
                let key = Int.random(in: 0..<50, using: &random) == 0 ? longKey() : text()
                guard keys.insert(key).inserted, key != "<<" else { continue }
                entries.append(
                    .init(key: key, keyPlace: Self.place, value: node(depth: depth - 1)))
            }
            value = .mapping(entries)
        }
        return Node(place: Self.place, value: value)
    }

    private mutating func text() -> String {
        let count = Int.random(in: 0...5, using: &random)
        return (0..<count).map { _ in Self.pieces.randomElement(using: &random) ?? "" }.joined()
    }

    private mutating func longKey() -> String {
        String(repeating: text() + "k", count: Int.random(in: 100...600, using: &random))
    }
}
