import Primitives
import Routing
import Testing
import Traffic
import Wire

@testable import Resolver

@Suite("The directory of names")
struct DirectoryTests {
    // MARK: Families

    private struct FamilyRow: Sendable {
        let family: DNSPlan.Family
        let hasV4: Bool
        let hasV6: Bool
        let expected: [String]
        let asked: [String]
    }

    private static let v4 = "192.0.2.1"
    private static let v6 = "2001:db8::1"
    private static let familyRows: [FamilyRow] =
        [(true, true), (true, false), (false, true), (false, false)].flatMap { hasV4, hasV6 in
            let a = hasV4 ? [v4] : []
            let aaaa = hasV6 ? [v6] : []
            func row(_ family: DNSPlan.Family, _ expected: [String], _ asked: [String]) -> FamilyRow
            {
                FamilyRow(
                    family: family, hasV4: hasV4, hasV6: hasV6, expected: expected, asked: asked)
            }
            return [
                row(.ipv4, a, ["A"]), row(.ipv6, aaaa, ["AAAA"]),
                row(.both, a + aaaa, ["A", "AAAA"]),
                row(.ipv4Preferred, hasV4 ? a : aaaa, hasV4 ? ["A"] : ["A", "AAAA"]),
                row(.ipv6Preferred, hasV6 ? aaaa : a, hasV6 ? ["AAAA"] : ["AAAA", "A"]),
            ]
        }

    @Test(
        "each family makes one list of what there is, and asks no more than it needs",
        arguments: familyRows.indices)
    func families(index: Int) {
        let row = Self.familyRows[index]
        let world = World()
        if row.hasV4 { world.set("x.example", a: [Self.v4]) }
        if row.hasV6 { world.set("x.example", aaaa: [Self.v6]) }
        let lookup = Lookup.host("x.example", row.family)
        world.want(lookup)
        world.run(milliseconds: 1_000)
        #expect(world.addresses(of: lookup) == row.expected, "\(row.family)")
        #expect(world.sent.map(\.type.text) == row.asked, "\(row.family)")
    }

    @Test("one family that fails does not take the other away")
    func independence() {
        let world = World()
        world.set("x.example", a: [Self.v4])
        world.set("x.example", aaaa: [Self.v6])
        let both = Lookup.host("x.example", .both) { $0.staleMax = 100_000 }
        world.want(both)
        world.run(milliseconds: 1_000)
        world.failure = { $0.type == .aaaa ? .code(2) : nil }
        world.run(milliseconds: 155_000)
        #expect(world.addresses(of: both) == [Self.v4, Self.v6])
        world.run(milliseconds: 10_000)
        #expect(world.addresses(of: both) == [Self.v4])
        world.failure = nil
        world.run(milliseconds: 40_000)
        #expect(world.addresses(of: both) == [Self.v4, Self.v6])
    }

    @Test("the family that is not preferred serves until the other is there, without a gap")
    func preference() {
        let world = World()
        world.set("x.example", aaaa: [Self.v6])
        let lookup = Lookup.host("x.example", .ipv4Preferred)
        world.want(lookup)
        world.run(milliseconds: 1_000)
        #expect(world.addresses(of: lookup) == [Self.v6])
        world.set("x.example", a: [Self.v4])
        world.run(milliseconds: 40_000)
        #expect(world.addresses(of: lookup) == [Self.v4])
        #expect(world.told.count == 2)
        world.forget()
        world.run(milliseconds: 300_000)
        #expect(Set(world.sent.map(\.type.text)) == ["A"], "the other is not asked for any more")
        // Gone again: nothing is told until it is known what the other family has.
        world.zone["x.example A"] = nil
        world.run(milliseconds: 500_000)
        #expect(world.told.map { $0.1 } == [.addresses([.of(Self.v6)])])
    }

    // MARK: Life of a name

    @Test("an answer that is the same in another order is no change")
    func order() {
        let world = World()
        world.set("x.example", a: ["192.0.2.2", "192.0.2.1"], ttl: 10)
        let lookup = Lookup.host("x.example")
        world.want(lookup)
        world.run(milliseconds: 1_000)
        world.set("x.example", a: ["192.0.2.1", "192.0.2.2"], ttl: 10)
        world.run(milliseconds: 60_000)
        #expect(world.told.count == 1 && world.sent.count > 4)
        #expect(world.addresses(of: lookup) == ["192.0.2.1", "192.0.2.2"])
    }

    @Test("a name is asked for as its TTL says")
    func ttl() {
        let world = World()
        world.set("x.example", a: [Self.v4], ttl: 10)
        world.want(.host("x.example"))
        world.run(milliseconds: 1_000_000)
        #expect((90...101).contains(world.sent.count), "every 10 to 11 s: \(world.sent.count)")
    }

    @Test("a name that never resolves is told once, as empty")
    func neverThere() {
        let world = World()
        world.failure = { _ in .timedOut }
        let lookup = Lookup.host("x.example")
        world.want(lookup)
        world.run(milliseconds: 100_000)
        #expect(world.told.map { $0.1 } == [.addresses([])])
        #expect(
            world.directory.report(now: world.now).names.first?.records.first?.trouble
                == .failed(.timedOut))
    }

    @Test("what stays wanted keeps all it has, and is told nothing anew")
    func diff() {
        let world = World()
        world.set("x.example", a: [Self.v4])
        world.set("y.example", a: ["192.0.2.2"])
        world.want(.host("x.example"))
        world.run(milliseconds: 1_000)
        world.forget()
        world.want(.host("x.example"), .host("y.example"))
        world.run(milliseconds: 1_000)
        #expect(world.sent.map(\.name.description) == ["y.example"])
        #expect(world.told.map { $0.0.name } == ["y.example"])
        world.want([])
        world.forget()
        world.run(milliseconds: 1_000_000)
        #expect(world.sent.isEmpty && world.told.isEmpty)
        #expect(world.directory.entries.isEmpty && world.directory.deadline == nil)
    }

    @Test("a name that is given up while it is asked for leaves nothing behind")
    func abandoned() {
        let world = World()
        world.set("x.example", a: [Self.v4])
        world.want(.host("x.example"))
        world.want([])
        world.want(.host("x.example"))
        world.want([])
        world.run(milliseconds: 1_000)
        #expect(world.told.isEmpty && world.directory.entries.isEmpty)
        #expect(world.directory.queries.scheduler.flyingCount == 0)
        #expect(world.directory.queries.scheduler.waitingCount == 0)
    }

    @Test("one query serves all who want the same of the same servers")
    func sharing() {
        let world = World()
        world.set("x.example", a: [Self.v4])
        let slow = Lookup.host("x.example") { $0.ttlMin = 120_000 }
        let other = Lookup.host("x.example") { $0.servers = [.ip(.of("192.0.2.53"), port: 53)] }
        world.want(.host("x.example"), slow, other)
        world.run(milliseconds: 1_000)
        #expect(world.sent.count == 2)
        #expect(Set(world.sent.map(\.server.description)) == ["127.0.0.1:53", "192.0.2.53:53"])
        #expect(world.known.count == 3)
    }

    // MARK: Files

    @Test(
        "addresses and names of the hosts file are asked of nobody",
        arguments: [
            ("192.0.2.7", ["192.0.2.7"]), ("DB.example", ["192.0.2.8"]),
            ("db.example.", ["192.0.2.8"]), ("localhost", ["127.0.0.1"]),
        ])
    func fixed(name: String, expected: [String]) {
        let world = World(hosts: HostsFile("192.0.2.8 db.example\n2001:db8::8 db.example"))
        let lookup = Lookup.host(name)
        world.want(lookup)
        world.run(milliseconds: 100_000)
        #expect(world.addresses(of: lookup) == expected)
        #expect(world.sent.isEmpty)
    }

    @Test("a change of the hosts file takes names from servers and gives them back")
    func hostsChange() {
        let world = World()
        world.set("db.example", a: [Self.v4])
        let lookup = Lookup.host("db.example")
        world.want(lookup)
        world.run(milliseconds: 1_000)
        world.change(system: SystemConfiguration(), hosts: HostsFile("192.0.2.8 db.example"))
        #expect(world.addresses(of: lookup) == ["192.0.2.8"])
        world.forget()
        world.run(milliseconds: 100_000)
        #expect(world.sent.isEmpty)
        world.change(system: SystemConfiguration())
        #expect(world.addresses(of: lookup) == ["192.0.2.8"], "until the server has answered")
        world.run(milliseconds: 1_000)
        #expect(world.addresses(of: lookup) == [Self.v4])
    }

    @Test("when the system's servers change, its names are asked for at once, own servers' not")
    func systemChange() {
        let world = World()
        world.set("x.example", a: [Self.v4], ttl: 3_600)
        let own = Lookup.host("x.example") { $0.servers = [.ip(.of("192.0.2.53"), port: 53)] }
        world.want(.host("x.example"), own)
        world.run(milliseconds: 1_000)
        world.forget()
        world.change(system: SystemConfiguration("nameserver 198.51.100.1"))
        world.run(milliseconds: 1_000)
        #expect(world.sent.map(\.server.description) == ["198.51.100.1:53"])
    }

    @Test("a question to a server that is no longer the system's is asked of the new one at once")
    func systemChangeWhileAsking() {
        let world = World()
        world.set("x.example", a: [Self.v4])
        world.delayMilliseconds = 1_000
        let lookup = Lookup.host("x.example")
        world.want(lookup)
        world.run(milliseconds: 10)
        world.failure = { $0.server.description == "127.0.0.1:53" ? .timedOut : nil }
        world.change(system: SystemConfiguration("nameserver 198.51.100.1"))
        world.run(milliseconds: 1_500)
        #expect(world.addresses(of: lookup) == [Self.v4])
        #expect(world.sent.map(\.server.description) == ["127.0.0.1:53", "198.51.100.1:53"])
        #expect(world.directory.queries.scheduler.flyingCount == 0)
    }

    @Test("the search list is for the system's servers alone")
    func search() {
        let world = World(system: SystemConfiguration("search a.example"))
        world.set("db.a.example", a: [Self.v4])
        world.set("db", a: ["192.0.2.9"])
        let own = Lookup.host("db") { $0.servers = [.ip(.of("192.0.2.53"), port: 53)] }
        world.want(.host("db"), .host("db."), own)
        world.run(milliseconds: 1_000)
        #expect(world.addresses(of: .host("db")) == [Self.v4])
        #expect(world.addresses(of: .host("db.")) == ["192.0.2.9"])
        #expect(world.addresses(of: own) == ["192.0.2.9"])
    }

    // MARK: Many

    @Test("ten thousand names go out bounded, each once, and part ways at their refresh")
    func tenThousand() {
        let world = World()
        let names = (0..<10_000).map { "n\($0).example" }
        for name in names { world.set(name, a: [Self.v4], ttl: 30) }
        world.want(Set(names.map { Lookup.host($0) }))
        world.run(milliseconds: 5_000)
        #expect(world.known.count == 10_000 && world.sent.count == 10_000)
        #expect(world.flyingMost == world.directory.limits.flyingPerGroupMax)
        world.forget()
        world.run(milliseconds: 70_000)
        #expect(world.told.isEmpty)
        #expect((15_000...24_000).contains(world.sent.count))
        #expect(world.directory.queries.scheduler.waitingCount < 500, "it keeps up")
    }

    @Test("names beyond the limit are refused and counted, and nothing else suffers")
    func limit() {
        var limits = Directory.Limits()
        limits.namesMax = 3
        let world = World(limits: limits)
        for number in 0..<5 { world.set("n\(number).example", a: [Self.v4]) }
        let lookups = Set((0..<5).map { Lookup.host("n\($0).example") })
        world.want(lookups)
        world.run(milliseconds: 1_000)
        #expect(world.known.values.count { $0.isEmpty } == 2)
        let report = world.directory.report(now: world.now)
        #expect(report.names.count == 5 && report.names.count { $0.isRefused } == 2)
        #expect(report.counters.refused == 2)
        let kept = Set(report.names.filter(\.isRefused).map(\.lookup))
        world.want(kept)
        world.run(milliseconds: 1_000)
        #expect(kept.allSatisfy { world.addresses(of: $0) == [Self.v4] })
    }

    @Test("a report tells answers, time left, the next question and what went wrong")
    func report() throws {
        let world = World()
        world.set("x.example", a: [Self.v4], ttl: 10)
        world.want(.host("x.example"))
        world.run(milliseconds: 5_003)
        world.failure = { _ in .code(5) }
        var record = try #require(world.directory.report(now: world.now).names.first?.records.first)
        #expect(record.type == "A" && record.data == .addresses([.of(Self.v4)]))
        #expect(record.remainingMilliseconds == 5_000)
        #expect(record.answeredAgoMilliseconds == 5_000 && record.trouble == nil)
        #expect((5_000...6_000).contains(try #require(record.nextAskMilliseconds)))
        world.run(milliseconds: 10_000)
        record = try #require(world.directory.report(now: world.now).names.first?.records.first)
        #expect(record.trouble == .failed(.code(5)) && record.failureCount > 0)
        #expect(record.data != nil && (record.remainingMilliseconds ?? 0) < 0)
    }
}
