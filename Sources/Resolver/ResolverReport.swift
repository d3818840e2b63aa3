import Primitives
import Wire

/// What the resolver knows, at one moment, for whoever looks into it. Made on the resolver's thread
/// when asked for; a value.
public struct ResolverReport: Hashable, Sendable {
    /// One record type of one name.
    public struct Record: Hashable, Sendable {
        /// `A`, `AAAA` or `SRV`.
        public var type: String
        public var data: RecordData?
        /// Until the data run out by their TTL; below 0 they are used beyond it.
        public var remainingMilliseconds: Int64?
        /// Until the next question; nil while an answer is waited for.
        public var nextAskMilliseconds: UInt64?
        public var answeredAgoMilliseconds: UInt64?
        /// What went wrong last, however long ago.
        public var trouble: RecordState.Trouble?
        public var troubledAgoMilliseconds: UInt64?
        /// In a row.
        public var failureCount: Int
        /// Records of the last answer that did not belong to the question.
        public var ignoredCount: Int
    }

    public struct Name: Hashable, Sendable {
        public var lookup: Lookup
        /// False for a service's target that nobody else wants.
        public var isWanted: Bool
        /// Nil before the first verdict.
        public var resolution: Resolution?
        /// Known without a server: an address, or a name of the hosts file.
        public var isFixed: Bool
        /// There was no room for it.
        public var isRefused = false
        public var records: [Record]
    }

    /// Sorted by name.
    public var names: [Name]
    public var counters: ResolverCounters
    public var system: SystemConfiguration
    /// Questions that wait for their turn, and those under way.
    public var waitingCount: Int
    public var flyingCount: Int
}

extension Directory {
    func report(now: UInt64) -> ResolverReport {
        var names = entries.values.map { entry in
            ResolverReport.Name(
                lookup: entry.lookup, isWanted: entry.isWanted, resolution: entry.published,
                isFixed: entry.fixed != nil, records: entry.records.map { report(of: $0, now: now) }
            )
        }
        names += refused.map { lookup in
            ResolverReport.Name(
                lookup: lookup, isWanted: true, isFixed: false, isRefused: true, records: [])
        }
        return ResolverReport(
            names: names.sorted { $0.lookup.name < $1.lookup.name }, counters: counters,
            system: system, waitingCount: queries.scheduler.waitingCount,
            flyingCount: queries.scheduler.flyingCount)
    }

    private func report(of record: DirectoryEntry.Record, now: UInt64) -> ResolverReport.Record {
        let state = record.state
        var nextAsk: UInt64?
        if case .waiting(let due) = state.phase { nextAsk = due > now ? due - now : 0 }
        let remaining = Int64(bitPattern: state.expiresAt &- now)
        return ResolverReport.Record(
            type: record.type.text, data: state.data,
            remainingMilliseconds: state.data == nil ? nil : remaining,
            nextAskMilliseconds: nextAsk,
            answeredAgoMilliseconds: state.answeredAt.map { now - $0 }, trouble: state.trouble,
            troubledAgoMilliseconds: state.troubledAt.map { now - $0 },
            failureCount: state.failureCount, ignoredCount: record.ignoredCount)
    }
}

extension DNSMessage.RecordType {
    var text: String {
        switch self {
        case .a: "A"
        case .aaaa: "AAAA"
        case .srv: "SRV"
        default: "TYPE\(rawValue)"
        }
    }
}
