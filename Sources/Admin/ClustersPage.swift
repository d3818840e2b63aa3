import Control
import Manifest
import Routing

/// `/clusters` in Envoy's shapes (`clusters_handler.cc` of 1.40, `envoy.admin.v3.Clusters`). What
/// it tells of requests is told of connections: each is one request, as with Envoy's TCP proxy.
enum ClustersPage {
    /// What Envoy shows where there is no limit.
    private static let unlimited = UInt32.max

    /// The name stands on every line, so that `grep` answers with all of a cluster.
    static func text(_ clusters: [Snapshot.Cluster]) -> String {
        var lines = ""
        for cluster in clusters {
            for (key, value) in head(cluster) { lines += "\(cluster.name)::\(key)::\(value)\n" }
            for endpoint in cluster.endpoints {
                let place = "\(cluster.name)::\(endpoint.address.place)"
                for (key, value) in details(endpoint) { lines += "\(place)::\(key)::\(value)\n" }
            }
        }
        return lines
    }

    private static func head(_ cluster: Snapshot.Cluster) -> [(String, String)] {
        var lines = [("observability_name", cluster.name)]
        if cluster.plan.healthCheck.passive != nil {
            lines += [
                "success_rate_average", "success_rate_ejection_threshold",
                "local_origin_success_rate_average",
                "local_origin_success_rate_ejection_threshold",
            ].map { ("outlier::\($0)", "-1") }
        }
        for priority in ["default", "high"] {
            lines += limits(cluster.plan).map {
                ("\(priority)_priority::\($0.name)", "\($0.value)")
            }
        }
        return lines + [("added_via_api", "true")]
    }

    private static func limits(_ plan: ClusterPlan) -> [(name: String, value: UInt32)] {
        let breaker = plan.circuitBreaker
        return [
            ("max_connections", breaker.connectionsMax ?? unlimited),
            ("max_pending_requests", breaker.pendingRequestsMax ?? unlimited),
            ("max_requests", breaker.requestsMax ?? unlimited),
            ("max_retries", breaker.retriesMax ?? unlimited),
        ]
    }

    private struct Count {
        let name: String
        var value: UInt64 = 0
        var isGauge = false
    }

    /// Counters and then gauges, each by name, as Envoy's JSON has them.
    private static func counts(_ endpoint: Snapshot.Endpoint) -> [Count] {
        let served = endpoint.led > endpoint.failures ? endpoint.led - endpoint.failures : 0
        let live = UInt64(max(0, endpoint.live))
        return [
            Count(name: "cx_connect_fail", value: endpoint.failures),
            Count(name: "cx_total", value: endpoint.led),
            Count(name: "rq_error"), Count(name: "rq_success"), Count(name: "rq_timeout"),
            Count(name: "rq_total", value: served),
            Count(name: "cx_active", value: live, isGauge: true),
            Count(name: "rq_active", value: live, isGauge: true),
            Count(name: "rq_pending_active", isGauge: true),
        ]
    }

    private static func details(_ endpoint: Snapshot.Endpoint) -> [(String, String)] {
        let flags = endpoint.flags.map { "/\($0.rawValue)" }.joined()
        return counts(endpoint).sorted { $0.name < $1.name }.map { ($0.name, "\($0.value)") } + [
            ("hostname", endpoint.hostname ?? ""),
            ("health_flags", flags.isEmpty ? "healthy" : flags),
            ("weight", "\(endpoint.weight)"), ("region", ""), ("zone", endpoint.zone ?? ""),
            ("sub_zone", ""), ("canary", "false"), ("priority", "\(endpoint.tier)"),
            ("success_rate", "-1"), ("local_origin_success_rate", "-1"),
        ]
    }

    // MARK: - JSON

    static func json(_ clusters: [Snapshot.Cluster]) -> JSON {
        .object([
            "cluster_statuses": .array(
                clusters.map { cluster in
                    .object([
                        "name": .text(cluster.name), "added_via_api": .boolean(true),
                        "host_statuses": hosts(cluster.endpoints),
                        "circuit_breakers": .object([
                            "thresholds": .array([
                                thresholds(cluster.plan, priority: nil),
                                thresholds(cluster.plan, priority: "HIGH"),
                            ])
                        ]),
                        "observability_name": .text(cluster.name),
                    ])
                })
        ])
    }

    private static func thresholds(_ plan: ClusterPlan, priority: String?) -> JSON {
        let values = limits(plan).map { JSON.integer(Int($0.value)) }
        return .object([
            "priority": .text(priority), "max_connections": values[0],
            "max_pending_requests": values[1], "max_requests": values[2],
            "max_retries": values[3],
        ])
    }

    private static func hosts(_ endpoints: [Snapshot.Endpoint]) -> JSON {
        guard !endpoints.isEmpty else { return .null }
        return .array(
            endpoints.map { endpoint in
                .object([
                    "address": .address(endpoint.address),
                    "stats": .array(counts(endpoint).map(json)),
                    "health_status": health(endpoint),
                    "weight": .unlessZero(endpoint.weight),
                    "hostname": .unlessEmpty(endpoint.hostname),
                    "priority": .unlessZero(endpoint.tier),
                    "locality": .object(["zone": .unlessEmpty(endpoint.zone)]),
                ])
            })
    }

    private static func json(_ count: Count) -> JSON {
        .object([
            "type": count.isGauge ? .text("GAUGE") : .null,
            "value": count.value == 0 ? .null : .text("\(count.value)"),
            "name": .text(count.name),
        ])
    }

    private static func health(_ endpoint: Snapshot.Endpoint) -> JSON {
        func has(_ flag: Snapshot.HealthFlag) -> JSON { .ifTrue(endpoint.flags.contains(flag)) }
        return .object([
            "failed_active_health_check": has(.failedActiveCheck),
            "failed_outlier_check": has(.failedOutlierCheck),
            "pending_dynamic_removal": has(.pendingRemoval),
            "pending_active_hc": has(.pendingActiveCheck),
            "eds_health_status": .text("HEALTHY"),
        ])
    }
}
