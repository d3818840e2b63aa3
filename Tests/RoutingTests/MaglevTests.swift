import Primitives
import Testing

@testable import Routing

@Suite("Maglev")
struct MaglevTests {
    private static let size: UInt32 = 65_537

    private static func entries(_ count: Int, weight: UInt32 = 1) -> [(key: UInt64, weight: UInt32)]
    {
        (0..<count).map { (key: ConsistentHash.hash("10.0.0.\($0):80".utf8), weight: weight) }
    }

    /// Whose each place is.
    private static func owners(_ table: Maglev, size: UInt32 = size) -> [Int] {
        (0..<UInt64(size)).map { table.pick($0) ?? -1 }
    }

    private static func counts(_ owners: [Int], _ count: Int) -> [Int] {
        owners.reduce(into: Array(repeating: 0, count: count)) { $0[$1] += 1 }
    }

    @Test(
        "entries of equal weight have equally many places, but for one",
        arguments: [1, 2, 3, 7, 100])
    func even(count: Int) {
        let counts = Self.counts(
            Self.owners(Maglev(Self.entries(count), size: Self.size)), count)
        #expect(counts.max()! - counts.min()! <= 1)
    }

    @Test(
        "entries have places by weight",
        arguments: [[1, 3], [5, 1, 1], [0, 2, 1], [100, 7, 33, 60]] as [[UInt32]])
    func weighted(weights: [UInt32]) {
        let entries = zip(Self.entries(weights.count), weights).map { (key: $0.key, weight: $1) }
        let counts = Self.counts(Self.owners(Maglev(entries, size: Self.size)), weights.count)
        let sum = Double(weights.reduce(0, +))
        for (count, weight) in zip(counts, weights) {
            let share = Double(weight) / sum * Double(Self.size)
            #expect(abs(Double(count) - share) <= 2, "\(counts)")
        }
    }

    @Test("the order of entries does not matter, and a table made again is the same")
    func rebuilt() {
        let entries = Self.entries(20)
        let owners = Self.owners(Maglev(entries, size: Self.size))
        #expect(Self.owners(Maglev(entries, size: Self.size)) == owners)
        let places = Array(entries.indices.reversed())
        let reversed = Self.owners(Maglev(places.map { entries[$0] }, size: Self.size))
        #expect(reversed.map { places[$0] } == owners)
    }

    @Test("when one of 50 entries goes, under 3 in 100 places of the others change hands")
    func removal() {
        let before = Self.owners(Maglev(Self.entries(50), size: Self.size))
        for gone in [0, 17, 49] {
            var entries = Self.entries(50)
            entries[gone].weight = 0
            let after = Self.owners(Maglev(entries, size: Self.size))
            #expect(!after.contains(gone))
            let moved = zip(before, after).filter { $0 != $1 && $0 != gone }.count
            #expect(moved < Int(Self.size) * 3 / 100, "\(moved) moved")
        }
    }

    @Test("a table without an entry picks none, with one always it")
    func few() {
        #expect(Maglev([], size: 2).pick(1) == nil)
        #expect(Maglev(Self.entries(3, weight: 0), size: 7).pick(1) == nil)
        #expect(Self.owners(Maglev(Self.entries(1), size: 2), size: 2) == [0, 0])
        #expect(Maglev(Self.entries(1), size: 3).pick(.max) == 0)
        // More entries than places: some have none.
        #expect(Self.owners(Maglev(Self.entries(9), size: 5), size: 5).allSatisfy { $0 >= 0 })
    }

    @Test("the largest weights and table")
    func largest() {
        var entries = Self.entries(3, weight: 1_000_000)
        entries[1].weight = 1
        let owners = Self.owners(Maglev(entries, size: Maglev.sizeMax), size: Maglev.sizeMax)
        let counts = Self.counts(owners, 3)
        #expect(abs(counts[0] - counts[2]) <= 1)
        #expect((2...3).contains(counts[1]), "one in 2,000,001 of 5,000,011 places: \(counts)")
    }

    @Test("prime numbers are told from others")
    func primes() {
        let sieve = (0...2_000).filter { number in
            number > 1 && !(2..<number).contains { number % $0 == 0 }
        }
        #expect((0...2_000).filter { Maglev.isSize(UInt32($0)) } == sieve)
        for prime: UInt32 in [65_537, 4_999_999, 5_000_011] { #expect(Maglev.isSize(prime)) }
        for other: UInt32 in [1_024, 65_536, 5_000_009, 5_000_021, .max] {
            #expect(!Maglev.isSize(other))
        }
    }

    @Test("a client is hashed by what the policy names")
    func hashKeys() {
        let client = IPAddress("10.0.0.1")
        let request = HTTPRequest(
            authority: "a", target: "/?u=%41&v=2",
            headers: [("X-User", "u"), ("Cookie", "a=1; sid=7"), ("cookie", "sid=8")])
        func hash(_ key: LoadBalancerPlan.HashKey) -> UInt64? {
            key.hash(client: client, head: request)
        }
        #expect(hash(.sourceAddress) == client.map(ConsistentHash.hash))
        #expect(LoadBalancerPlan.HashKey.sourceAddress.hash(client: client) == hash(.sourceAddress))
        #expect(
            ConsistentHash.hash(IPAddress("::ffff:10.0.0.1")!)
                == ConsistentHash.hash(IPAddress("10.0.0.1")!))
        #expect(ConsistentHash.hash(IPAddress("::1")!) != ConsistentHash.hash(IPAddress("1::")!))
        #expect(LoadBalancerPlan.HashKey.sourceAddress.hash(client: nil) == nil)
        #expect(LoadBalancerPlan.HashKey.headers(["x-user"]).hash(client: client) == nil)
        #expect(hash(.cookie(name: "sid", ttlSeconds: nil)) == ConsistentHash.hash("7".utf8))
        #expect(hash(.cookie(name: "si", ttlSeconds: nil)) == nil)
        #expect(hash(.cookie(name: "a", ttlSeconds: 1)) == ConsistentHash.hash("1".utf8))
        #expect(hash(.headers(["x-user", "x-none"])) == hash(.headers(["x-user"])))
        #expect(hash(.headers(["x-none"])) == nil)
        #expect(hash(.queryParameters(["u", "v"])) != hash(.queryParameters(["v", "u"])))
        let decoded = HTTPRequest(authority: "a", target: "/?u=A")
        let same = LoadBalancerPlan.HashKey.queryParameters(["u"]).hash(client: nil, head: decoded)
        #expect(hash(.queryParameters(["u"])) == same)
        #expect(hash(.queryParameters(["w"])) == nil)
    }
}
