import Manifest
import Primitives
import Testing

@testable import GatewayAPI

@Suite("Documents of a file")
struct DocumentStreamTests {
    private func parts(_ text: String) -> [[String]] {
        DocumentStream(text).parts.map { ["\($0.linesBefore)", String($0.text)] }
    }

    @Test("a line that begins with three dashes begins a document")
    func separators() {
        #expect(parts("") == [["0", ""]])
        #expect(parts("a: 1\n") == [["0", "a: 1\n"]])
        #expect(parts("---\na: 1\n") == [["0", "---\na: 1\n"]])
        #expect(parts("a: 1\n---\nb: 2\n") == [["0", "a: 1\n"], ["1", "---\nb: 2\n"]])
        #expect(
            parts("# c\n\n--- {a: 1}\n---\n---")
                == [["0", "# c\n\n"], ["2", "--- {a: 1}\n"], ["3", "---\n"], ["4", "---"]])
        #expect(parts("a: |\n  ---\n  b\n").count == 1)
        #expect(parts("a: 1\r\n---\r\nb: 2").map { $0[0] } == ["0", "1"])
    }

    @Test("a file with directives or explicit ends stays whole")
    func wholes() {
        #expect(parts("%YAML 1.1\n---\na: 1\n---\nb: 2\n").count == 1)
        #expect(parts("a: 1\n---\nb: 2\n...\n---\nc: 3\n").count == 1)
    }

    @Test("documents read one by one are those of the whole file, places included")
    func sameAsWhole() {
        let pieces = [
            "a: 1\n", "---\n", "--- # c\n", "b: [1,\n  2]\n", "c: |\n  x\n  ---y\n", "# c\n", "\n",
            "d: \"x\\\n  y\"\n", "---\n\n", "e: {f: g}\n",
        ]
        var random = SeededRandom(seed: 7)
        for _ in 0..<2_000 {
            let text = (0..<Int.random(in: 0...9, using: &random))
                .map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let (whole, byParts) = (FindingLog(), FindingLog())
            var composer = Composer(file: "f", log: whole)
            let expected = composer.documents(of: text)
            let documents = DocumentStream(text).parts.flatMap { part in
                var composer = Composer(file: "f", linesBefore: part.linesBefore, log: byParts)
                return composer.documents(of: String(part.text))
            }
            // After an error the whole file's reader has nothing more.
            #expect(whole.findings.isEmpty == byParts.findings.isEmpty, "\(text)")
            if whole.findings.isEmpty { #expect("\(documents)" == "\(expected)", "\(text)") }
        }
    }

    @Test("a file that changes again and again is read as if for the first time")
    func reader() throws {
        func backend(_ number: Int, _ port: Int, _ comment: String) -> String {
            """
            \(comment)apiVersion: gateway.envoyproxy.io/v1alpha1
            kind: Backend
            metadata: {name: b\(number)}
            spec: {endpoints: [{ip: {address: 127.0.0.1, port: \(port)}}]}

            """
        }
        var random = SeededRandom(seed: 11)
        var reader = ConfigurationReader()
        for _ in 0..<200 {
            let files = (0..<2).map { file in
                let documents = (0..<Int.random(in: 0...5, using: &random)).map { _ in
                    backend(
                        Int.random(in: 0...4, using: &random),
                        Int.random(in: 65_530...65_540, using: &random),
                        Bool.random(using: &random) ? "# c\n" : "")
                }
                return (path: "f\(file)", text: documents.joined(separator: "---\n"))
            }
            let again = reader.load(files: files)
            let first = Configuration.load(files: files)
            #expect(again.findings == first.findings)
            #expect(again.conditions == first.conditions)
            #expect(again.plan == first.plan)
        }
    }
}
