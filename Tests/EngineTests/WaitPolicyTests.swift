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
            policy.note(count: 1, bytes: 0, now: now)
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
            policy.note(count: 100, bytes: 0, now: now)
        }
        let busy = policy.step(hasPending: false)
        #expect(busy.minimum <= UInt32(WaitPolicy.minimumMax))
        for _ in 0..<100 {
            now += 1_000_000
            policy.note(count: 1, bytes: 0, now: now)
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
            policy.note(count: 1, bytes: 0, now: now)
        }
        #expect(waits > 0, "it was tried")
        #expect(waits < 30, "and given up: \(waits) waits in 20,000 turns")
    }

    @Test("a single connection's bulk is waited for, longer than messages are")
    func bulk() {
        var policy = WaitPolicy()
        let waits = Self.waits(in: 10_000, of: &policy) { waited, _ in
            // 2.5 GB/s: what a turn finds is what came since the last.
            (bytes: waited ? 500_000 : 80_000, nanoseconds: waited ? 200_000 : 30_000)
        }
        #expect(waits > 9_500, "\(waits) waits in 10,000 turns")
        let step = policy.step(hasPending: false)
        #expect(step.batchMicroseconds == WaitPolicy.bulkWindowMicroseconds)
    }

    @Test("a client that asks for block after block is soon left in peace")
    func blocks() {
        var policy = WaitPolicy()
        // A request; two thirds of its answer; the rest, for which to wait pays; and the next
        // request, for which it does not.
        let waits = Self.waits(in: 20_000, of: &policy) { waited, turn in
            let bytes = turn % 3 == 0 ? 0 : waited ? 700_000 : 300_000
            return (bytes, waited ? 200_000 : 30_000)
        }
        #expect(waits > 0, "it was tried")
        #expect(waits < 1_000, "and given up: \(waits) waits in 20,000 turns")
    }

    /// Plays turns of one completion each.
    private static func waits(
        in turns: Int, of policy: inout WaitPolicy,
        playing: (_ waited: Bool, _ turn: Int) -> (bytes: Int, nanoseconds: UInt64)
    ) -> Int {
        var now: UInt64 = 1_000_000
        var waits = 0
        for turn in 0..<turns {
            let waited = policy.step(hasPending: false).minimum > 1
            if waited { waits += 1 }
            let played = playing(waited, turn)
            now += played.nanoseconds
            policy.note(count: 1, bytes: played.bytes, now: now)
        }
        return waits
    }
}
