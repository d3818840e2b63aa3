import Testing

@testable import Routing

@Suite("Shares of tiers")
struct TierSharesTests {
    private func shares(
        _ tiers: [(Int, Int)], below: UInt32..., panic: UInt32 = 50
    ) -> TierShares {
        TierShares(
            tiers.map { .init(usable: $0.0, total: $0.1) },
            failoverBelowPercents: below.isEmpty ? TierPlan().failoverBelowPercents : below,
            panicPercent: panic)
    }

    /// The table of Envoy's documentation for two priorities, whose factor is 1.4: the share of the
    /// second by what is well of the first.
    @Test(
        "the second tier takes part when the first falls below 72 in a hundred",
        arguments: [(100, 0), (72, 0), (71, 2), (50, 31), (25, 66), (1, 99), (0, 100)])
    func envoy(_ usable: Int, _ second: UInt32) {
        #expect(shares([(usable, 100), (100, 100)]).percent == [100 - second, second])
    }

    @Test("with a threshold of 0 the second tier waits until the first has nothing")
    func onlyWhenDown() {
        #expect(shares([(1, 100), (5, 5)], below: 0).percent == [100, 0])
        #expect(shares([(0, 100), (5, 5)], below: 0).percent == [0, 100])
        #expect(shares([(0, 0), (0, 5), (1, 1)], below: 0).percent == [0, 0, 100])
    }

    @Test("each tier has a threshold of its own, and the last one's counts for those after it")
    func thresholds() {
        #expect(shares([(1, 2), (1, 2), (2, 2)], below: 0, 72).percent == [100, 0, 0])
        #expect(shares([(0, 2), (1, 2), (2, 2)], below: 0, 72).percent == [0, 69, 31])
        #expect(shares([(1, 2), (1, 2), (2, 2)], below: 72, 0).percent == [69, 31, 0])
        #expect(shares([(0, 2), (0, 2), (1, 2), (1, 1)], below: 72, 0).percent == [0, 0, 100, 0])
    }

    @Test("shares are whole, whatever is well")
    func sums() {
        for first in 0...7 {
            for second in 0...5 {
                for third in 0...3 {
                    let found = shares([(first, 7), (second, 5), (third, 3)], panic: 0)
                    let isAny = first + second + third > 0
                    #expect(found.percent.reduce(0, +) == (isAny ? 100 : 0))
                    #expect(!found.isPanicking.contains(true))
                }
            }
        }
    }

    @Test("where too few are well all of the tier are used, and where none are the first is tried")
    func panic() {
        #expect(shares([(1, 10)]).isPanicking == [true])
        #expect(shares([(6, 10)]).isPanicking == [false])
        #expect(shares([(1, 10), (10, 10)]).isPanicking == [false, false])
        #expect(shares([(0, 10), (0, 10)]).percent == [100, 0])
        #expect(shares([(0, 0), (0, 10)]).isPanicking == [false, true])
        #expect(shares([(0, 10)], panic: 0).percent == [0])
        #expect(shares([]).percent.isEmpty)
    }
}

@Suite("Turns")
struct TurnScheduleTests {
    @Test("equal weights are a round robin")
    func equal() {
        #expect(TurnSchedule.turns([1, 1, 1]) == [0, 1, 2])
        #expect(TurnSchedule.turns([7, 0, 7]) == [0, 2])
        #expect(TurnSchedule.turns([]).isEmpty)
        #expect(TurnSchedule.turns([0, 0]).isEmpty)
    }

    @Test("a heavy one's turns are spread out")
    func smooth() {
        #expect(TurnSchedule.turns([5, 1, 1]) == [0, 0, 0, 1, 2, 0, 0])
        #expect(TurnSchedule.turns([2, 4]) == [1, 0, 1])
    }

    /// An entry may have to wait for one turn of each other that is due at the same time.
    @Test("in any run of turns each has its share, give or take half as many as there are")
    func evenness() {
        let weights: [UInt32] = [31, 7, 1, 13, 3]
        let turns = TurnSchedule.turns(weights)
        let sum = weights.reduce(0, +)
        #expect(turns.count == Int(sum))
        for start in turns.indices {
            for length in [5, 11, 23, 40] {
                let run = (start..<start + length).map { turns[$0 % turns.count] }
                for (entry, weight) in weights.enumerated() {
                    let wanted = Double(length) * Double(weight) / Double(sum)
                    let got = Double(run.count { $0 == UInt32(entry) })
                    #expect(abs(got - wanted) <= Double(weights.count) / 2)
                }
            }
        }
    }

    @Test("weights that would make a round too long are scaled, and nobody is left out")
    func scaled() {
        let turns = TurnSchedule.turns([1_000_000, 1, 500_001])
        #expect(turns.count <= 16_386)
        #expect(turns.count { $0 == 1 } == 1)
        let share = Double(turns.count { $0 == 0 }) / Double(turns.count)
        #expect(abs(share - 1_000_000 / 1_500_002) < 0.001)
    }

    @Test("10⁵ picks fall as the weights say")
    func distribution() {
        let weights: [UInt32] = [1, 2, 3, 4, 90]
        let turns = TurnSchedule.turns(weights)
        var counts = Array(repeating: 0, count: weights.count)
        for pick in 0..<100_000 { counts[Int(turns[pick % turns.count])] += 1 }
        #expect(counts == [1_000, 2_000, 3_000, 4_000, 90_000])
    }
}

@Suite("Ejection")
struct EjectionRuleTests {
    @Test("without a policy three failures cost ten seconds, each time")
    func usual() {
        let rule = EjectionRule(nil)
        #expect(rule.failuresInRow == 3)
        #expect(rule.duration(ofEjection: 1) == 10_000_000_000)
        #expect(rule.duration(ofEjection: 9) == 10_000_000_000)
        #expect(rule.mayEject(ejected: 0, of: 1))
        #expect(rule.mayEject(ejected: 1, of: 2))
    }

    @Test("a policy's fields hold as they are defined")
    func policy() {
        var plan = HealthCheckPlan.Passive()
        #expect(EjectionRule(plan).failuresInRow == 5)
        plan.gatewayErrors = 2
        #expect(EjectionRule(plan).failuresInRow == 2)
        plan.splitsLocalFailures = true
        plan.localFailures = 7
        plan.ejectionTime = 1_000
        let rule = EjectionRule(plan)
        #expect(rule.failuresInRow == 7)
        #expect(rule.duration(ofEjection: 1) == 1_000_000_000)
        #expect(rule.duration(ofEjection: 3) == 3_000_000_000)
        #expect(rule.duration(ofEjection: 1_000_000) == 300_000_000_000)
        // One of ten, and none of nine.
        #expect(rule.mayEject(ejected: 0, of: 10))
        #expect(!rule.mayEject(ejected: 0, of: 9))
        #expect(!rule.mayEject(ejected: 1, of: 10))
        plan.alwaysEjectsOne = true
        #expect(EjectionRule(plan).mayEject(ejected: 0, of: 2))
        plan.ejectionTime = 600_000
        #expect(EjectionRule(plan).duration(ofEjection: 4) == 600_000_000_000)
    }
}
