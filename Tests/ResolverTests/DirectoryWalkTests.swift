import Primitives
import Routing
import Testing
import Traffic
import Wire

@testable import Resolver

@Suite("The directory under anything that may happen")
struct DirectoryWalkTests {
    /// A world whose wants, zone, servers and files change at random.
    private struct Walk {
        let world: World
        var random: SeededRandom
        private let hosts = (0..<12).map { "h\($0).example" }
        private let services = (0..<4).map { "_s\($0)._tcp.example" }
        private let families: [DNSPlan.Family] = [
            .ipv4, .ipv6, .both, .ipv4Preferred, .ipv6Preferred,
        ]
        var wanted: Set<Lookup> = []

        init(seed: UInt64) {
            random = SeededRandom(seed: seed)
            var limits = Directory.Limits()
            limits.namesMax = 40
            limits.flyingMax = 5
            limits.flyingPerGroupMax = 4
            world = World(limits: limits)
        }

        mutating func chance(_ percent: Int) -> Bool {
            Int.random(in: 0..<100, using: &random) < percent
        }

        mutating func pick<Element>(_ elements: [Element]) -> Element {
            elements[Int.random(in: 0..<elements.count, using: &random)]
        }

        mutating func settings() -> LookupSettings {
            var settings = LookupSettings()
            settings.family = pick(families)
            settings.staleMax = pick([0, 5_000, 100_000])
            settings.staleWhileAbsentMax = settings.staleMax
            if chance(30) { settings.servers = [.ip(.of("192.0.2.53"), port: 53)] }
            return settings
        }

        mutating func changeWants() {
            wanted = wanted.filter { _ in chance(60) }
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let isHost = chance(60)
                let subject: Lookup.Subject = isHost ? .host(pick(hosts)) : .service(pick(services))
                wanted.insert(Lookup(subject, settings()))
            }
            world.want(wanted)
        }

        mutating func changeZone() {
            let host = pick(hosts)
            let ttl = pick([0, 1, 5, 60] as [UInt32])
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                world.set(host, a: ["192.0.2.\(Int.random(in: 0..<9, using: &random))"], ttl: ttl)
            case 1: world.set(host, aaaa: ["2001:db8::1"], ttl: ttl)
            case 2: world.zone["\(host) A"] = nil
            case 3: world.zone["\(host) AAAA"] = DNSBytes(host, 28)
            default:
                let service = pick(services)
                let records = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                    DNSBytes.Record.srv(
                        service, ttl, pick([1, 2]), pick([0, 5]), 80, chance(10) ? "." : pick(hosts)
                    )
                }
                let additionals = chance(50) ? [DNSBytes.Record.a(host, ttl, "192.0.2.1")] : []
                world.set(service, srv: records, additionals: additionals)
            }
        }

        mutating func changeServers() {
            let kind = Int.random(in: 0..<5, using: &random)
            let failures: [LookupFailure] = [.timedOut, .code(2), .unreachable]
            let failure = pick(failures)
            world.failure = kind < 3 ? nil : { $0.query % kind == 0 ? failure : nil }
            if chance(30) {
                let texts = ["nameserver 192.0.2.1", "nameserver 192.0.2.2\nsearch example", ""]
                let lines = chance(20) ? "192.0.2.77 \(pick(hosts))" : ""
                world.change(system: SystemConfiguration(pick(texts)), hosts: HostsFile(lines))
            }
        }

        /// One turn; time between a millisecond and a minute.
        mutating func step() {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: changeWants()
            case 1: changeServers()
            default: changeZone()
            }
            world.run(milliseconds: pick([1, 2, 5, 100, 3_000, 60_000]))
        }
    }

    @Test(
        "it keeps its limits, forgets what nobody wants, and is right again in the end",
        arguments: 1...10 as ClosedRange<UInt64>)
    func walk(seed: UInt64) {
        var walk = Walk(seed: seed)
        let world = walk.world
        for _ in 0..<120 {
            walk.step()
            #expect(world.flyingMost <= 5 && world.directory.entries.count <= 40)
        }
        // Everything is well again: what a new directory would say, this one says.
        world.failure = nil
        world.change(system: SystemConfiguration())
        world.run(milliseconds: 600_000)
        let fresh = World(now: world.now)
        fresh.zone = world.zone
        fresh.want(walk.wanted)
        fresh.run(milliseconds: 600_000)
        let refused = world.directory.refused
        // Of services this cannot be said: a target may have found no room here, and addresses that
        // come along with an answer hold until their name is asked for itself.
        for lookup in walk.wanted where lookup.isHost && !refused.contains(lookup) {
            #expect(world.known[lookup] == fresh.known[lookup], "\(lookup), seed \(seed)")
        }
        world.want([])
        world.run(milliseconds: 60_000)
        #expect(world.directory.entries.isEmpty && world.directory.deadline == nil)
        #expect(world.directory.records.allSatisfy { $0 == nil })
        #expect(world.directory.queries.scheduler.flyingCount == 0)
        #expect(world.directory.queries.scheduler.waitingCount == 0)
    }
}
