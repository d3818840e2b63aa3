import Control
import Health
import Manifest
import Resolver

/// `/endpoints`, which `apus endpoints` prints: a line for each endpoint of each cluster, and then
/// one for each answer about a name that they are looked up by. A value.
struct EndpointsPage {
    private let clusters: [Snapshot.Cluster]
    private let names: [ResolverReport.Name]
    private let checks: [HealthCheck: HealthReport.Check]

    /// - Parameters:
    ///   - names: nil = nothing is known of them.
    ///   - checks: the same.
    init(_ clusters: [Snapshot.Cluster], names: ResolverReport?, checks: HealthReport?) {
        self.clusters = clusters
        self.names = names.map { NamesPage.asked(by: clusters, of: $0) } ?? []
        self.checks = (checks?.checks ?? []).reduce(into: [:]) { $0[$1.check] = $1 }
    }

    // MARK: - For people

    private static let endpointColumns: [Table.Column] = [
        .init(title: "CLUSTER"), .init(title: "TIER", isNumber: true), .init(title: "ENDPOINT"),
        .init(title: "NAME"), .init(title: "WEIGHT", isNumber: true), .init(title: "STATE"),
        .init(title: "LIVE", isNumber: true), .init(title: "TOTAL", isNumber: true),
        .init(title: "FAILED", isNumber: true), .init(title: "EJECTED", isNumber: true),
        .init(title: "WHY"),
    ]

    private static let nameColumns: [Table.Column] = [
        .init(title: "NAME"), .init(title: "TYPE"), .init(title: "ANSWERS", isNumber: true),
        .init(title: "AGE", isNumber: true), .init(title: "TTL", isNumber: true),
        .init(title: "NEXT", isNumber: true), .init(title: "LAST ERROR"),
    ]

    var text: String {
        guard !clusters.isEmpty else { return "no cluster has that in its name\n" }
        var table = Table(Self.endpointColumns)
        for cluster in clusters {
            if cluster.endpoints.isEmpty {
                table.add(
                    [cluster.name] + Array(repeating: "", count: 4) + ["none"]
                        + Array(repeating: "", count: 4) + [Self.nothing(cluster)])
            }
            for endpoint in cluster.endpoints { table.add(row(cluster.name, endpoint)) }
        }
        guard !names.isEmpty else { return table.text }
        var answers = Table(Self.nameColumns)
        for name in names {
            for row in NamesPage.rows(name) { answers.add(row) }
        }
        return table.text + "\n" + answers.text
    }

    /// Why a cluster has no endpoint.
    private static func nothing(_ cluster: Snapshot.Cluster) -> String {
        let plans = cluster.plan.tiers.joined()
        let isNamed = plans.contains { Lookup($0.target, cluster.plan.dns) != nil }
        if isNamed { return "its names have no addresses" }
        return plans.contains { $0.tls != nil }
            ? "TLS cannot be spoken with them, as the log says"
            : "the Backend has none that can be used"
    }

    private func row(_ cluster: String, _ endpoint: Snapshot.Endpoint) -> [String] {
        [
            cluster, endpoint.state == .draining ? "" : "\(endpoint.tier)", endpoint.address.place,
            endpoint.hostname ?? "", "\(endpoint.weight)", endpoint.state.rawValue,
            "\(endpoint.live)", "\(endpoint.led)", "\(endpoint.failures)",
            "\(endpoint.ejections)", why(endpoint),
        ]
    }

    private func why(_ endpoint: Snapshot.Endpoint) -> String {
        let why = endpoint.why ?? ""
        guard let check = endpoint.check.flatMap({ checks[$0] }) else { return why }
        if check.isRefused { return "there is no room for its check" }
        if endpoint.state == .down {
            return check.failuresInRow > 0
                ? "\(why); \(Self.text(check.failuresInRow, "check")) failed in a row"
                : "\(why); since then \(Self.text(check.successesInRow, "check")) passed"
        }
        guard check.failuresInRow > 0, let failure = check.failureLast else { return why }
        return (why.isEmpty ? "" : why + "; ") + "its last check failed: \(failure)"
    }

    private static func text(_ count: UInt32, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    // MARK: - For programs

    var json: JSON {
        .object([
            "clusters": .array(
                clusters.map { cluster in
                    .object([
                        "name": .text(cluster.name), "backend": .text(cluster.plan.name),
                        "route": .text(cluster.plan.route),
                        "endpoints": .array(cluster.endpoints.map(json)),
                    ])
                }),
            "names": .array(names.map { NamesPage.json($0) }),
        ])
    }

    private func json(_ endpoint: Snapshot.Endpoint) -> JSON {
        let check = endpoint.check.flatMap { checks[$0] }
        return .object([
            "address": .text(endpoint.address.place), "hostname": .text(endpoint.hostname),
            "zone": .text(endpoint.zone), "tier": .integer(endpoint.tier),
            "weight": .integer(Int(endpoint.weight)), "state": .text(endpoint.state.rawValue),
            "healthy": .boolean(endpoint.isHealthy),
            "health_flags": .array(endpoint.flags.map { .text($0.rawValue) }),
            "why": .text(endpoint.why), "live": .integer(endpoint.live),
            "total": .integer(Int(clamping: endpoint.led)),
            "failures": .integer(Int(clamping: endpoint.failures)),
            "ejections": .integer(Int(endpoint.ejections)),
            "returns_in_milliseconds": endpoint.returnsMilliseconds
                .map { .integer(Int(clamping: $0)) } ?? .null,
            "check": check.map(Self.json) ?? .null,
        ])
    }

    private static func json(_ check: HealthReport.Check) -> JSON {
        .object([
            "attempts": .integer(Int(clamping: check.attempts)),
            "successes": .integer(Int(clamping: check.successes)),
            "failures": .integer(Int(clamping: check.failures)),
            "inconclusive": .integer(Int(clamping: check.inconclusive)),
            "successes_in_row": .integer(Int(check.successesInRow)),
            "failures_in_row": .integer(Int(check.failuresInRow)),
            "last_failure": .text(check.failureLast.map { "\($0)" }),
            "last_failure_ago_milliseconds": number(check.failedAgoMilliseconds),
            "took_milliseconds": number(check.tookMilliseconds),
            "next_milliseconds": number(check.nextCheckMilliseconds),
        ])
    }

    private static func number(_ value: UInt64?) -> JSON {
        value.map { .integer(Int(clamping: $0)) } ?? .null
    }
}
