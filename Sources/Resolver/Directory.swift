import Primitives
import Routing
import Wire

/// All names that are kept resolved: decides what is asked, when and of whom, and what changed.
/// Pure: time is passed in (milliseconds), messages come and go as values, so that ten thousand
/// names and a day of time are a test of a second. Owned by the resolver's thread.
///
/// Each call may leave something in `sends` and `changes`, which the owner then takes.
final class Directory {
    /// What the directory may use.
    struct Limits {
        /// Names, targets of services included; each takes two timers at most.
        var namesMax = 65_536
        var flyingMax = 64
        /// Three quarters: a dead server leaves the others room.
        var flyingPerGroupMax = 48
        /// For servers that a lookup names itself; the system's come with their own.
        var timeoutMilliseconds = SystemConfiguration.timeoutDefault
        var roundsMax = 2
    }

    /// A message to be sent; its end is told by `receive`.
    struct Send: Hashable {
        let query: Int
        let name: DNSName
        let type: DNSMessage.RecordType
        let server: SocketAddress
        let timeoutMilliseconds: UInt64
        let usesTCP: Bool
    }

    /// What came of a message.
    enum Reply: Hashable {
        case message([UInt8])
        case failed(LookupFailure)
    }

    /// Deadlines are rounded up to this, so that questions go out in small groups and not with a
    /// wake-up each.
    static let stepMilliseconds: UInt64 = 32

    let limits: Limits
    var random: SeededRandom
    var system: SystemConfiguration
    var hosts: HostsFile
    var entries: [Lookup: DirectoryEntry] = [:]
    /// Lookups for which there was no room.
    var refused: Set<Lookup> = []
    /// By timer.
    var records: [DirectoryEntry.Record?] = []
    private var freeRecords: [Int] = []
    var timers: TimerWheel
    /// Entries to be worked out anew before the call returns.
    private var dirty: [Lookup] = []
    var queries: QueryTable
    var counters = ResolverCounters()

    private(set) var changes: [Lookup: Resolution] = [:]
    var sends: [Send] = []

    init(
        system: SystemConfiguration, hosts: HostsFile, limits: Limits = Limits(), seed: UInt64,
        now: UInt64
    ) {
        self.system = system
        self.hosts = hosts
        self.limits = limits
        random = SeededRandom(seed: seed)
        timers = TimerWheel(capacity: limits.namesMax * 2, now: now)
        queries = QueryTable(
            flyingMax: limits.flyingMax, flyingPerGroupMax: limits.flyingPerGroupMax)
    }

    // MARK: - What is wanted

    /// Replaces the whole set. A lookup that stays keeps everything; one that is new here and known
    /// already, as a service's target, is told at once.
    func want(_ wanted: Set<Lookup>, now: UInt64) {
        for (lookup, entry) in entries where entry.isWanted && !wanted.contains(lookup) {
            entry.isWanted = false
            changes[lookup] = nil
            removeIfUnused(entry)
        }
        refused = []
        for lookup in wanted {
            guard let entry = entries[lookup] ?? add(lookup, now: now) else {
                refused.insert(lookup)
                counters.refused += 1
                changes[lookup] = lookup.isHost ? .addresses([]) : .tiers([])
                continue
            }
            guard !entry.isWanted else { continue }
            entry.isWanted = true
            if let resolution = entry.published { changes[lookup] = resolution }
        }
        settle(now: now)
    }

    /// What changed since the last call.
    func takeChanges() -> [Lookup: Resolution] {
        defer { changes = [:] }
        return changes
    }

    func takeSends() -> [Send] {
        defer { sends = [] }
        return sends
    }

    // MARK: - Time

    /// When `tick` may have something to do.
    var deadline: UInt64? { timers.nextTick }

    func tick(now: UInt64) {
        while let id = timers.popExpired(now: now) {
            guard let record = records[Int(id)] else {
                preconditionFailure("a timer has its record")
            }
            apply(.tick, to: record, now: now)
        }
        settle(now: now)
    }

    // MARK: - The system

    /// The system's files have changed. What goes to other servers now is asked again.
    func change(system: SystemConfiguration, hosts: HostsFile, now: UInt64) {
        let isOtherSystem = system != self.system
        self.system = system
        self.hosts = hosts
        for entry in entries.values {
            guard entry.lookup.isHost else { continue }
            let fixed = fixedAddresses(of: entry.lookup)
            if fixed != entry.fixed {
                entry.fixed = fixed
                dirty.append(entry.lookup)
            }
        }
        if isOtherSystem {
            for case let record? in records where record.lookup.settings.servers.isEmpty {
                abandon(record)
                if case .waiting = record.state.phase {
                    apply(.hurried, to: record, now: now)
                } else {
                    ask(record, now: now)
                }
            }
        }
        settle(now: now)
    }

    private func fixedAddresses(of lookup: Lookup) -> [IPAddress]? {
        guard case .host(let name) = lookup.subject else { return nil }
        if let literal = IPAddress(name) { return [literal] }
        let text = (name.last == "." ? String(name.dropLast()) : name).lowercased()
        let known = DirectoryEntry.chosen(hosts.addresses(of: text), lookup.settings.family)
        return known.isEmpty ? nil : known
    }

    // MARK: - Entries

    /// Nil when there is no room.
    private func add(_ lookup: Lookup, now: UInt64) -> DirectoryEntry? {
        guard entries.count < limits.namesMax else { return nil }
        let entry = DirectoryEntry(lookup)
        entry.fixed = fixedAddresses(of: lookup)
        entries[lookup] = entry
        dirty.append(lookup)
        return entry
    }

    private func removeIfUnused(_ entry: DirectoryEntry) {
        guard !entry.isWanted, entry.services.isEmpty else { return }
        entry.records.forEach(remove)
        entry.records = []
        entries[entry.lookup] = nil
        entry.targets.forEach { releaseTarget($0, of: entry.lookup) }
        entry.targets = []
    }

    private func releaseTarget(_ target: Lookup, of service: Lookup) {
        guard let entry = entries[target] else { return }
        entry.services.remove(service)
        removeIfUnused(entry)
    }

    private func addRecord(_ type: DNSMessage.RecordType, to entry: DirectoryEntry, now: UInt64) {
        let id = freeRecords.popLast() ?? records.count
        if id == records.count { records.append(nil) }
        let record = DirectoryEntry.Record(id: id, lookup: entry.lookup, type: type, now: now)
        records[id] = record
        entry.records.append(record)
        apply(.tick, to: record, now: now)
    }

    private func remove(_ record: DirectoryEntry.Record) {
        abandon(record)
        timers.cancel(UInt32(record.id))
        records[record.id] = nil
        freeRecords.append(record.id)
    }

    // MARK: - Records

    func apply(_ event: RecordState.Event, to record: DirectoryEntry.Record, now: UInt64) {
        let action = record.state.on(event, now: now, random: &random)
        if let deadline = record.state.deadline {
            let step = Self.stepMilliseconds
            timers.set(UInt32(record.id), deadline: (deadline + step - 1) / step * step)
        } else {
            timers.cancel(UInt32(record.id))
        }
        if action.isChanged { dirty.append(record.lookup) }
        if action.asks { ask(record, now: now) }
    }

    /// Works out what has changed until nothing more does, then sends what may go.
    func settle(now: UInt64) {
        refreshDirty(now: now)
        pump(now: now)
    }

    func refreshDirty(now: UInt64) {
        while let lookup = dirty.popLast() {
            guard let entry = entries[lookup] else { continue }
            refresh(entry, now: now)
        }
    }

    private func refresh(_ entry: DirectoryEntry, now: UInt64) {
        let needed = entry.typesNeeded
        for record in entry.records where !needed.contains(record.type) { remove(record) }
        entry.records.removeAll { !needed.contains($0.type) }
        for type in needed where entry.record(type) == nil {
            addRecord(type, to: entry, now: now)
        }
        if !entry.lookup.isHost { followTargets(of: entry, now: now) }
        let resolution =
            entry.lookup.isHost
            ? entry.addresses.map(Resolution.addresses) : tiers(of: entry).map(Resolution.tiers)
        guard let resolution, resolution != entry.published else { return }
        entry.published = resolution
        if entry.isWanted { changes[entry.lookup] = resolution }
        dirty += entry.services
    }

    // MARK: - Services

    static func target(_ name: DNSName, of service: Lookup) -> Lookup {
        // Absolute: a record's target is no name to search for.
        Lookup(.host("\(name)."), service.settings)
    }

    private func followTargets(of service: DirectoryEntry, now: UInt64) {
        var wanted: Set<Lookup> = []
        if case .services(let services) = service.records.first?.state.data {
            wanted = Set(services.map { Self.target($0.target, of: service.lookup) })
        }
        guard wanted != service.targets else { return }
        let gone = service.targets.subtracting(wanted)
        var kept = service.targets.intersection(wanted)
        for target in wanted.subtracting(kept) {
            guard let entry = entries[target] ?? add(target, now: now) else {
                counters.refused += 1
                continue
            }
            entry.services.insert(service.lookup)
            kept.insert(target)
        }
        service.targets = kept
        gone.forEach { releaseTarget($0, of: service.lookup) }
    }

    /// Nil while that must be waited for: until the first priority's targets all have a verdict at
    /// the beginning, later until any target has one.
    private func tiers(of service: DirectoryEntry) -> [[ServiceTarget]]? {
        guard let state = service.records.first?.state, state.hasVerdict else { return nil }
        guard case .services(let services) = state.data, let first = services.first else {
            return []
        }
        let hosts = services.map { entries[Self.target($0.target, of: service.lookup)] }
        // A target for which there was no room has no entry, and will have none.
        let pending = zip(services, hosts).filter { $0.1 != nil && $0.1?.published == nil }
        let isEarly = service.published == nil
        if isEarly, pending.contains(where: { $0.0.priority == first.priority }) { return nil }
        var tiers: [[ServiceTarget]] = []
        var priority: UInt16?
        for (record, host) in zip(services, hosts) {
            guard case .addresses(let addresses) = host?.published, !addresses.isEmpty else {
                continue
            }
            if priority != record.priority { tiers.append([]) }
            priority = record.priority
            tiers[tiers.count - 1].append(
                ServiceTarget(
                    name: record.target.description, port: record.port, weight: record.weight,
                    addresses: addresses))
        }
        return tiers.isEmpty && !pending.isEmpty ? nil : tiers
    }
}

extension Lookup {
    var isHost: Bool {
        if case .host = subject { true } else { false }
    }
}
