import CLinux
import Engine
import Foundation
import Kernel
import Primitives
import Routing
import SimulatedKernel
import Testing

/// Whole workers under random work and random faults. `APUS_SEEDS=N` tries so many seeds in each
/// test, `APUS_SEED=S` just one, `APUS_TRACE=1` prints what the kernel sees.
@Suite(.serialized) struct WholeWorkerTests {
    private static let seedsDefault: UInt64 = 400
    private static var isWide: Bool { seeds.count >= seedsDefault }

    static var seeds: ClosedRange<UInt64> {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["APUS_SEED"].flatMap(UInt64.init) { return seed...seed }
        return 1...(environment["APUS_SEEDS"].flatMap(UInt64.init) ?? seedsDefault)
    }

    /// How often each thing was counted in all runs together.
    private struct Tally {
        var counters: [Counters.Counter: UInt64] = [:]
        var reasons: [TerminationReason: UInt64] = [:]

        mutating func add(_ run: Counters) {
            for counter in Counters.Counter.allCases {
                counters[counter, default: 0] += run[counter]
            }
            for reason in TerminationReason.allCases { reasons[reason, default: 0] += run[reason] }
        }

        /// A swarm that never gets somewhere proves nothing about it.
        func expectReached(_ wanted: [Counters.Counter], _ ends: [TerminationReason]) {
            guard WholeWorkerTests.isWide else { return }
            for counter in wanted { #expect(counters[counter, default: 0] > 0, "\(counter)") }
            for reason in ends { #expect(reasons[reason, default: 0] > 0, "\(reason)") }
        }
    }

    private func simulate(
        _ make: (UInt64) throws -> Simulation, _ check: (Simulation) -> Void = { _ in }
    ) throws -> Tally {
        var tally = Tally()
        for seed in Self.seeds {
            SeedOnCrash.note(seed)
            let simulation = try make(seed)
            simulation.kernel.isTracing = ProcessInfo.processInfo.environment["APUS_TRACE"] != nil
            simulation.start()
            simulation.finish()
            if simulation.problems.isEmpty { check(simulation) }
            guard simulation.problems.isEmpty else {
                Issue.record(Comment(rawValue: simulation.report))
                return tally
            }
            tally.add(simulation.counters)
        }
        return tally
    }

    @Test("connections complete in full under every fault that a worker can make good")
    func recoverableFaults() throws {
        let tally = try simulate({ try Workload.streams(seed: $0, destructive: false) }) {
            $0.expectCompletion()
        }
        tally.expectReached(
            [.splicedBytes, .pipeRefusals, .bufferStarvations, .acceptPauses, .acceptFailures],
            [.clientClosed, .endpointClosed])
    }

    @Test("whatever happens to connections, bytes stay in order, ends are told and nothing leaks")
    func destructiveFaults() throws {
        let tally = try simulate { try Workload.streams(seed: $0, destructive: true) }
        tally.expectReached(
            [.splicedBytes, .pipeRefusals, .bufferStarvations, .acceptPauses, .dialFailures],
            [
                .clientClosed, .endpointClosed, .clientReset, .endpointReset, .connectFailed,
                .connectTimedOut, .idleTimedOut, .listenerLimit, .totalLimit, .outOfDescriptors,
                .proxyHeaderMalformed, .proxyHeaderMissing, .notTLS, .serverNameMissing,
                .serverUnknown, .helloMalformed, .helloTooLong, .endpointHandshakeFailed,
            ])
    }

    @Test("connections and flows that stay outlive any number of new plans")
    func reloads() throws {
        let tally = try simulate({ try ReloadWorkload.draw(seed: $0, destructive: false) }) {
            $0.expectCompletion()
            $0.expectEveryDatagram()
        }
        tally.expectReached([.splicedBytes], [.clientClosed, .endpointClosed, .idleTimedOut])
    }

    @Test("listeners come and go under traffic and faults, and nothing of them stays behind")
    func reloadsUnderFaults() throws {
        let tally = try simulate { try ReloadWorkload.draw(seed: $0, destructive: true) }
        tally.expectReached(
            [.splicedBytes, .dialFailures],
            [.clientClosed, .clientReset, .listenerRemoved, .listenerLimit, .idleTimedOut])
    }

    @Test("every request gets its own answer under every fault that a worker can make good")
    func requests() throws {
        let tally = try simulate({ try RequestWorkload.draw(seed: $0, destructive: false) }) {
            $0.expectEveryAnswer()
        }
        tally.expectReached(
            [.requests, .answers1xx, .answers2xx, .splicedBytes], [.answered, .clientClosed])
    }

    @Test("whatever clients and endpoints do, no answer is another's, and nothing leaks")
    func requestsUnderFaults() throws {
        let tally = try simulate { try RequestWorkload.draw(seed: $0, destructive: true) }
        tally.expectReached(
            [
                .requests, .requestsRepeated, .retriesRefused, .requestsTimedOut, .answersCut,
                .answers2xx,
                .answers4xx, .answers5xx, .dialFailures,
            ],
            [.answered, .clientClosed, .clientReset, .endpointFailed, .idleTimedOut])
    }

    @Test("datagrams keep their boundaries and their clients, and all come back")
    func datagrams() throws {
        let tally = try simulate({ try Workload.datagrams(seed: $0, destructive: false) }) {
            $0.expectEveryDatagram()
        }
        tally.expectReached([.datagramsFromClients, .datagramsFromEndpoints], [.idleTimedOut])
    }

    @Test("datagrams that are lost, refused or in excess leave nothing behind")
    func datagramsLost() throws {
        let tally = try simulate { try Workload.datagrams(seed: $0, destructive: true) }
        tally.expectReached(
            [.datagramsDropped, .endpointRefusals],
            [.idleTimedOut, .flowEvicted, .flowAnswered, .outOfDescriptors])
    }
}

/// Tells which seed was running when a trap ends the process, which no test can report.
enum SeedOnCrash {
    private nonisolated(unsafe) static var line: [UInt8] = []
    private nonisolated(unsafe) static var isInstalled = false

    static func note(_ seed: UInt64) {
        line = Array(
            "\nseed \(seed); again: APUS_SEED=\(seed) swift test --filter SimulationTests\n".utf8)
        guard !isInstalled else { return }
        isInstalled = true
        for number in [SIGILL, SIGTRAP, SIGSEGV] { install(number) }
    }

    private static func install(_ number: Int32) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            _ = SeedOnCrash.line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            signal(number, SIG_DFL)
        }
        sigaction(number, &action, nil)
    }
}
