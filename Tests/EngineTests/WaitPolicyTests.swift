import Testing

@testable import Engine

struct WaitPolicyTests {
    @Test("an idle worker waits for one completion, without company")
    func idle() {
        let policy = WaitPolicy()
        #expect(policy.step(hasPending: false) == .init(minimum: 1, batchMicroseconds: 0))
    }

    @Test("what is pending is taken without sleeping")
    func pending() {
        let policy = WaitPolicy()
        #expect(policy.step(hasPending: true) == .init(minimum: 0, batchMicroseconds: 0))
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
        #expect(policy.step(hasPending: false).minimum <= UInt32(WaitPolicy.minimumMax))
        for _ in 0..<100 {
            now += 1_000_000
            policy.note(count: 1, now: now)
        }
        #expect(policy.step(hasPending: false).minimum == 1)
    }
}
