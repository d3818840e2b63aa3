import Manifest
import Primitives
import Routing
import Testing

@testable import GatewayAPI

/// What holds for whatever is written in the older dialect. A failure names its seed.
@Suite("Conversion of random documents")
struct ConversionPropertyTests {
    static let seeds: UInt64 = 120

    private static func files(seed: UInt64) -> [Configuration.File] {
        var source = SeedDocuments(seed: seed)
        return [(path: "f.yaml", text: source.documents().joined(separator: "---\n"))]
    }

    /// The lines that only one of the two has.
    private static func difference(_ first: Plan, _ second: Plan) -> [String] {
        let change = SharesText.lines(second).difference(from: SharesText.lines(first))
        return change.map { change in
            switch change {
            case .insert(_, let line, _): "+ \(line)"
            case .remove(_, let line, _): "- \(line)"
            }
        }
    }

    @Test("what is converted serves as before, passes the real CRDs, and stays as it is")
    func conversion() throws {
        var strict = Configuration.Options()
        strict.isStrict = true
        // Readers that have parsed the schemas before save most of the time.
        var (reader, strictReader) = (ConfigurationReader(), ConfigurationReader(options: strict))
        var catalog = SchemaCatalog(.crd)
        var written = 0
        var changed = 0
        for seed in 0..<Self.seeds {
            let files = Self.files(seed: seed)
            let before = reader.load(files: files)
            try #require(!before.hasErrors, "seed \(seed): \(before.findings)")
            let result = Conversion.convert(files: files, &reader, &catalog)
            guard !result.hasErrors else {
                #expect(result.files.isEmpty, "seed \(seed)")
                continue
            }
            written += 1
            changed += result.changedCount
            let after = strictReader.load(files: result.files)
            let refused = after.findings.filter { $0.layer != .controller }
            try #require(refused == [], "seed \(seed)")
            let difference = Self.difference(before.plan, after.plan)
            try #require(difference == [], "seed \(seed)")
            let again = Conversion.convert(files: result.files, &reader, &catalog)
            try #require(again.changedCount == 0, "seed \(seed)")
            try #require(again.files.map(\.text) == result.files.map(\.text), "seed \(seed)")
        }
        // Random faults are frequent, and must not be all that there is.
        #expect(written > Int(Self.seeds) / 4)
        #expect(changed > written)
    }

    @Test("the order of documents and files changes neither plan nor conditions")
    func permutation() throws {
        var reader = ConfigurationReader()
        for seed in 0..<2000 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            var source = SeedDocuments(seed: seed)
            let documents = source.documents()
            let expected = reader.load(files: Self.dealt(documents, among: 1, &random))
            let shuffled = documents.shuffled(using: &random)
            let count = Int.random(in: 1...4, using: &random)
            let result = reader.load(files: Self.dealt(shuffled, among: count, &random))
            try #require(result.plan == expected.plan, "seed \(seed)")
            try #require(result.conditions == expected.conditions, "seed \(seed)")
        }
    }

    /// The documents in so many files, each in any of them.
    private static func dealt(
        _ documents: [String], among count: Int, _ random: inout SeededRandom
    ) -> [Configuration.File] {
        var files = [[String]](repeating: [], count: count)
        for document in documents {
            files[Int.random(in: 0..<count, using: &random)].append(document)
        }
        return files.enumerated().map { number, documents in
            (path: "f\(number).yaml", text: documents.joined(separator: "---\n"))
        }
    }

    @Test("what two files hold is converted as what one holds")
    func files() throws {
        var reader = ConfigurationReader()
        var catalog = SchemaCatalog(.crd)
        for seed in 0..<60 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            var source = SeedDocuments(seed: seed)
            let documents = source.documents()
            let results = [1, 2].map { count in
                let files = Self.dealt(documents, among: count, &random)
                return Conversion.convert(files: files, &reader, &catalog)
            }
            let (one, two) = (results[0], results[1])
            try #require(one.hasErrors == two.hasErrors, "seed \(seed)")
            guard !one.hasErrors else { continue }
            let plans = [one, two].map { reader.load(files: $0.files).plan }
            try #require(Self.difference(plans[0], plans[1]) == [], "seed \(seed)")
        }
    }

    @Test("damaged documents are refused or converted, and a second time nothing changes")
    func damaged() throws {
        var reader = ConfigurationReader()
        var catalog = SchemaCatalog(.crd)
        for seed in 0..<120 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            var bytes = Array(Self.files(seed: seed)[0].text.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...127, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert(bytes.randomElement(using: &random) ?? 0, at: index)
                }
            }
            let files = [(path: "f.yaml", text: String(decoding: bytes, as: UTF8.self))]
            let result = Conversion.convert(files: files, &reader, &catalog)
            guard !result.hasErrors else { continue }
            let again = Conversion.convert(files: result.files, &reader, &catalog)
            try #require(!again.hasErrors, "seed \(seed)")
            try #require(again.changedCount == 0, "seed \(seed)")
        }
    }
}
