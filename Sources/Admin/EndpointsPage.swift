import Control
import Manifest
import Resolver

/// `/endpoints`, which `apus endpoints` prints: a line for each endpoint of each cluster, and then
/// one for each answer about a name that they are looked up by.
enum EndpointsPage {
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

    /// - Parameter names: nil = nothing is known of them.
    static func text(_ clusters: [Snapshot.Cluster], _ names: ResolverReport?) -> String {
        guard !clusters.isEmpty else { return "no cluster has that in its name\n" }
        var table = Table(endpointColumns)
        for cluster in clusters {
            if cluster.endpoints.isEmpty {
                table.add(
                    [cluster.name] + Array(repeating: "", count: 4) + ["none"]
                        + Array(repeating: "", count: 4) + [nothing(cluster, names)])
            }
            for endpoint in cluster.endpoints { table.add(row(cluster.name, endpoint)) }
        }
        let asked = names.map { NamesPage.asked(by: clusters, of: $0) } ?? []
        guard !asked.isEmpty else { return table.text }
        var answers = Table(nameColumns)
        for name in asked {
            for record in name.records { answers.add(NamesPage.row(name, record)) }
            if name.records.isEmpty {
                answers.add(
                    [name.lookup.name] + Array(repeating: "", count: 5) + [NamesPage.state(name)])
            }
        }
        return table.text + "\n" + answers.text
    }

    /// Why a cluster has no endpoint.
    private static func nothing(_ cluster: Snapshot.Cluster, _ names: ResolverReport?) -> String {
        let plans = cluster.plan.tiers.joined()
        if plans.contains(where: { $0.tls != nil }) { return "TLS to endpoints is not spoken yet" }
        let isNamed = names.map { !NamesPage.asked(by: [cluster], of: $0).isEmpty } ?? false
        return isNamed ? "its names have no addresses" : "the Backend has none that can be used"
    }

    private static func row(_ cluster: String, _ endpoint: Snapshot.Endpoint) -> [String] {
        [
            cluster, endpoint.state == .draining ? "" : "\(endpoint.tier)", endpoint.address.place,
            endpoint.hostname ?? "", "\(endpoint.weight)", endpoint.state.rawValue,
            "\(endpoint.live)", "\(endpoint.led)", "\(endpoint.failures)",
            "\(endpoint.ejections)", endpoint.why ?? "",
        ]
    }

    static func json(_ clusters: [Snapshot.Cluster], _ names: ResolverReport?) -> JSON {
        let asked = names.map { NamesPage.asked(by: clusters, of: $0) } ?? []
        return .object([
            "clusters": .array(
                clusters.map { cluster in
                    .object([
                        "name": .text(cluster.name), "backend": .text(cluster.plan.name),
                        "route": .text(cluster.plan.route),
                        "endpoints": .array(cluster.endpoints.map(json)),
                    ])
                }),
            "names": .array(asked.map { NamesPage.json($0) }),
        ])
    }

    private static func json(_ endpoint: Snapshot.Endpoint) -> JSON {
        .object([
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
        ])
    }
}
