import Primitives
import Routing
import Testing
import Traffic
import Wire

@testable import Resolver

/// A directory with a clock, servers and a network of its own: what is sent is answered by a table,
/// some milliseconds later.
final class World {
    /// Answers by `name type`; what is not there is NXDOMAIN.
    var zone: [String: DNSBytes] = [:]
    /// What each message comes to instead, where given.
    var failure: ((Directory.Send) -> LookupFailure?)?
    var delayMilliseconds: UInt64 = 3
    private(set) var now: UInt64
    let directory: Directory
    private(set) var sent: [Directory.Send] = []
    private(set) var known: [Lookup: Resolution] = [:]
    /// In the order in which they were told.
    private(set) var told: [(Lookup, Resolution)] = []
    private(set) var flyingMost = 0
    private var flying: [(at: UInt64, send: Directory.Send)] = []

    init(
        system: SystemConfiguration = SystemConfiguration(), hosts: HostsFile = HostsFile(),
        limits: Directory.Limits = Directory.Limits(), now: UInt64 = 500_000
    ) {
        self.now = now
        directory = Directory(system: system, hosts: hosts, limits: limits, seed: 7, now: now)
    }

    // MARK: Zone

    func set(_ name: String, a addresses: [String], ttl: UInt32 = 60) {
        zone["\(name) A"] = DNSBytes(name, 1, answers: addresses.map { .a(name, ttl, $0) })
    }

    func set(_ name: String, aaaa addresses: [String], ttl: UInt32 = 60) {
        zone["\(name) AAAA"] = DNSBytes(name, 28, answers: addresses.map { .aaaa(name, ttl, $0) })
    }

    func set(
        _ name: String, srv records: [DNSBytes.Record], additionals: [DNSBytes.Record] = []
    ) {
        zone["\(name) SRV"] = DNSBytes(name, 33, answers: records, additionals: additionals)
    }

    private func reply(to send: Directory.Send) -> Directory.Reply {
        if let failure = failure?(send) { return .failed(failure) }
        let name = send.name.description
        let missing = DNSBytes(name, send.type.rawValue, code: 3)
        return .message((zone["\(name) \(send.type.text)"] ?? missing).bytes)
    }

    // MARK: Time

    func want(_ lookups: Lookup...) { want(Set(lookups)) }

    func want(_ lookups: Set<Lookup>) {
        directory.want(lookups, now: now)
        collect()
    }

    func change(system: SystemConfiguration, hosts: HostsFile = HostsFile()) {
        directory.change(system: system, hosts: hosts, now: now)
        collect()
    }

    private func collect() {
        for (lookup, resolution) in directory.takeChanges() {
            known[lookup] = resolution
            told.append((lookup, resolution))
        }
        for send in directory.takeSends() {
            sent.append(send)
            flying.append((now + delayMilliseconds, send))
        }
        flyingMost = max(flyingMost, flying.count)
    }

    /// Lets time pass, event by event.
    func run(milliseconds: UInt64) {
        let end = now + milliseconds
        while true {
            let reply = flying.first?.at ?? .max
            let timer = max(directory.deadline ?? .max, now)
            guard min(reply, timer) <= end else { break }
            now = max(now, min(reply, timer))
            if reply <= timer {
                let send = flying.removeFirst().send
                directory.receive(self.reply(to: send), query: send.query, now: now)
            } else {
                directory.tick(now: now)
                // The wheel may be early: then there was nothing, and the next is later.
                if directory.deadline == timer { now += 1 }
            }
            collect()
        }
        now = end
    }

    func forget() {
        sent = []
        told = []
    }

    func addresses(of lookup: Lookup) -> [String]? {
        guard case .addresses(let addresses) = known[lookup] else { return nil }
        return addresses.map(\.description)
    }

    /// As `priority group: name:port/weight address…`, one line a target.
    func tiers(of lookup: Lookup) -> [[String]]? {
        guard case .tiers(let tiers) = known[lookup] else { return nil }
        return tiers.map { tier in
            tier.map { target in
                let addresses = target.addresses.map(\.description).joined(separator: " ")
                return "\(target.name):\(target.port)/\(target.weight) \(addresses)"
            }
        }
    }
}

extension Lookup {
    static func host(
        _ name: String, _ family: DNSPlan.Family = .ipv4Preferred,
        _ change: (inout LookupSettings) -> Void = { _ in }
    ) -> Lookup {
        var settings = LookupSettings()
        settings.family = family
        change(&settings)
        return Lookup(.host(name), settings)
    }
}
