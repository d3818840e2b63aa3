import Primitives
import Testing

@Suite struct TimerWheelTests {
    /// Deadlines as a list that is searched; `due` is when a timer can first fire.
    private struct Model {
        struct Timer {
            var deadline: UInt64
            var due: UInt64
        }

        var timers: [UInt32: Timer] = [:]

        var earliest: UInt64? { timers.values.map(\.due).min() }
    }

    private struct Sample: Sendable, CustomStringConvertible {
        var seed: UInt64
        var start: UInt64
        /// The largest step of the clock and the furthest deadline, as powers of two.
        var stepBits: UInt64
        var deadlineBits: UInt64

        var description: String {
            "seed \(seed), from \(start), steps < 2^\(stepBits), deadlines < 2^\(deadlineBits)"
        }
    }

    private static let samples = [
        Sample(seed: 1, start: 0, stepBits: 2, deadlineBits: 4),
        Sample(seed: 2, start: 63, stepBits: 3, deadlineBits: 7),
        Sample(seed: 3, start: 4095, stepBits: 7, deadlineBits: 13),
        Sample(seed: 4, start: 1 << 18 - 1, stepBits: 10, deadlineBits: 19),
        Sample(seed: 5, start: 1 << 24 - 1, stepBits: 16, deadlineBits: 25),
        Sample(seed: 6, start: 987_654_321_987, stepBits: 18, deadlineBits: 27),
        Sample(seed: 7, start: 1 << 40, stepBits: 12, deadlineBits: 13),
    ]

    @Test("a wheel fires what a list of deadlines says, in its order", arguments: samples)
    private func model(sample: Sample) throws {
        let capacity = 200
        var random = SeededRandom(seed: sample.seed)
        var now = sample.start
        var wheel = TimerWheel(capacity: capacity, now: now)
        var model = Model()
        var fired = 0
        for _ in 0..<3_000 {
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                change(&wheel, &model, now, sample, &random)
            }
            #expect(wheel.count == model.timers.count)
            now += random.next() % (1 << UInt64.random(in: 0...sample.stepBits, using: &random))
            fired += try popAll(&wheel, &model, now)
            if let next = wheel.nextTick {
                #expect(next > now, "what is due was popped")
                #expect(next <= (try #require(model.earliest)), "never too late")
            } else {
                #expect(model.timers.isEmpty)
            }
        }
        #expect(fired > 200)
        for id in 0..<UInt32(capacity) {
            #expect(wheel.isSet(id) == (model.timers[id] != nil))
        }
    }

    /// Sets, moves or cancels one timer, more often than not a new one; some deadlines are past.
    private func change(
        _ wheel: inout TimerWheel, _ model: inout Model, _ now: UInt64, _ sample: Sample,
        _ random: inout SeededRandom
    ) {
        let id = UInt32.random(in: 0..<200, using: &random)
        if Int.random(in: 0..<4, using: &random) == 0 {
            wheel.cancel(id)
            model.timers[id] = nil
            return
        }
        let distance =
            random.next() % (1 << UInt64.random(in: 0...sample.deadlineBits, using: &random))
        let isPast = Int.random(in: 0..<20, using: &random) == 0
        let deadline = isPast ? now - min(now, distance) : now + distance
        wheel.set(id, deadline: deadline)
        model.timers[id] = Model.Timer(deadline: deadline, due: max(deadline, now))
    }

    private func popAll(
        _ wheel: inout TimerWheel, _ model: inout Model, _ now: UInt64
    ) throws -> Int {
        var last: UInt64 = 0
        var fired = 0
        while let id = wheel.popExpired(now: now) {
            let removed = model.timers.removeValue(forKey: id)
            let timer = try #require(removed, "\(id) was not set")
            #expect(timer.deadline <= now, "never early")
            #expect(timer.due >= last, "in the order of deadlines")
            let isStillSet = wheel.isSet(id)
            #expect(!isStillSet)
            last = timer.due
            fired += 1
        }
        #expect(model.timers.values.allSatisfy { $0.deadline > now }, "all that was due fired")
        return fired
    }

    @Test("every distance to a lap of any wheel fires at its very tick, slept for by nextTick")
    func everyDistance() throws {
        let edges = [0, 6, 12, 18].flatMap { bits -> [UInt64] in
            let lap = UInt64(1) << UInt64(bits)
            return [lap - 1, lap, lap + 1, 2 * lap - 1, 2 * lap, 63 * lap]
        }
        for start in [0, 1, 63, 64, 4095, 4096, (1 << 18) - 1, 1 << 18, (1 << 24) - 1, 1 << 32]
            as [UInt64]
        {
            // Past the horizon of 2^24 only from one start: the clock goes there a turn at a time.
            let horizon: [UInt64] = start == 63 ? [(1 << 24) - 1, 1 << 24, (1 << 24) + 1] : []
            for distance in edges + horizon {
                var wheel = TimerWheel(capacity: 1, now: start)
                wheel.set(0, deadline: start + distance)
                var now = start
                var wakings = 0
                while wheel.popExpired(now: now) == nil {
                    let nextTick = wheel.nextTick
                    let next = try #require(nextTick)
                    #expect(next > now && next <= start + distance)
                    now = next
                    wakings += 1
                }
                #expect(now == start + distance)
                // A wheel each, and one more for each turn of the outermost.
                #expect(wakings <= 5 + 2 * Int(distance >> 24), "\(distance) from \(start)")
            }
        }
    }

    @Test("a timer set again moves, and a cancelled one never fires")
    func moves() {
        var wheel = TimerWheel(capacity: 3, now: 0)
        wheel.set(0, deadline: 10)
        wheel.set(0, deadline: 5_000)
        wheel.set(1, deadline: 10)
        wheel.cancel(1)
        wheel.cancel(2)
        #expect(wheel.count == 1)
        #expect(wheel.popExpired(now: 4_999) == nil)
        #expect(wheel.popExpired(now: 5_000) == 0)
        #expect(wheel.popExpired(now: 1 << 30) == nil)
        #expect(wheel.count == 0 && wheel.nextTick == nil)
    }

    @Test("a timer that is set anew each time it fires goes on for ever")
    func periodic() {
        var wheel = TimerWheel(capacity: 1, now: 0)
        wheel.set(0, deadline: 100)
        for now in stride(from: UInt64(100), to: 1_000_000, by: 100) {
            #expect(wheel.popExpired(now: now - 1) == nil)
            #expect(wheel.popExpired(now: now) == 0)
            wheel.set(0, deadline: now + 100)
        }
    }

    @Test("a number past the capacity traps")
    func outOfRange() async {
        await #expect(processExitsWith: .failure) {
            var wheel = TimerWheel(capacity: 2, now: 0)
            wheel.set(2, deadline: 1)
        }
    }
}
