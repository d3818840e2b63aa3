import Primitives
import Routing
import Testing
import Traffic
import Wire

@testable import Resolver

@Suite("Services by SRV records")
struct ServiceTests {
    private static let name = "_ldap._tcp.example"
    private static let lookup = Lookup(.service(name))

    private func srv(
        _ priority: UInt16, _ weight: UInt16, _ target: String, ttl: UInt32 = 60
    ) -> DNSBytes.Record {
        .srv(Self.name, ttl, priority, weight, 389, target)
    }

    @Test("priorities become tiers, and targets are asked for")
    func tiers() {
        let world = World()
        world.set(
            Self.name,
            srv: [srv(20, 0, "c.example"), srv(10, 3, "b.example"), srv(10, 1, "a.example")])
        world.set("a.example", a: ["192.0.2.1"])
        world.set("b.example", a: ["192.0.2.2", "192.0.2.3"])
        world.set("c.example", aaaa: ["2001:db8::4"])
        world.want(Self.lookup)
        world.run(milliseconds: 1_000)
        #expect(
            world.tiers(of: Self.lookup) == [
                ["a.example:389/1 192.0.2.1", "b.example:389/3 192.0.2.2 192.0.2.3"],
                ["c.example:389/0 2001:db8::4"],
            ])
    }

    @Test("addresses that came along are used, and nobody is asked for them")
    func additional() {
        let world = World()
        world.set(
            Self.name, srv: [srv(10, 1, "a.example")],
            additionals: [.a("a.example", 3_600, "192.0.2.1")])
        world.want(Self.lookup)
        world.run(milliseconds: 1_000)
        #expect(world.tiers(of: Self.lookup) == [["a.example:389/1 192.0.2.1"]])
        #expect(world.sent.map(\.type.text) == ["SRV"])
        #expect(world.told.count == 1)
    }

    @Test("a service that is decidedly not available is empty at once, and comes back")
    func notAvailable() {
        let world = World()
        world.set(Self.name, srv: [srv(10, 1, "a.example", ttl: 10)])
        world.set("a.example", a: ["192.0.2.1"])
        world.want(Self.lookup)
        world.run(milliseconds: 1_000)
        world.set(Self.name, srv: [srv(0, 0, ".", ttl: 10)])
        world.run(milliseconds: 12_000)
        #expect(world.known[Self.lookup] == .tiers([]))
        #expect(world.directory.entries.count == 1, "its targets are not kept")
        world.set(Self.name, srv: [srv(10, 1, "a.example", ttl: 10)])
        world.run(milliseconds: 12_000)
        #expect(world.tiers(of: Self.lookup) == [["a.example:389/1 192.0.2.1"]])
    }

    @Test("targets that stay keep their addresses; a new one joins when it has some")
    func targetChange() {
        let world = World()
        world.set(Self.name, srv: [srv(10, 1, "a.example", ttl: 10)])
        world.set("a.example", a: ["192.0.2.1"], ttl: 3_600)
        world.set("b.example", a: ["192.0.2.2"], ttl: 3_600)
        world.want(Self.lookup)
        world.run(milliseconds: 1_000)
        world.forget()
        world.set(
            Self.name, srv: [srv(10, 1, "a.example", ttl: 10), srv(10, 1, "b.example", ttl: 10)])
        world.run(milliseconds: 12_000)
        #expect(world.tiers(of: Self.lookup)?.first?.count == 2)
        #expect(world.sent.filter { $0.type == .a }.map(\.name.description) == ["b.example"])
        world.set(Self.name, srv: [srv(10, 1, "b.example", ttl: 10)])
        world.run(milliseconds: 12_000)
        #expect(world.tiers(of: Self.lookup) == [["b.example:389/1 192.0.2.2"]])
    }

    @Test("when all targets are replaced the old ones serve until a new one has addresses")
    func replacement() {
        let world = World()
        world.set(Self.name, srv: [srv(10, 1, "a.example", ttl: 10)])
        world.set("a.example", a: ["192.0.2.1"])
        world.set("b.example", a: ["192.0.2.2"])
        world.want(Self.lookup)
        world.run(milliseconds: 1_000)
        world.forget()
        world.set(Self.name, srv: [srv(10, 1, "b.example", ttl: 10)])
        world.run(milliseconds: 12_000)
        let expected = ServiceTarget(
            name: "b.example", port: 389, weight: 1, addresses: [.of("192.0.2.2")])
        #expect(world.told.map { $0.1 } == [.tiers([[expected]])])
    }

    @Test("the first priority is waited for, a later one is not")
    func waiting() {
        for (slow, expected) in [("a.example", 0), ("b.example", 1)] {
            let world = World()
            world.set(Self.name, srv: [srv(10, 1, "a.example"), srv(20, 1, "b.example")])
            world.set("a.example", a: ["192.0.2.1"])
            world.set("b.example", a: ["192.0.2.2"])
            // Silence until three seconds are over.
            world.failure = { [unowned world] send in
                send.name.description == slow && world.now < 503_000 ? .timedOut : nil
            }
            world.want(Self.lookup)
            world.run(milliseconds: 8)
            #expect(world.told.count == expected, "\(slow) is slow")
            world.run(milliseconds: 20_000)
            #expect(world.tiers(of: Self.lookup)?.count == 2)
        }
    }

    @Test("a target without addresses is left out, and a tier without targets too")
    func missingTarget() {
        let world = World()
        world.set(
            Self.name,
            srv: [srv(10, 1, "gone.example"), srv(20, 1, "b.example"), srv(20, 2, "gone.example")])
        world.set("b.example", a: ["192.0.2.2"])
        world.want(Self.lookup)
        world.run(milliseconds: 1_000)
        #expect(world.tiers(of: Self.lookup) == [["b.example:389/1 192.0.2.2"]])
    }

    @Test("the last good targets are kept while the service's name fails")
    func failing() {
        let world = World()
        world.set(Self.name, srv: [srv(10, 1, "a.example", ttl: 10)])
        world.set("a.example", a: ["192.0.2.1"], ttl: 10)
        world.want(Self.lookup)
        world.run(milliseconds: 1_000)
        world.failure = { _ in .code(2) }
        world.forget()
        world.run(milliseconds: 3_600_000)
        #expect(world.told.isEmpty)
        #expect(world.tiers(of: Self.lookup) == [["a.example:389/1 192.0.2.1"]])
    }

    @Test("a host that a service names and somebody wants too is one entry")
    func sharedHost() {
        let world = World()
        world.set(Self.name, srv: [srv(10, 1, "a.example")])
        world.set("a.example", a: ["192.0.2.1"])
        let host = Lookup.host("a.example.")
        world.want(Self.lookup, host)
        world.run(milliseconds: 1_000)
        #expect(world.sent.count == 2)
        world.want(host)
        #expect(world.directory.entries.count == 1)
        world.want(Self.lookup, host)
        world.want(Self.lookup)
        world.run(milliseconds: 1_000)
        #expect(world.directory.entries.count == 2)
        world.forget()
        world.want(Self.lookup, host)
        #expect(world.told.map { $0.0 } == [host], "what is known is told at once")
    }

    private struct ShareRow: Sendable {
        /// Weight and count of addresses, by target.
        let targets: [(UInt16, Int)]
        /// Parts of the whole that each target gets, in thousandths.
        let thousandths: [Int]
    }

    private static let shareRows = [
        ShareRow(targets: [(1, 1), (1, 2)], thousandths: [500, 500]),
        ShareRow(targets: [(3, 4), (1, 1)], thousandths: [750, 250]),
        ShareRow(targets: [(0, 1), (0, 1)], thousandths: [500, 500]),
        ShareRow(targets: [(0, 1), (10, 2)], thousandths: [0, 1_000]),
        ShareRow(targets: [(65_535, 3), (65_535, 1)], thousandths: [500, 500]),
    ]

    @Test(
        "a target's weight is shared by its addresses, and 0 is a very small chance",
        arguments: shareRows.indices)
    func shares(index: Int) {
        let row = Self.shareRows[index]
        let tier = row.targets.enumerated().map { number, target in
            ServiceTarget(
                name: "t\(number)", port: UInt16(number), weight: target.0,
                addresses: (0..<target.1).map { IPAddress(v4: UInt32($0)) })
        }
        let shares = ServiceTarget.shares(of: tier)
        #expect(shares.count == row.targets.reduce(0) { $0 + $1.1 })
        #expect(shares.allSatisfy { $0.weight > 0 })
        let total = shares.reduce(0.0) { $0 + Double($1.weight) }
        for (number, thousandths) in row.thousandths.enumerated() {
            let part = shares.reduce(0.0) { sum, share in
                guard case .ip(_, port: UInt16(number)) = share.address else { return sum }
                return sum + Double(share.weight)
            }
            #expect(Int((part / total * 1_000).rounded()) == thousandths)
        }
    }
}
