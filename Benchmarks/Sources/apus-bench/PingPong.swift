import CLinux
import Synchronization

/// How long a cache line takes from one core to another and back, which tells whether the machine's
/// cores are near each other at the moment (see `Benchmarks/README.md`).
final class PingPong: Sendable {
    // MARK: Any thread (atomic)
    private let ball = Atomic<UInt64>(0)

    // MARK: Immutable after start
    private let trips: UInt64
    private let cpu: Int32

    private init(trips: UInt64, cpu: Int32) {
        self.trips = trips
        self.cpu = cpu
    }

    /// Nanoseconds of a round trip, the least of several measurements: anything else that ran on
    /// one of the cores meanwhile only ever adds.
    static func nanoseconds(between first: Int32, and second: Int32) -> Double {
        (0..<5).map { _ in measure(first, second, trips: 20_000) }.min() ?? 0
    }

    private static func measure(_ first: Int32, _ second: Int32, trips: UInt64) -> Double {
        let game = PingPong(trips: trips, cpu: second)
        guard apus_pin(first) == 0 else { fail("cannot run on core \(first)") }
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<PingPong>.fromOpaque(argument!).takeUnretainedValue().answer()
                return nil
            }, Unmanaged.passUnretained(game).toOpaque())
        guard result == 0 else { fail("no thread") }
        game.awaitBall(1)
        let start = apus_monotonic()
        game.serve()
        let end = apus_monotonic()
        pthread_join(thread, nil)
        return Double(end - start) / Double(trips)
    }

    private func serve() {
        for trip in 1...trips {
            ball.store(2 * trip, ordering: .releasing)
            awaitBall(2 * trip + 1)
        }
    }

    private func answer() {
        guard apus_pin(cpu) == 0 else { fail("cannot run on core \(cpu)") }
        ball.store(1, ordering: .releasing)
        for trip in 1...trips {
            awaitBall(2 * trip)
            ball.store(2 * trip + 1, ordering: .releasing)
        }
    }

    private func awaitBall(_ value: UInt64) {
        while ball.load(ordering: .acquiring) != value { apus_spin_hint() }
    }
}
