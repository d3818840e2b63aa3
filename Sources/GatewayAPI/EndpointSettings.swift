import Manifest
import Routing

/// What an EndpointPolicy (apus.dev/v1alpha1) says of a Backend: what no kind of the Gateway API
/// can, said outside of the Backend, so that this stays valid for its real CRD.
struct EndpointSettings {
    let service: String?
    let udp: UDPFlowPlan?
    let flowsMax: UInt32?
    let flowsPerSourceMax: UInt32?
    private let dns: Fields?
    private let tiers: Fields?
    private let limits: Fields?
    private let connections: Fields?
    private let healthCheck: Fields?

    init(_ spec: Fields) {
        service = spec.mapping("srv")?.text("name")?.value
        let fields = spec.mapping("udp")
        udp = fields.map { fields in
            UDPFlowPlan(
                idleTimeoutMilliseconds: fields.duration("idleTimeout")?.value
                    ?? UDPFlowPlan.idleTimeoutMillisecondsDefault,
                expectedResponses: fields.number("expectedResponses")?.value)
        }
        flowsMax = fields?.number("flowsMax")?.value
        flowsPerSourceMax = fields?.number("flowsPerSourceMax")?.value
        dns = spec.mapping("dns")
        tiers = spec.mapping("tiers")
        limits = spec.mapping("limits")
        connections = spec.mapping("connections")
        healthCheck = spec.mapping("healthCheck")
    }

    /// - Parameter isUDP: of the route; its checks are of datagrams, and say nothing of whether an
    ///   endpoint takes connections.
    func apply(to cluster: inout ClusterPlan, isUDP: Bool) {
        cluster.udp = udp ?? cluster.udp
        if isUDP, let healthCheck { cluster.healthCheck.active = .init(datagrams: healthCheck) }
        if let dns {
            cluster.dns.servers = dns.texts("servers").map(\.value)
            cluster.dns.refreshInterval =
                dns.duration("refreshInterval")?.value ?? cluster.dns.refreshInterval
            cluster.dns.ttlMin = dns.duration("minTTL")?.value
            cluster.dns.ttlMax = dns.duration("maxTTL")?.value
            cluster.dns.staleMax = dns.duration("staleMax")?.value
            cluster.dns.ttlNegative = dns.duration("negativeTTL")?.value
            cluster.dns.jitterPercent =
                dns.number("jitterPercent")?.value ?? cluster.dns.jitterPercent
        }
        if let tiers {
            var plan = cluster.tierChange
            let each = tiers.numbers("failoverBelowPercents").map { UInt32($0) }
            let all: UInt32? = tiers.number("failoverBelowPercent")?.value
            plan.failoverBelowPercents =
                all.map { [$0] } ?? (each.isEmpty ? plan.failoverBelowPercents : each)
            plan.failbackAfterMilliseconds = tiers.duration("failbackAfter")?.value ?? 0
            plan.drainsOnFailback = tiers.text("failback")?.value == "Drain"
            plan.failbackPerSecond = tiers.number("failbackPerSecond")?.value
            cluster.tierChange = plan
        }
        if let connections {
            cluster.departure = DeparturePlan(
                endsConnections: connections.text("onEndpointDown")?.value == "End",
                perSecond: connections.number("endPerSecond")?.value)
        }
        if let limits {
            var plan = SourceLimitPlan()
            plan.connectionsMax = limits.number("connectionsPerSourceMax")?.value
            plan.connectionsPerSecond = limits.number("newConnectionsPerSecondPerSource")?.value
            plan.prefixBitsIPv4 = limits.number("sourcePrefixIPv4")?.value ?? plan.prefixBitsIPv4
            plan.prefixBitsIPv6 = limits.number("sourcePrefixIPv6")?.value ?? plan.prefixBitsIPv6
            cluster.sourceLimit = plan
        }
    }
}
