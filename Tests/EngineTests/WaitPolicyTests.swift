import Testing

@testable import Engine

struct WaitPolicyTests {
    @Test("an idle worker waits for one completion, without company")
    func idle() {
        var policy = WaitPolicy()
        let step = policy.step(hasPending: false)
        #expect(step == .init(minimum: 1, batchMicroseconds: 0))
    }

    @Test("what is pending is taken without sleeping")
    func pending() {
        var policy = WaitPolicy()
        let step = policy.step(hasPending: true)
        #expect(step == .init(minimum: 0, batchMicroseconds: 0))
    }

    @Test("a rate of one completion in ten microseconds asks for about five in a window")
    func busy() {
        var policy = WaitPolicy()
        var now: UInt64 = 1_000_000
        for _ in 0..<200 {
            now += 10_000
            policy.note(count: 1, now: now)
        }
        let step = policy.step(hasPending: false)
        #expect((4...5).contains(step.minimum))
        #expect(step.batchMicroseconds == WaitPolicy.windowMicroseconds)
    }

    @Test("the wait is for a bounded number, and falls back when the rate does")
    func bounded() {
        var policy = WaitPolicy()
        var now: UInt64 = 1_000_000
        for _ in 0..<200 {
            now += 1_000
            policy.note(count: 100, now: now)
        }
        let busy = policy.step(hasPending: false)
        #expect(busy.minimum <= UInt32(WaitPolicy.minimumMax))
        for _ in 0..<100 {
            now += 1_000_000
            policy.note(count: 1, now: now)
        }
        let calm = policy.step(hasPending: false)
        #expect(calm.minimum == 1)
    }

    @Test("a lone client that asks again at once is soon left in peace")
    func alone() {
        var policy = WaitPolicy()
        var now: UInt64 = 1_000_000
        var waits = 0
        for _ in 0..<20_000 {
            let step = policy.step(hasPending: false)
            // Company never comes: such a wait lasts its whole window.
            now += step.minimum > 1 ? 50_000 : 10_000
            if step.minimum > 1 { waits += 1 }
            policy.note(count: 1, now: now)
        }
        #expect(waits > 0, "it was tried")
        #expect(waits < 30, "and given up: \(waits) waits in 20,000 turns")
    }
}
