import Primitives
import Wire

/// Judges a DNS message by the question that was asked: follows the aliases from its name, and
/// believes only records whose owner stands in that chain (c-ares gives everything that is in the
/// answer section). Pure.
struct AnswerReader {
    /// A server that answers for a chain this long is broken or hostile.
    static let aliasesMax = 16
    /// A service has no more targets than this; the others are counted as ignored.
    static let targetsMax = 1_024

    struct Reading: Hashable {
        var answer: Answer
        /// Addresses of a service's targets that came along, and how long they hold.
        var additional: [Additional] = []
        /// Records of the answer section that do not belong to the question.
        var ignoredCount = 0
    }

    struct Additional: Hashable {
        let name: DNSName
        let type: DNSMessage.RecordType
        let answer: Answer
    }

    let name: DNSName
    let type: DNSMessage.RecordType

    func read(_ message: DNSMessage) -> Reading {
        guard !message.isTruncated else { return Reading(answer: .failed(.truncated)) }
        let code = message.responseCode
        guard code == DNSMessage.ResponseCode.noError || code == DNSMessage.ResponseCode.nameError
        else { return Reading(answer: .failed(.code(code))) }
        switch followAliases(in: message) {
        case .failure(.loop): return Reading(answer: .failed(.aliasLoop))
        case .failure(.tooLong): return Reading(answer: .failed(.aliasChainTooLong))
        case .success(let end): return read(message, end)
        }
    }

    // MARK: - Aliases

    private struct ChainEnd {
        var owner: DNSName
        var ttl: UInt32
        var aliasCount: Int
    }

    /// The name at which the chain of aliases ends, and the least TTL on the way.
    private func followAliases(in message: DNSMessage) -> Result<ChainEnd, ChainFault> {
        var aliases: [DNSName: (target: DNSName, ttl: UInt32)] = [:]
        for record in message.answers where record.recordClass == DNSMessage.internet {
            // The first alias of an owner counts: there may be only one (RFC 2181 §10.1).
            guard case .alias(let target) = record.data, aliases[record.owner] == nil else {
                continue
            }
            aliases[record.owner] = (target, record.ttl)
        }
        var end = ChainEnd(owner: name, ttl: .max, aliasCount: 0)
        var passed: Set<DNSName> = [name]
        while let alias = aliases[end.owner] {
            guard passed.insert(alias.target).inserted else { return .failure(.loop) }
            guard end.aliasCount < Self.aliasesMax else { return .failure(.tooLong) }
            end.owner = alias.target
            end.ttl = min(end.ttl, alias.ttl)
            end.aliasCount += 1
        }
        return .success(end)
    }

    private enum ChainFault: Error { case loop, tooLong }

    // MARK: - Records

    private func read(_ message: DNSMessage, _ end: ChainEnd) -> Reading {
        let records = message.answers.filter {
            $0.owner == end.owner && $0.type == type && $0.recordClass == DNSMessage.internet
        }
        let ignoredCount = message.answers.count - records.count - end.aliasCount
        guard !records.isEmpty else {
            let isNameMissing = message.responseCode == DNSMessage.ResponseCode.nameError
            return Reading(
                answer: .absent(isNameMissing: isNameMissing, ttl: negativeTTL(message, end)),
                ignoredCount: ignoredCount)
        }
        let ttl = records.reduce(end.ttl) { min($0, $1.ttl) }
        if type == .srv {
            let services = Self.services(of: records)
            return Reading(
                answer: .found(.services(services), ttl: ttl),
                additional: additional(of: services, in: message),
                ignoredCount: ignoredCount + max(0, records.count - Self.targetsMax))
        }
        return Reading(
            answer: .found(.addresses(Self.addresses(of: records)), ttl: ttl),
            ignoredCount: ignoredCount)
    }

    /// The SOA of the authority section tells it: the lesser of its own TTL and its last field
    /// (RFC 2308 §5); the aliases on the way hold no longer than they say.
    private func negativeTTL(_ message: DNSMessage, _ end: ChainEnd) -> UInt32? {
        for record in message.authorities {
            guard case .authority(let minimum) = record.data else { continue }
            return min(record.ttl, minimum, end.ttl)
        }
        return nil
    }

    private static func addresses(of records: [DNSMessage.Record]) -> [IPAddress] {
        let found = records.compactMap { record -> IPAddress? in
            guard case .address(let address) = record.data else { return nil }
            return address
        }
        return AddressOrder.sorted(found)
    }

    /// A target of `.` means that there is no service; beside others it says nothing (RFC 2782).
    private static func services(of records: [DNSMessage.Record]) -> [ServiceRecord] {
        var found: Set<ServiceRecord> = []
        for record in records.prefix(targetsMax) {
            guard case .service(let priority, let weight, let port, let target) = record.data,
                !target.isRoot
            else { continue }
            found.insert(
                ServiceRecord(priority: priority, weight: weight, port: port, target: target))
        }
        return found.sorted { one, other in
            (one.priority, one.target.description, one.port, one.weight)
                < (other.priority, other.target.description, other.port, other.weight)
        }
    }

    /// Addresses of the targets, by owner and type. Nothing more is believed than if the same
    /// server were asked for them next, which is what would happen otherwise.
    private func additional(
        of services: [ServiceRecord], in message: DNSMessage
    ) -> [Additional] {
        let targets = Set(services.map(\.target))
        var groups: [DNSName: [DNSMessage.Record]] = [:]
        for record in message.additionals
        where record.recordClass == DNSMessage.internet && targets.contains(record.owner) {
            groups[record.owner, default: []].append(record)
        }
        var found: [Additional] = []
        for target in targets.sorted(by: { $0.description < $1.description }) {
            for type in [DNSMessage.RecordType.a, .aaaa] {
                let records = groups[target]?.filter { $0.type == type } ?? []
                guard let ttl = records.map(\.ttl).min() else { continue }
                let addresses = Self.addresses(of: records)
                found.append(
                    Additional(
                        name: target, type: type, answer: .found(.addresses(addresses), ttl: ttl)))
            }
        }
        return found
    }
}

/// The one order in which addresses of a name are given: IPv4 first, then by value.
enum AddressOrder {
    /// Each address once.
    static func sorted(_ addresses: [IPAddress]) -> [IPAddress] {
        Set(addresses).sorted { one, other in
            if one.isIPv4 != other.isIPv4 { return one.isIPv4 }
            return (one.high, one.low) < (other.high, other.low)
        }
    }
}
