import Manifest
import Routing

/// A BackendTrafficPolicy (gateway.envoyproxy.io/v1alpha1): how routes reach their backends.
struct BackendTrafficPolicy: Sendable {
    let metadata: Metadata
    let targets: [PolicyTarget]
    let connectTimeoutMilliseconds: UInt32
    let proxyHeader: ClusterPlan.ProxyHeader
    let keepalive: TCPKeepalive?

    static let targetKinds = [
        "Gateway", "ListenerSet", "HTTPRoute", "GRPCRoute", "TCPRoute", "UDPRoute", "TLSRoute",
    ]

    /// Of the real kind, and without effect in this version.
    static let fieldsNotServed = [
        "admissionControl", "bandwidthLimit", "circuitBreaker", "compression", "compressor",
        "connection", "dns", "faultInjection", "healthCheck", "http2", "httpUpgrade", "mergeType",
        "rateLimit", "requestBuffer", "responseOverride", "retry", "routingType", "telemetry",
        "useClientProtocol",
    ]
}

extension BackendTrafficPolicy {
    init(metadata: Metadata, spec: inout Fields) {
        self.metadata = metadata
        targets = spec.targets(group: Kind.gatewayGroup, kinds: Self.targetKinds)
        keepalive = spec.keepalive()
        var header = ClusterPlan.ProxyHeader.none
        if var proxy = spec.mapping("proxyProtocol") {
            if proxy.take("version") == nil { proxy.missing("version") }
            header = proxy.word("version", of: ["V1", "V2"])?.value == "V1" ? .v1 : .v2
            proxy.finish()
        }
        proxyHeader = header
        var connect = ClusterPlan.connectTimeoutMillisecondsDefault
        if var timeout = spec.mapping("timeout") {
            if var tcp = timeout.mapping("tcp") {
                connect = tcp.duration("connectTimeout", in: 1...UInt32.max)?.value ?? connect
                tcp.finish()
            }
            timeout.finish(later: ["http"])
        }
        connectTimeoutMilliseconds = connect
        Self.readLoadBalancer(&spec)
        spec.finish(later: Self.fieldsNotServed)
    }

    private static func readLoadBalancer(_ spec: inout Fields) {
        guard var fields = spec.mapping("loadBalancer") else { return }
        if fields.take("type") == nil { fields.missing("type") }
        let type = fields.word(
            "type",
            of: [
                "ConsistentHash", "LeastRequest", "Random", "RoundRobin", "BackendUtilization",
                "DynamicModule",
            ])
        if let type, type.value != "RoundRobin" {
            spec.log.notServed(
                at: type.place, path: fields.path(of: "type"),
                "\(type.value) is not served yet; the endpoints take turns (RoundRobin)")
        }
        fields.finish(later: [
            "backendUtilization", "consistentHash", "dynamicModule", "endpointOverride",
            "slowStart", "zoneAware",
        ])
    }
}
