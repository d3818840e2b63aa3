import Primitives
import Testing

@testable import Routing

@Suite("HTTP table")
struct HTTPTableTests {
    private static func table(_ candidates: [HTTPCandidate]) -> HTTPTable {
        HTTPTable(HTTPServerPlan(name: "a", host: .any, candidates: candidates)) { text in
            let wanted = Array(text.utf8)
            return { bytes in Array(bytes).contains(wanted) }
        }
    }

    private func rule(_ table: HTTPTable, _ request: borrowing HTTPRequest) -> Int? {
        table.decide(request)
    }

    // MARK: - Paths

    private static let paths: [HTTPMatch.Path] = [
        .prefix(""), .prefix("/a"), .prefix("/a/b"), .exact("/a"), .exact("/a/"), .exact("/"),
        .prefix("/a/b/c/d"), .exact("/a%2Fb"), .prefix("/long/long/long"),
    ]

    @Test(
        "paths match as they come, by whole segments, exact ones first, then the longest prefix",
        arguments: [
            ("/", 5), ("", 0), ("*", 0), ("/a", 3), ("/a/", 4), ("/a//", 1), ("/ab", 0),
            ("/a/b", 2), ("/a/b/", 2), ("/a/bc", 1), ("/a/b/c", 2), ("/a/b/c/d", 6),
            ("/a/b/c/d/e", 6), ("/a/b/c/de", 2), ("//a", 0), ("//", 0), ("/a%2Fb", 7),
            ("/a%2fb", 0), ("/a/../x", 1), ("/a/./b", 1), ("/A", 0), ("/long/long/long", 8),
            ("/long/long/longer", 0), ("/long/long/long/and/longer", 8),
        ])
    func path(path: String, rule expected: Int) {
        let candidates = Self.paths.enumerated().map {
            HTTPCandidate(host: .any, match: HTTPMatch(path: $1), rule: $0)
        }
        let request = HTTPRequest(authority: "a", target: path + "?/a")
        #expect(rule(Self.table(candidates), request) == expected)
    }

    @Test("a path of nothing but slashes is decided like any other")
    func slashes() {
        let table = Self.table([
            HTTPCandidate(host: .any, match: HTTPMatch(path: .prefix("/a")), rule: 0),
            HTTPCandidate(host: .any, match: HTTPMatch(path: .prefix("")), rule: 1),
        ])
        let slashes = HTTPRequest(
            authority: "a", target: String(repeating: "/", count: 60_000))
        #expect(rule(table, slashes) == 1)
        let segments = HTTPRequest(
            authority: "a", target: String(repeating: "/a", count: 30_000))
        #expect(rule(table, segments) == 0)
    }

    @Test("without a candidate, host or match there is no rule")
    func none() {
        let request = HTTPRequest(authority: "a.b", target: "/x")
        #expect(rule(Self.table([]), request) == nil)
        let other = HTTPCandidate(host: .exact("b"), match: HTTPMatch(), rule: 0)
        #expect(rule(Self.table([other]), request) == nil)
        let root = HTTPCandidate(host: .any, match: HTTPMatch(path: .exact("/")), rule: 0)
        #expect(rule(Self.table([root]), request) == nil)
        let any = HTTPCandidate(host: .any, match: HTTPMatch(), rule: 0)
        #expect(rule(Self.table([root, any]), request) == 1)
        let hostless = HTTPRequest(authority: nil, target: "/x")
        #expect(rule(Self.table([other, any]), hostless) == 1)
    }

    @Test("an expression that does not compile never matches")
    func uncompiled() {
        let plan = HTTPServerPlan(
            name: "a", host: .any,
            candidates: [
                HTTPCandidate(host: .any, match: HTTPMatch(path: .expression("(")), rule: 0)
            ])
        let request = HTTPRequest(authority: "a", target: "/(")
        let decision = HTTPTable(plan) { _ in nil }.decide(request)
        #expect(decision == nil)
    }

    @Test("what a host's own rules do not take falls to a less specific host's")
    func fallThrough() {
        let table = Self.table([
            HTTPCandidate(host: .exact("a.b.c"), match: HTTPMatch(path: .exact("/1")), rule: 0),
            HTTPCandidate(host: .suffix(".b.c"), match: HTTPMatch(path: .exact("/2")), rule: 1),
            HTTPCandidate(host: .suffix(".c"), match: HTTPMatch(path: .exact("/3")), rule: 2),
            HTTPCandidate(host: .any, match: HTTPMatch(path: .prefix("")), rule: 3),
        ])
        for (target, expected) in [("/1", 0), ("/2", 1), ("/3", 2), ("/4", 3)] {
            let request = HTTPRequest(authority: "A.b.c:8080", target: target)
            #expect(rule(table, request) == expected)
        }
        let sibling = HTTPRequest(authority: "x.b.c", target: "/1")
        #expect(rule(table, sibling) == 3)
    }

    // MARK: - Precedence

    /// From what is taken first to what is taken last.
    private static let ordered: [HTTPCandidate] = {
        let header = HTTPMatch.Field(name: "x", value: .exact("1"))
        let query = HTTPMatch.Field(name: "q", value: .exact("1"))
        let matches = [
            HTTPMatch(path: .exact("/a"), method: "GET"),
            HTTPMatch(path: .exact("/a")),
            HTTPMatch(path: .expression("/a")),
            HTTPMatch(path: .expression("/")),
            HTTPMatch(path: .prefix("/a"), method: "GET", headers: [header]),
            HTTPMatch(path: .prefix("/a"), method: "GET", query: [query]),
            HTTPMatch(path: .prefix("/a"), method: "GET"),
            HTTPMatch(path: .prefix("/a"), headers: [header], query: [query]),
            HTTPMatch(path: .prefix("/a"), headers: [header]),
            HTTPMatch(path: .prefix("/a"), query: [query]),
            HTTPMatch(path: .prefix("/a")),
            HTTPMatch(path: .prefix(""), method: "GET", headers: [header], query: [query]),
            HTTPMatch(),
        ]
        let hosts: [HostPattern] = [
            .exact("w.example.com"), .suffix(".example.com"), .suffix(".com"), .any,
        ]
        return hosts.flatMap { host in
            matches.map { HTTPCandidate(host: host, match: $0, rule: 0) }
        }
    }()

    @Test("each candidate precedes all behind it, and none precedes one before it")
    func comparator() {
        for (place, candidate) in Self.ordered.enumerated() {
            for (other, behind) in Self.ordered.enumerated() {
                #expect(candidate.precedes(behind) == (place < other), "\(place), \(other)")
            }
        }
    }

    @Test("candidates in any order decide alike")
    func permutations() {
        var random = SeededRandom(seed: 11)
        let request = HTTPRequest(
            authority: "w.example.com", target: "/a?q=1", headers: [("X", "1")])
        for _ in 0..<200 {
            let shuffled = Self.ordered.shuffled(using: &random)
            #expect(shuffled.sortedByPrecedence == Self.ordered)
            var left = shuffled
            for expected in Self.ordered {
                guard let place = rule(Self.table(left), request) else {
                    Issue.record("nothing matches of \(left.count)")
                    return
                }
                guard left[place] == expected else {
                    Issue.record("\(left[place]) before \(expected)")
                    return
                }
                // The table of a third is as good as that of all.
                left.remove(at: place)
                if left.count % 3 != 0 { break }
            }
        }
    }

    @Test("equal candidates are taken in the order in which they stand")
    func ties() {
        let match = HTTPMatch(path: .prefix("/a"))
        let request = HTTPRequest(authority: "a", target: "/a")
        let candidates = (0..<9).map { HTTPCandidate(host: .any, match: match, rule: $0) }
        #expect(candidates.placesByPrecedence == Array(0..<9))
        #expect(rule(Self.table(candidates), request) == 0)
    }

    // MARK: - Against the reference

    private static let labels = ["a", "b"]
    private static let values = ["1", "2", "1,2"]

    private static func randomMatch(_ random: inout SeededRandom) -> HTTPMatch {
        let path = randomPath(&random, segmentsMax: 3)
        var match = HTTPMatch()
        switch random.next() % 6 {
        case 0, 1: match.path = .exact(path)
        case 2: match.path = .expression(["/a", "b", "a/b"].randomElement(using: &random)!)
        default: match.path = .prefix(path == "/" ? "" : path)
        }
        if random.next() % 4 == 0 { match.method = random.next() % 2 == 0 ? "GET" : "PUT" }
        match.headers = fields(["x", "y"], &random)
        match.query = fields(["p", "q"], &random)
        return match
    }

    private static func fields(
        _ names: [String], _ random: inout SeededRandom
    ) -> [HTTPMatch.Field] {
        names.filter { _ in random.next() % 5 == 0 }.map { name in
            let value = values.randomElement(using: &random)!
            return HTTPMatch.Field(
                name: name, value: random.next() % 4 == 0 ? .expression(value) : .exact(value))
        }
    }

    private static func randomPath(_ random: inout SeededRandom, segmentsMax: UInt64) -> String {
        let count = random.next() % (segmentsMax + 1)
        let segments = (0..<count).map { _ in
            ["a", "b", "ab", "%2F", ".."].randomElement(using: &random)!
        }
        return "/" + segments.joined(separator: "/")
    }

    private static let hosts = [
        nil, "a", "b.a", "a.b.a", "*.a", "*.b.a", "b", "*.b",
    ]

    private static func randomRequest(
        _ random: inout SeededRandom
    ) -> ReferenceDecision.Request {
        var path = randomPath(&random, segmentsMax: 4)
        if random.next() % 8 == 0 { path += "/" }
        if random.next() % 16 == 0 { path = "/" + path }
        let query = (0..<(random.next() % 3)).map { _ in
            (
                name: ["p", "q"].randomElement(using: &random)!,
                value: values.randomElement(using: &random)!
            )
        }
        let headers = (0..<(random.next() % 3)).map { _ in
            (
                name: ["x", "X", "y"].randomElement(using: &random)!,
                value: values.randomElement(using: &random)!
            )
        }
        return ReferenceDecision.Request(
            method: ["GET", "PUT", "get"].randomElement(using: &random)!,
            host: ["a", "b.a", "a.b.a", "a.a", "x.b.a", "b", "a.b"].randomElement(using: &random)!,
            path: path, query: query, headers: headers)
    }

    @Test("100,000 random requests at 500 random servers go where the reference sends them")
    func reference() {
        var random = SeededRandom(seed: 3)
        var matched = 0
        for server in 0..<500 {
            let candidates = (0..<(random.next() % 40)).map { _ in
                HTTPCandidate(
                    host: HostPattern(Self.hosts.randomElement(using: &random)!),
                    match: Self.randomMatch(&random), rule: 0)
            }
            let table = Self.table(candidates)
            let reference = ReferenceDecision(candidates: candidates)
            for number in 0..<200 {
                let asked = Self.randomRequest(&random)
                let query = asked.query.map { $0.name + "=" + $0.value }.joined(separator: "&")
                let request = HTTPRequest(
                    method: asked.method, authority: asked.host.uppercased() + ":80",
                    target: asked.path + (query.isEmpty ? "" : "?" + query),
                    headers: asked.headers)
                let expected = reference.decide(asked)
                let decided = table.decide(request)
                if decided != expected {
                    Issue.record("server \(server), request \(number): \(asked)")
                    return
                }
                matched += decided == nil ? 0 : 1
                if number % 20 == 0 { check(table, request, decided, candidates) }
            }
        }
        #expect(matched > 25_000 && matched < 75_000, "both outcomes must be common: \(matched)")
    }

    /// What `mismatch` tells of each candidate agrees with the decision.
    private func check(
        _ table: HTTPTable, _ request: borrowing HTTPRequest, _ decided: Int?,
        _ candidates: [HTTPCandidate]
    ) {
        let first = candidates.placesByPrecedence.first { place in
            table.mismatch(of: place, with: request) == nil
        }
        #expect(first == decided)
    }

    @Test("what keeps a request from a candidate is named")
    func mismatches() {
        let match = HTTPMatch(
            path: .prefix("/a"), method: "GET",
            headers: [
                HTTPMatch.Field(name: "x", value: .exact("1")),
                HTTPMatch.Field(name: "y", value: .expression("2")),
            ],
            query: [HTTPMatch.Field(name: "q", value: .exact("é"))])
        let table = Self.table([HTTPCandidate(host: .suffix(".a"), match: match, rule: 0)])
        let cases: [(String, String, String, [(String, String)], HTTPTable.Mismatch?)] = [
            ("GET", "a", "/a", [], .host), ("GET", "b.a", "/ab", [], .path),
            ("POST", "b.a", "/a", [], .method), ("GET", "b.a", "/a", [], .header(0)),
            ("GET", "b.a", "/a", [("X", "1")], .header(1)),
            ("GET", "b.a", "/a?q=e", [("X", "1"), ("y", "123")], .query(0)),
            ("GET", "b.a", "/a?q=%C3%A9", [("X", "1"), ("y", "123")], nil),
        ]
        for (method, host, target, headers, expected) in cases {
            let request = HTTPRequest(
                method: method, authority: host, target: target,
                headers: headers.map { (name: $0.0, value: $0.1) })
            let found = table.mismatch(of: 0, with: request)
            #expect(found == expected)
            let decided = table.decide(request)
            #expect((decided == 0) == (expected == nil))
        }
    }
}
