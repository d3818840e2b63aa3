import Control
import Manifest
import Primitives
import Resolver

/// `/dns`: every name that is kept resolved, with what is known of each of its record types.
enum NamesPage {
    static func text(_ report: ResolverReport) -> String {
        var lines = ""
        for name in report.names {
            for (key, value) in details(name) { lines += "\(name.lookup.name)::\(key)::\(value)\n" }
            for record in name.records {
                let place = "\(name.lookup.name)::\(record.type)"
                for (key, value) in details(record) { lines += "\(place)::\(key)::\(value)\n" }
            }
        }
        return lines
    }

    private static func details(_ name: ResolverReport.Name) -> [(String, String)] {
        [
            ("state", state(name)),
            ("addresses", addresses(name).joined(separator: ",")),
            ("servers", servers(name, "the system's")),
        ]
    }

    // MARK: - For the table of endpoints

    /// The names that endpoints of the clusters are looked up by, and the targets of services.
    static func asked(
        by clusters: [Snapshot.Cluster], of report: ResolverReport
    ) -> [ResolverReport.Name] {
        var lookups: Set<Lookup> = []
        for cluster in clusters {
            for endpoint in cluster.plan.tiers.joined() {
                Lookup(endpoint.target, cluster.plan.dns).map { _ = lookups.insert($0) }
            }
        }
        for name in report.names where lookups.contains(name.lookup) {
            for case .services(let services)? in name.records.map(\.data) {
                let settings = name.lookup.settings
                lookups.formUnion(
                    services.map { Lookup(.host("\($0.target)."), settings) })
            }
        }
        return report.names.filter { lookups.contains($0.lookup) }
    }

    /// One for each record type; one for a name that no server is asked about.
    static func rows(_ name: ResolverReport.Name) -> [[String]] {
        guard name.records.isEmpty else { return name.records.map { row(name, $0) } }
        let none = Array(repeating: "", count: 3)
        return name.isFixed
            ? [[name.lookup.name, "hosts", "\(addresses(name).count)"] + none + [""]]
            : [[name.lookup.name, "", ""] + none + [state(name)]]
    }

    private static func row(
        _ name: ResolverReport.Name, _ record: ResolverReport.Record
    ) -> [String] {
        [
            name.lookup.name, record.type, "\(answers(record).count)",
            record.answeredAgoMilliseconds.map(seconds) ?? "",
            record.remainingMilliseconds.map(seconds) ?? "",
            record.nextAskMilliseconds.map(seconds) ?? "now",
            trouble(record).map { error in
                error + (record.troubledAgoMilliseconds.map { ", \(seconds($0)) ago" } ?? "")
            } ?? "",
        ]
    }

    static func state(_ name: ResolverReport.Name) -> String {
        if name.isRefused { return "refused: no room" }
        if name.isFixed { return "in the hosts file" }
        guard let resolution = name.resolution else { return "unresolved" }
        return resolution.isEmpty ? "empty" : "resolved"
    }

    /// What the name leads to now, whatever said so.
    private static func addresses(_ name: ResolverReport.Name) -> [String] {
        switch name.resolution {
        case nil: []
        case .addresses(let addresses): addresses.map(\.description)
        case .tiers(let tiers): tiers.joined().flatMap(\.addresses).map(\.description)
        }
    }

    private static func servers(_ name: ResolverReport.Name, _ none: String) -> String {
        let servers = name.lookup.settings.servers
        return servers.isEmpty ? none : servers.map(\.description).joined(separator: ",")
    }

    private static func details(_ record: ResolverReport.Record) -> [(String, String)] {
        [
            ("answers", answers(record).joined(separator: ",")),
            ("ttl_left", record.remainingMilliseconds.map(seconds) ?? "-"),
            ("next_refresh", record.nextAskMilliseconds.map(seconds) ?? "now"),
            ("answered_ago", record.answeredAgoMilliseconds.map(seconds) ?? "never"),
            ("last_error", trouble(record) ?? "none"),
            ("last_error_ago", record.troubledAgoMilliseconds.map(seconds) ?? "never"),
            ("failures_in_row", "\(record.failureCount)"),
            ("records_ignored", "\(record.ignoredCount)"),
        ]
    }

    private static func answers(_ record: ResolverReport.Record) -> [String] {
        switch record.data {
        case .none: []
        case .addresses(let addresses): addresses.map(\.description)
        case .services(let services):
            services.map {
                "\($0.target.description):\($0.port)(priority=\($0.priority),weight=\($0.weight))"
            }
        }
    }

    private static func trouble(_ record: ResolverReport.Record) -> String? {
        switch record.trouble {
        case .none: nil
        case .absent(isNameMissing: true): "the name does not exist"
        case .absent(isNameMissing: false): "the name has no such record"
        case .failed(let failure): "\(failure)"
        }
    }

    private static func seconds(_ milliseconds: some BinaryInteger) -> String {
        let value = Int64(clamping: milliseconds)
        let fraction = String(value.magnitude % 1_000 + 1_000).dropFirst()
        return "\(value < 0 ? "-" : "")\(value.magnitude / 1_000).\(fraction)s"
    }

    // MARK: - JSON

    static func json(_ report: ResolverReport) -> JSON {
        let counters = report.counters
        return .object([
            "names": .array(report.names.map(json)),
            "counters": .object([
                "queries_sent": number(counters.sent), "found": number(counters.found),
                "absent": number(counters.absent), "timed_out": number(counters.timedOut),
                "failed": number(counters.failed),
                "records_ignored": number(counters.recordsIgnored),
                "refused": number(counters.refused),
                "waiting": .integer(report.waitingCount),
                "under_way": .integer(report.flyingCount),
            ]),
            "system": .object([
                "servers": .array(report.system.servers.map { .text("\($0)") }),
                "search": .array(report.system.searchDomains.map { .text($0) }),
            ]),
        ])
    }

    static func json(_ name: ResolverReport.Name) -> JSON {
        let isService = if case .service = name.lookup.subject { true } else { false }
        return .object([
            "name": .text(name.lookup.name), "kind": .text(isService ? "service" : "host"),
            "state": .text(state(name)),
            "addresses": .array(addresses(name).map { .text($0) }),
            "servers": .array(name.lookup.settings.servers.map { .text("\($0)") }),
            "records": .array(name.records.map(json)),
        ])
    }

    private static func json(_ record: ResolverReport.Record) -> JSON {
        .object([
            "type": .text(record.type), "answers": .array(answers(record).map { .text($0) }),
            "ttl_left_milliseconds": number(record.remainingMilliseconds),
            "next_refresh_milliseconds": number(record.nextAskMilliseconds),
            "answered_ago_milliseconds": number(record.answeredAgoMilliseconds),
            "last_error": .text(trouble(record)),
            "last_error_ago_milliseconds": number(record.troubledAgoMilliseconds),
            "failures_in_row": .integer(record.failureCount),
            "records_ignored": .integer(record.ignoredCount),
        ])
    }

    private static func number(_ value: (some BinaryInteger)?) -> JSON {
        value.map { .integer(Int(clamping: $0)) } ?? .null
    }
}
