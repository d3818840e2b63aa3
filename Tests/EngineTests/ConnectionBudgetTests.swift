import Synchronization
import Testing

@testable import Engine

struct ConnectionBudgetTests {
    private final class Tally: Sendable {
        let held = Atomic<Int>(0)
        let peak = Atomic<Int>(0)
        let granted = Atomic<Int>(0)
    }

    @Test("as many are granted as allowed, and one given back is granted again")
    func maximum() {
        let budget = ConnectionBudget(countMax: 3)
        #expect((0..<5).map { _ in budget.take() } == [true, true, true, false, false])
        #expect(budget.countInUse == 3, "a refusal leaves no trace")
        budget.give()
        #expect(budget.take())
        #expect(!budget.take())
    }

    @Test("threads together never hold more than the maximum")
    func threads() throws {
        let budget = ConnectionBudget(countMax: 2)
        let tally = Tally()
        try Crew.run(4) { _ in
            for _ in 0..<20_000 where budget.take() {
                let held = tally.held.add(1, ordering: .relaxed).newValue
                _ = tally.peak.max(held, ordering: .relaxed)
                tally.granted.add(1, ordering: .relaxed)
                tally.held.subtract(1, ordering: .relaxed)
                budget.give()
            }
        }
        #expect(tally.peak.load(ordering: .relaxed) <= 2)
        #expect(tally.granted.load(ordering: .relaxed) > 0)
        #expect(budget.countInUse == 0)
    }
}
