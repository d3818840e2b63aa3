import Primitives
import Testing

@testable import Routing

@Suite("Zones")
struct ZoneSharesTests {
    private static func local(_ change: (inout ZonePlan) -> Void = { _ in }) -> ZonePlan {
        var plan = ZonePlan()
        change(&plan)
        return plan
    }

    private static func weighted(_ weights: [String: UInt32]) -> ZonePlan {
        local { $0.weights = weights.map { .init($0, $1) } }
    }

    @Test("without a plan, a zone of our own, a choice or enough endpoints nothing is preferred")
    func none() {
        #expect(ZoneShares(["a": 3, "b": 3], nil, local: "a") == nil)
        #expect(ZoneShares(["a": 3, "b": 3], Self.local(), local: nil) == nil)
        #expect(ZoneShares(["a": 3, "b": 3], Self.local(), local: "c") == nil)
        #expect(ZoneShares(["a": 9], Self.local(), local: "a") == nil)
        #expect(ZoneShares(["a": 3, "b": 2], Self.local(), local: "a") == nil)
    }

    @Test("all stays in a zone that has its fair part of the endpoints")
    func fair() {
        let shares = ZoneShares(["a": 3, "b": 3], Self.local(), local: "a")
        #expect(shares?.parts == ["a": 10_000, "b": 0])
        let more = ZoneShares(["a": 4, "b": 1, "c": 1], Self.local(), local: "a")
        #expect(more?.parts == ["a": 10_000, "b": 0, "c": 0])
    }

    @Test("a smaller zone takes what it can, and the others share the rest")
    func overflow() {
        let shares = ZoneShares(["a": 1, "b": 3, "c": 2], Self.local(), local: "a")
        #expect(shares?.parts == ["a": 5_000, "b": 3_000, "c": 2_000])
    }

    @Test("by force all stays from so many local endpoints on")
    func force() {
        let plan = Self.local { $0.forcedFrom = 2 }
        #expect(ZoneShares(["a": 2, "b": 9], plan, local: "a")?.parts == ["a": 10_000, "b": 0])
        let spread = ZoneShares(["a": 1, "b": 9], plan, local: "a")
        #expect(spread?.parts == ["a": 2_000, "b": 8_000])
    }

    @Test("only a part of the traffic may look at zones")
    func percent() {
        let plan = Self.local { $0.percent = 50 }
        let shares = ZoneShares(["a": 5, "b": 5], plan, local: "a")
        #expect(shares?.parts == ["a": 7_500, "b": 2_500])
    }

    @Test("zones with weights get these, others 1, and those without endpoints nothing")
    func weighted() {
        let plan = Self.weighted(["a": 7, "b": 2, "z": 5])
        #expect(
            ZoneShares(["a": 1, "b": 1, "": 1], plan, local: nil)?.parts
                == ["a": 7_000, "b": 2_000, "": 1_000])
        #expect(ZoneShares(["a": 1, "b": 2], Self.weighted(["a": 0, "b": 0]), local: nil) == nil)
    }

    @Test("the parts are always together the whole")
    func sums() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<2_000 {
            var counts: [String: Int] = [:]
            for zone in ["", "a", "b", "c"] where Bool.random(using: &random) {
                counts[zone] = Int.random(in: 1...9, using: &random)
            }
            let weights = counts.mapValues { _ in UInt32.random(in: 0...9, using: &random) }
            let percent = UInt32.random(in: 0...100, using: &random)
            for plan in [Self.local { $0.percent = percent }, Self.weighted(weights)] {
                guard let parts = ZoneShares(counts, plan, local: "a")?.parts else { continue }
                #expect(parts.values.reduce(0, +) == ZoneShares.whole)
                #expect(Set(parts.keys).isSubset(of: counts.keys))
            }
        }
    }
}
