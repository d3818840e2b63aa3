import Primitives
import Routing
import Testing

@testable import Health

@Suite("Which check is made when")
struct CheckDirectoryTests {
    /// A directory with a clock of its own and endpoints that answer at once or not at all.
    private final class World {
        let directory: CheckDirectory
        var now: UInt64
        var silent: Set<HealthCheck> = []
        var failing: Set<HealthCheck> = []
        var flying: [Int: HealthCheck] = [:]
        private(set) var starts: [(time: UInt64, check: HealthCheck)] = []
        private(set) var verdicts: [HealthCheck: HealthVerdict] = [:]

        init(checksMax: Int = 1_000, flyingMax: Int = 16, seed: UInt64 = 7, now: UInt64 = 5_000) {
            self.now = now
            directory = CheckDirectory(
                limits: .init(checksMax: checksMax, flyingMax: flyingMax), seed: seed, now: now)
        }

        func want(_ checks: Set<HealthCheck>) {
            directory.want(checks, now: now)
            for number in directory.takeAbandoned() {
                #expect(flying.removeValue(forKey: number) != nil)
            }
            verdicts = verdicts.filter { checks.contains($0.key) }
            step()
        }

        /// What the loop does in a turn.
        func step() {
            directory.tick(now: now)
            for number in directory.takeExpired() {
                guard let check = flying.removeValue(forKey: number) else {
                    Issue.record("who is out of time is under way")
                    continue
                }
                directory.finish(
                    number, .failed(.timedOut(milliseconds: check.plan.timeout)), now: now)
            }
            while let start = directory.nextStart(now: now) {
                starts.append((now, start.check))
                #expect(flying.updateValue(start.check, forKey: start.number) == nil)
                #expect(flying.count <= directory.limits.flyingMax)
                guard !silent.contains(start.check) else { continue }
                flying[start.number] = nil
                let isWell = !failing.contains(start.check)
                directory.finish(
                    start.number, isWell ? .passed : .failed(.connectRefused), now: now)
            }
            #expect(directory.flyingCount == flying.count)
            for (check, verdict) in directory.takeChanges() {
                #expect(verdicts[check] != verdict, "only changes are told")
                verdicts[check] = verdict
            }
        }

        func run(until end: UInt64) {
            while let deadline = directory.deadline, deadline <= end {
                now = max(now, deadline)
                step()
            }
            now = end
            step()
        }

        func times(of check: HealthCheck) -> [UInt64] {
            starts.filter { $0.check == check }.map(\.time)
        }
    }

    private static func check(
        _ number: Int, _ change: (inout HealthCheckPlan.Active) -> Void = { _ in }
    ) -> HealthCheck {
        var plan = HealthCheckPlan.Active(probe: .tcp(send: [], expect: []))
        change(&plan)
        let address = SocketAddress.ip(
            IPAddress(v4: 0x0a00_0000 + UInt32(number)), port: 80)
        return HealthCheck(
            EndpointPlan(.address(address)), at: address, plan: plan, framing: .opaque)
    }

    @Test("the first check is made at once, the second within the interval, then one an interval")
    func regularity() {
        let world = World()
        let check = Self.check(1)
        world.want([check])
        world.run(until: world.now + 60_000)
        let times = world.times(of: check)
        #expect(times.first ?? 0 < 5_000 + CheckDirectory.stepMilliseconds)
        let pauses = zip(times, times.dropFirst()).map { $1 - $0 }
        #expect(pauses[0] <= 3_000 + CheckDirectory.stepMilliseconds)
        for pause in pauses.dropFirst() {
            #expect((2_700...3_300 + CheckDirectory.stepMilliseconds).contains(pause))
        }
        #expect((17...25).contains(times.count))
        #expect(world.verdicts == [check: .healthy])
    }

    @Test("the initial jitter delays the first check by a random part of it")
    func initialJitter() {
        var delays: Set<UInt64> = []
        for seed in UInt64(0)..<50 {
            let world = World(seed: seed)
            let check = Self.check(1) { $0.initialJitter = 2_000 }
            world.want([check])
            world.run(until: world.now + 4_000)
            let delay = world.times(of: check)[0] - 5_000
            #expect(delay <= 2_000 + CheckDirectory.stepMilliseconds)
            delays.insert(delay / 200)
        }
        #expect(delays.count >= 8, "\(delays)")
    }

    @Test("ten thousand endpoints that came together are not checked together ever after")
    func spreading() {
        let world = World(checksMax: 10_000, flyingMax: 256)
        world.want(Set((0..<10_000).map { Self.check($0) }))
        let start = world.now
        world.run(until: start + CheckDirectory.stepMilliseconds)
        #expect(Set(world.starts.map(\.check)).count == 10_000, "all at once at first")
        world.run(until: start + 12_000)
        // A tenth of a second is a thirtieth of the interval.
        var counts = [Int](repeating: 0, count: 120)
        for (time, _) in world.starts where time > start + 100 {
            counts[Int(time - start) / 100] += 1
        }
        for count in counts[1..<118] { #expect((200...480).contains(count), "\(counts)") }
    }

    @Test("no more are under way than may be, and a dead half does not keep the others away")
    func bounds() {
        let world = World(flyingMax: 8)
        let checks = (0..<40).map { Self.check($0) }
        world.silent = Set(checks[..<20])
        world.want(Set(checks))
        world.run(until: world.now + CheckDirectory.stepMilliseconds)
        #expect(world.directory.waitingCount > 0 && world.flying.count == 8)
        world.run(until: world.now + 60_000)
        for check in checks[20...] {
            #expect(world.verdicts[check] == .healthy)
            // Twenty dead ones, eight at a time and a second each, take two seconds and a half.
            #expect(world.times(of: check).count >= 10)
        }
        for check in checks[..<20] {
            #expect(world.verdicts[check] == .unhealthy(.timedOut(milliseconds: 1_000)))
        }
    }

    @Test("what stays wanted keeps its verdict and its schedule, what goes is forgotten")
    func replacement() {
        let world = World()
        let (kept, gone, silent) = (Self.check(1), Self.check(2), Self.check(3))
        world.silent = [silent]
        world.want([kept, gone, silent])
        world.run(until: world.now + 500)
        #expect(world.flying.count == 1)
        let before = world.directory.report(now: world.now).checks.first { $0.check == kept }
        world.want([kept])
        #expect(world.flying.isEmpty, "its attempt is abandoned")
        #expect(world.directory.flyingCount == 0)
        #expect(world.directory.report(now: world.now).checks == [before])
        // The old numbers are given anew while nothing of the old checks is left.
        let count = world.times(of: gone).count
        world.want([kept, silent, gone])
        world.run(until: world.now + CheckDirectory.stepMilliseconds)
        #expect(world.times(of: gone).count == count + 1, "it begins anew")
        world.run(until: world.now + 1_000 + CheckDirectory.stepMilliseconds)
        #expect(world.verdicts[silent] == .unhealthy(.timedOut(milliseconds: 1_000)))
    }

    @Test("a check for which there is no room stays pending and is told so")
    func room() {
        let world = World(checksMax: 3)
        world.want(Set((0..<5).map { Self.check($0) }))
        world.run(until: world.now + 10_000)
        let report = world.directory.report(now: world.now)
        #expect(report.checks.count == 5)
        #expect(report.checks.filter(\.isRefused).map(\.verdict) == [.pending, .pending])
        #expect(report.checks.filter { $0.verdict == .healthy }.count == 3)
        world.want(Set((0..<2).map { Self.check($0) }))
        world.want(Set((0..<3).map { Self.check($0) }))
        #expect(world.directory.report(now: world.now).checks.filter(\.isRefused).isEmpty)
    }

    @Test("a report tells what came of the checks")
    func report() throws {
        let world = World()
        let check = Self.check(1) { $0.unhealthyThreshold = 2 }
        world.want([check])
        world.run(until: world.now + CheckDirectory.stepMilliseconds)
        world.failing = [check]
        world.run(until: world.now + 20_000)
        let report = world.directory.report(now: world.now)
        let one = try #require(report.checks.first)
        #expect(one.verdict == .unhealthy(.connectRefused))
        #expect(one.attempts == UInt64(world.times(of: check).count))
        #expect((one.successes, one.failures) == (1, one.attempts - 1))
        #expect(UInt64(one.failuresInRow) == one.failures && one.successesInRow == 0)
        #expect(one.failureLast == .connectRefused)
        #expect(try #require(one.failedAgoMilliseconds) <= 3_300)
        #expect(try #require(one.nextCheckMilliseconds) <= 3_300)
        #expect((report.waitingCount, report.flyingCount) == (0, 0))
    }

    @Test("whatever is wanted, ends, fails and comes back: numbers, counts and verdicts hold")
    func walk() {
        for seed in UInt64(1)...40 {
            var random = SeededRandom(seed: seed)
            let world = World(checksMax: 12, flyingMax: 3, seed: seed)
            let all = (0..<16).map { number in
                Self.check(number) {
                    $0.interval = number % 3 == 0 ? 100 : 1_000
                    $0.timeout = number % 2 == 0 ? 50 : 2_000
                }
            }
            for _ in 0..<400 {
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    world.want(Set(all.filter { _ in Bool.random(using: &random) }))
                case 1:
                    world.silent = Set(all.filter { _ in Bool.random(using: &random) })
                    world.failing = Set(all.filter { _ in Bool.random(using: &random) })
                default:
                    world.run(until: world.now + .random(in: 0...3_000, using: &random))
                }
                let report = world.directory.report(now: world.now)
                for one in report.checks {
                    #expect(
                        world.verdicts[one.check] ?? .pending == one.verdict, "seed \(seed)")
                }
                #expect(report.flyingCount == world.flying.count, "seed \(seed)")
            }
        }
    }
}
