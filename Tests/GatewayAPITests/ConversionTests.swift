import Foundation
import Manifest
import Testing

@testable import GatewayAPI

/// Each `Golden/Conversion/NAME.yaml` is converted; what is written and said must be what
/// `NAME.txt` holds. With `APUS_UPDATE_GOLDEN=1` the texts are written anew.
@Suite("Conversion")
struct ConversionTests {
    static let folder = GoldenTests.folder.appendingPathComponent("Conversion")

    static var names: [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { !$0.hasSuffix(".txt") }.sorted()
    }

    @Test("there are files to convert")
    func present() {
        #expect(Self.names.count >= 6)
    }

    @Test("a file becomes what the real CRDs take, or every obstacle is named", arguments: names)
    func golden(name: String) throws {
        let source = Self.folder.appendingPathComponent(name)
        let expected = source.deletingPathExtension().appendingPathExtension("txt")
        let text = try String(contentsOf: source, encoding: .utf8)
        let result = Conversion.convert(files: [(path: name, text: text)])
        var actual = result.findings.map { "\($0)\n" }.joined()
        actual += "# \(result.changedCount) changed, \(result.hasErrors ? "refused" : "written")\n"
        actual += Conversion.stream(result.files)
        if ProcessInfo.processInfo.environment["APUS_UPDATE_GOLDEN"] == "1" {
            try actual.write(to: expected, atomically: true, encoding: .utf8)
        }
        let wanted = try String(contentsOf: expected, encoding: .utf8)
        #expect(
            actual == wanted,
            "repeat: swift test --filter ConversionTests; update: APUS_UPDATE_GOLDEN=1")
    }

    @Test("what needs no change is copied byte for byte")
    func copies() {
        let text = """
            # c
            ---\u{20}
            {apiVersion: v1,   kind: ConfigMap, metadata: {name: a}, data: {b: 'c'}} # d
            ...
            ---
            apiVersion: gateway.envoyproxy.io/v1alpha1
            kind: Backend
            metadata: {name: b}
            spec: {endpoints: [{ip: {address: 10.0.0.1,   port: 1}}]}
            """
        let result = Conversion.convert(files: [(path: "f", text: text)])
        #expect(result.findings == [])
        #expect(result.changedCount == 0)
        #expect(result.files.map(\.text) == [text])
    }

    @Test("files that are not valid are refused whole")
    func invalid() {
        let result = Conversion.convert(files: [
            (path: "f", text: "apiVersion: v1\nkind: Secret\nmetadata: {name: a, nam: b}\n"),
            (path: "g", text: "a: ["),
        ])
        #expect(result.hasErrors)
        #expect(result.files.isEmpty)
        #expect(result.findings.contains { $0.place.file == "f" })
        #expect(result.findings.contains { $0.place.file == "g" })
    }

    @Test("files become one stream that reads as they do one by one")
    func streams() {
        let backend = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}"
        let files = [
            (path: "a", text: "# c\n" + backend.replacing("x", with: "a")),
            (path: "b", text: "---\n" + backend.replacing("x", with: "b")),
            (path: "c", text: "%YAML 1.1\n---\n" + backend.replacing("x", with: "c")),
            (path: "d", text: "\u{feff}" + backend.replacing("x", with: "d") + "\n"),
        ]
        let log = FindingLog()
        var composer = Composer(file: "s", log: log)
        let documents = composer.documents(of: Conversion.stream(files))
        #expect(log.findings == [])
        #expect(documents.compactMap { $0["metadata"]?["name"]?.text } == ["a", "b", "c", "d"])
    }

    @Test("new names are free, valid and short enough")
    func freeNames() {
        let long = String(repeating: "abcdefg.", count: 31) + "b"
        var names = FreeNames([
            ObjectIdentity(kind: "Backend", namespace: "n", name: "x-ip")
        ])
        #expect(names.name("x", "-ip", in: "n") == "x-ip-2")
        #expect(names.name("x", "-ip", in: "n") == "x-ip-3")
        #expect(names.name("x", "-ip", in: "m") == "x-ip")
        let name = names.name(long, "-fqdn", in: "n")
        #expect(name == long.dropLast(2) + "-fqdn")
        #expect(Names.isSubdomain(name))
        #expect(names.name(long, "-fqdn", in: "n").utf8.count <= 253)
    }
}
