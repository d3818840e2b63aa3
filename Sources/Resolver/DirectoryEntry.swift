import Primitives
import Routing
import Wire

/// One lookup of the directory: its records, who wants it, and what was last told of it. Owned by
/// the directory, on its thread.
final class DirectoryEntry {
    /// One record type of the entry's name.
    final class Record {
        /// The number of its timer, and its place in the directory.
        let id: Int
        let lookup: Lookup
        let type: DNSMessage.RecordType
        var state: RecordState
        /// The query that it waits for.
        var query: Int?
        /// Records of the last answer that did not belong to the question.
        var ignoredCount = 0

        init(id: Int, lookup: Lookup, type: DNSMessage.RecordType, now: UInt64) {
            self.id = id
            self.lookup = lookup
            self.type = type
            state = RecordState(lookup.settings, now: now)
        }
    }

    let lookup: Lookup
    /// By the resolver's owner; targets of services are here without being wanted.
    var isWanted = false
    /// Services that have this host as a target.
    var services: Set<Lookup> = []
    /// What no server is asked for: an address written as a name, or a name of the hosts file.
    var fixed: [IPAddress]?
    var records: [Record] = []
    /// Of a service: the hosts that its records name.
    var targets: Set<Lookup> = []
    /// Nil until there was a first verdict.
    var published: Resolution?

    init(_ lookup: Lookup) {
        self.lookup = lookup
    }

    func record(_ type: DNSMessage.RecordType) -> Record? { records.first { $0.type == type } }

    // MARK: - Families

    /// The types that are asked for now. Where one family is preferred the other is asked for only
    /// while the first has nothing to give: most names then cost one question and not two.
    var typesNeeded: [DNSMessage.RecordType] {
        guard case .host = lookup.subject else { return [.srv] }
        guard fixed == nil else { return [] }
        switch lookup.settings.family {
        case .ipv4: return [.a]
        case .ipv6: return [.aaaa]
        case .both: return [.a, .aaaa]
        case .ipv4Preferred: return isSpent(.a) ? [.a, .aaaa] : [.a]
        case .ipv6Preferred: return isSpent(.aaaa) ? [.aaaa, .a] : [.aaaa]
        }
    }

    private func isSpent(_ type: DNSMessage.RecordType) -> Bool {
        guard let state = record(type)?.state else { return false }
        return state.hasVerdict && state.data == nil
    }

    /// What the records of a host come to; nil while that must be waited for.
    var addresses: [IPAddress]? {
        if let fixed { return fixed }
        let found = records.flatMap { record -> [IPAddress] in
            guard case .addresses(let addresses) = record.state.data else { return [] }
            return addresses
        }
        if lookup.settings.family == .both {
            // One family does not wait for the other.
            guard found.isEmpty else { return AddressOrder.sorted(found) }
        } else if let first = records.first, case .addresses(let addresses) = first.state.data {
            return addresses
        }
        return records.allSatisfy(\.state.hasVerdict) ? found : nil
    }

    /// What a family makes of addresses that were not asked for.
    static func chosen(_ addresses: [IPAddress], _ family: DNSPlan.Family) -> [IPAddress] {
        let v4 = AddressOrder.sorted(addresses.filter(\.isIPv4))
        let v6 = AddressOrder.sorted(addresses.filter { !$0.isIPv4 })
        switch family {
        case .ipv4: return v4
        case .ipv6: return v6
        case .both: return v4 + v6
        case .ipv4Preferred: return v4.isEmpty ? v6 : v4
        case .ipv6Preferred: return v6.isEmpty ? v4 : v6
        }
    }
}
