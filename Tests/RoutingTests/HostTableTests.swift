import Testing

@testable import Routing

@Suite("Host table")
struct HostTableTests {
    private func find(_ table: HostTable, _ name: String?) -> Int? {
        guard let name else { return place(table.find(nil)) }
        return Array(name.utf8).withUnsafeBytes { place(table.find($0)) }
    }

    private func place(_ found: Int32) -> Int? { found == HostTable.absent ? nil : Int(found) }

    @Test(
        "the most specific pattern is found",
        arguments: [
            ("a.example.com", 0), ("A.Example.COM", 0), ("a.example.com.", 0),
            ("b.example.com", 1), ("b.c.example.com", 1), ("x.a.example.com", 2),
            ("x.y.a.example.com", 2), ("example.com", 3), ("y.example.net", 4), ("com", 4),
            ("", 4), (".", 4), (".example.com", 4), ("aexample.com", 4), ("example.com.evil", 4),
            ("..example.com", 1),
        ])
    func specific(name: String, pattern: Int) {
        let table = HostTable([
            .exact("a.example.com"), .suffix(".example.com"), .suffix(".a.example.com"),
            .exact("example.com"), .any,
        ])
        #expect(find(table, name) == pattern)
    }

    @Test("no name is only what stands for every name")
    func noName() {
        #expect(find(HostTable([.exact("a"), .suffix(".b")]), nil) == nil)
        #expect(find(HostTable([.exact("a"), .any]), nil) == 1)
        #expect(find(HostTable([]), nil) == nil)
        #expect(find(HostTable([]), "a") == nil)
    }

    @Test("of equal patterns the first is found")
    func equal() {
        let table = HostTable([
            .exact("a.b"), .exact("a.b"), .suffix(".b"), .suffix(".b"), .any, .any,
        ])
        #expect(find(table, "a.b") == 0)
        #expect(find(table, "c.b") == 2)
        #expect(find(table, "c") == 4)
    }

    @Test("every set of patterns over two labels gives what trying all of them gives, in order")
    func exhaustive() {
        let names = [
            "a", "b", "a.a", "b.a", "a.b", "a.b.a", "b.b.a", "a.a.b.a", ".a", "a.", "ba", "",
        ]
        let patterns = ["*", "a", "a.a", "a.b.a", "*.a", "*.b.a", "*.b", "*.a.b.a"].map {
            HostPattern($0)
        }
        for set in 0..<(1 << patterns.count) {
            let chosen = patterns.indices.filter { set >> $0 & 1 == 1 }.map { patterns[$0] }
            let table = HostTable(chosen)
            for name in names {
                let bare = name.hasSuffix(".") ? String(name.dropLast()) : name
                let expected = chosen.indices.filter { chosen[$0].matches(bare) }
                    .sorted { chosen[$0].precedence > chosen[$1].precedence }
                var found: [Int] = []
                var next = find(table, name)
                while let place = next {
                    found.append(place)
                    next = self.place(table.next(after: Int32(place)))
                }
                #expect(found == expected, "\(name) among \(chosen)")
            }
        }
    }
}
