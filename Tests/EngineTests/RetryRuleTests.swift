import Routing
import Testing

@testable import Engine

@Suite("When a request is sent again")
struct RetryRuleTests {
    typealias Cause = RetryRule.Cause

    struct Row: CustomTestStringConvertible {
        let triggers: [String]
        let statuses: [UInt16]
        let covered: [Cause]

        init(_ triggers: [String], _ statuses: [UInt16], _ covered: [Cause]) {
            (self.triggers, self.statuses, self.covered) = (triggers, statuses, covered)
        }

        var testDescription: String { "\(triggers) \(statuses)" }
    }

    private static let causes: [Cause] = [
        .unreachable, .refused, .lost, .timedOut, .status(200), .status(404), .status(409),
        .status(500), .status(502), .status(503), .status(504), .code(0), .code(1), .code(4),
        .code(8), .code(13), .code(14),
    ]

    private static let table: [Row] = [
        Row([], [], [.unreachable, .refused, .status(503), .code(1), .code(14)]),
        Row(
            [], [409, 500],
            [.unreachable, .refused, .status(409), .status(500), .code(1), .code(14)]),
        Row(
            ["5xx"], [],
            [
                .unreachable, .refused, .lost, .timedOut, .status(500), .status(502), .status(503),
                .status(504),
            ]),
        Row(
            ["gateway-error"], [],
            [.unreachable, .refused, .lost, .timedOut, .status(502), .status(503), .status(504)]),
        Row(["reset"], [], [.unreachable, .refused, .lost, .timedOut]),
        Row(["connect-failure"], [], [.unreachable]),
        Row(["refused-stream"], [], [.refused]),
        Row(["retriable-4xx"], [], [.status(409)]),
        Row(["retriable-status-codes"], [404], [.status(404)]),
        // Named statuses need no trigger of their own.
        Row(["connect-failure"], [404], [.unreachable, .status(404)]),
        Row(["deadline-exceeded", "internal"], [], [.code(4), .code(13)]),
        Row(["resource-exhausted"], [], [.code(8)]),
        Row(["nothing-known"], [], []),
    ]

    @Test("each trigger covers its causes and no others", arguments: table)
    func causes(row: Row) {
        var plan = RetryPlan()
        (plan.triggers, plan.statuses) = (row.triggers, row.statuses)
        let rule = RetryRule(plan)
        #expect(Self.causes.filter(rule.covers) == row.covered)
    }

    @Test("the wait doubles up to its bound, and is drawn below it")
    func backOff() {
        var plan = RetryPlan()
        (plan.backOff, plan.backOffMax) = (100, 1_000)
        let rule = RetryRule(plan)
        #expect(rule.backOffTicks(1, random: 0) == 0)
        #expect(rule.backOffTicks(1, random: 200) == Tick.count(milliseconds: 200))
        #expect(rule.backOffTicks(1, random: 201) == 0)
        #expect(rule.backOffTicks(2, random: 400) == Tick.count(milliseconds: 400))
        for count in [4, 5, 32, UInt32.max] {
            #expect(rule.backOffTicks(count, random: 1_000) == Tick.count(milliseconds: 1_000))
            #expect(rule.backOffTicks(count, random: 1_001) == 0)
        }
    }
}
