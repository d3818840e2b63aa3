import Testing

@testable import Routing

@Suite("A tier's way back")
struct FailbackHoldTests {
    private struct Step {
        let now: UInt64
        let usable: Int
        let isShort: Bool
        let counted: Int
        let next: UInt64?
    }

    private func follow(_ steps: [Step], from usable: Int, delay: UInt64) {
        var hold = FailbackHold(usable: usable)
        for step in steps {
            let next = hold.note(
                usable: step.usable, isShort: step.isShort, delay: delay, now: step.now)
            #expect(hold.counted == step.counted, "at \(step.now)")
            #expect(next == step.next, "at \(step.now)")
        }
    }

    @Test("what is lost counts at once, what comes back after it has stayed")
    func back() {
        follow(
            [
                .init(now: 0, usable: 0, isShort: false, counted: 0, next: nil),
                .init(now: 5, usable: 1, isShort: true, counted: 0, next: 15),
                .init(now: 14, usable: 2, isShort: true, counted: 0, next: 15),
                .init(now: 15, usable: 2, isShort: true, counted: 2, next: nil),
            ], from: 2, delay: 10)
    }

    @Test("what comes and goes begins anew")
    func flapping() {
        follow(
            [
                .init(now: 0, usable: 1, isShort: true, counted: 0, next: 10),
                .init(now: 9, usable: 0, isShort: true, counted: 0, next: nil),
                .init(now: 10, usable: 1, isShort: true, counted: 0, next: 20),
                .init(now: 20, usable: 1, isShort: true, counted: 1, next: nil),
            ], from: 0, delay: 10)
    }

    @Test("a tier that gives nothing away has nothing to wait for")
    func whole() {
        follow(
            [.init(now: 0, usable: 3, isShort: false, counted: 3, next: nil)], from: 1, delay: 10)
        follow(
            [.init(now: 0, usable: 3, isShort: true, counted: 3, next: nil)], from: 1, delay: 0)
    }

    @Test("released, all count at once")
    func release() {
        var hold = FailbackHold(usable: 0)
        _ = hold.note(usable: 2, isShort: true, delay: 10, now: 0)
        hold.release(usable: 2)
        #expect(hold == FailbackHold(usable: 2))
    }
}
