import Primitives
import Routing
import Synchronization
import Testing

@testable import Discovery

@Suite("What one source may have")
struct SourceLimitsTests {
    private static let second: UInt64 = 1_000_000_000

    private static func limits(
        capacity: Int = 1_024, _ change: (inout SourceLimitPlan) -> Void
    ) throws -> SourceLimits {
        var plan = SourceLimitPlan()
        change(&plan)
        return try #require(SourceLimits(plan, capacity: capacity, seed: 4))
    }

    private static func address(_ number: UInt32) -> IPAddress {
        IPAddress(v4: 0x0a00_0000 + number)
    }

    private func key(_ answer: SourceLimits.Answer) -> UInt64? {
        if case .admitted(let key) = answer { key } else { nil }
    }

    @Test("without a limit there is nothing to count")
    func none() {
        #expect(SourceLimits(SourceLimitPlan(), seed: 1) == nil)
    }

    @Test("each source has as many at a time as it may, and again when one has ended")
    func counts() throws {
        let limits = try Self.limits { $0.connectionsMax = 2 }
        let first = try #require(key(limits.admit(Self.address(1), now: 0)))
        #expect(key(limits.admit(Self.address(1), now: 0)) == first)
        #expect(limits.admit(Self.address(1), now: 0) == .tooMany)
        #expect(key(limits.admit(Self.address(2), now: 0)) != nil)
        limits.give(first)
        #expect(key(limits.admit(Self.address(1), now: 0)) == first)
        #expect(limits.admit(Self.address(1), now: 0) == .tooMany)
    }

    @Test("a block of addresses counts as one source")
    func prefixes() throws {
        let limits = try Self.limits {
            $0.connectionsMax = 1
            $0.prefixBitsIPv4 = 24
            $0.prefixBitsIPv6 = 56
        }
        func answer(_ text: String) throws -> SourceLimits.Answer {
            limits.admit(try #require(IPAddress(text)), now: 0)
        }
        let table: [(String, Bool)] = [
            ("192.0.2.1", true), ("192.0.2.255", false), ("192.0.3.1", true),
            ("2001:db8::1", true), ("2001:db8:0:ff::", false), ("2001:db8:0:100::", true),
            ("::ffff:192.0.3.9", false), ("::c000:301", true),
        ]
        for (text, isAdmitted) in table {
            #expect((try answer(text) != .tooMany) == isAdmitted, "\(text)")
        }
    }

    @Test("more sources than there is room for pass unnoted, and are counted")
    func overflow() throws {
        let limits = try Self.limits(capacity: 8) { $0.connectionsMax = 1 }
        for number in 1...8 as ClosedRange<UInt32> {
            #expect(key(limits.admit(Self.address(number), now: 0)) != nil)
        }
        #expect(limits.admit(Self.address(9), now: 0) == .admitted(key: nil))
        #expect(limits.unnoted == 1)
        #expect(limits.admit(Self.address(3), now: 0) == .tooMany)
    }

    @Test("new ones come at the rate that is allowed, a second's worth of them at once")
    func rate() throws {
        let limits = try Self.limits { $0.connectionsPerSecond = 10 }
        func admitted(_ count: Int, at now: UInt64) -> Int {
            (0..<count).count { _ in limits.admit(Self.address(1), now: now) != .tooFast }
        }
        #expect(admitted(30, at: 5 * Self.second) == 10)
        #expect(admitted(30, at: 5 * Self.second + Self.second / 2) == 5)
        #expect(admitted(30, at: 6 * Self.second) == 5)
        #expect(admitted(30, at: 60 * Self.second) == 10)
        // The clock of 40 bits wraps in between, and what was noted is long past.
        #expect(admitted(30, at: (1 << 40) * 1_000 + 70 * Self.second) == 10)
        #expect(admitted(30, at: (1 << 40) * 2_500) == 10)
    }

    @Test("workers whose clocks differ by part of a turn owe the same")
    func clocks() throws {
        let limits = try Self.limits { $0.connectionsPerSecond = 10 }
        func admitted(_ count: Int, at now: UInt64) -> Int {
            (0..<count).count { _ in limits.admit(Self.address(1), now: now) != .tooFast }
        }
        let now = 5 * Self.second
        #expect(admitted(30, at: now) == 10)
        for lag in [1_000, 50_000, 8_000_000, 500_000_000] as [UInt64] {
            #expect(admitted(30, at: now - lag) == 0, "\(lag) ns before")
            #expect(admitted(30, at: now) == 0)
        }
        #expect(admitted(30, at: now + Self.second / 10) == 1)
    }

    @Test("a rate that is no divisor of a second is not exceeded")
    func fractions() throws {
        for rate in [7, 30_000, 90_001] as [UInt32] {
            let limits = try Self.limits { $0.connectionsPerSecond = rate }
            let admitted = (0...rate + rate / 10).count { _ in
                limits.admit(Self.address(1), now: Self.second) != .tooFast
            }
            #expect(admitted == Int(rate))
        }
    }

    @Test("the rate is that of a bucket of tokens, whenever clients come")
    func model() throws {
        var random = SeededRandom(seed: 9)
        for rate in [1, 3, 50, 2_000] as [UInt32] {
            let limits = try Self.limits { $0.connectionsPerSecond = rate }
            var now: UInt64 = 77 * Self.second
            var tokens = Double(rate)
            for _ in 0..<3_000 {
                let step = UInt64.random(in: 0...Self.second / UInt64(rate), using: &random) / 2
                now += step / 1_000 * 1_000
                tokens = min(Double(rate), tokens + Double(step / 1_000) * Double(rate) / 1e6)
                let isAdmitted = limits.admit(Self.address(1), now: now) != .tooFast
                // Intervals are whole microseconds.
                if tokens >= 1.1 { #expect(isAdmitted, "\(tokens) at \(rate)") }
                if tokens < 0.9 { #expect(!isAdmitted, "\(tokens) at \(rate)") }
                if isAdmitted { tokens = max(0, tokens - 1) }
            }
        }
    }

    @Test("threads that take and give leave nothing behind, and never exceed the limit")
    func threads() async throws {
        let most: UInt32 = 3
        let limits = try Self.limits(capacity: 64) { $0.connectionsMax = most }
        let held = (0..<8).map { _ in Counted() }
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<4 as Range<UInt64> {
                group.addTask {
                    var random = SeededRandom(seed: thread)
                    for _ in 0..<20_000 {
                        let number = UInt32.random(in: 0..<8, using: &random)
                        guard
                            case .admitted(let key?) = limits.admit(
                                Self.address(number), now: 0)
                        else { continue }
                        held[Int(number)].enter()
                        held[Int(number)].leave()
                        limits.give(key)
                    }
                }
            }
        }
        #expect(held.allSatisfy { $0.peak <= Int(most) }, "\(held.map(\.peak))")
        for number in 0..<8 as Range<UInt32> {
            let answers = (0...most).map { _ in limits.admit(Self.address(number), now: 0) }
            #expect(answers.count { $0 == .tooMany } == 1)
        }
    }

    private final class Counted: Sendable {
        private let count = Atomic<Int>(0)
        private let most = Atomic<Int>(0)

        var peak: Int { most.load(ordering: .relaxed) }

        func enter() {
            let now = count.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
            _ = most.max(now, ordering: .relaxed)
        }

        func leave() { count.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
    }
}
