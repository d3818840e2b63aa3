import Manifest
import Routing

/// What this version's engine does of what a plan can say. What is written and not here is
/// understood, kept in the plan, and told by a condition `Programmed=False Pending`. Fields are
/// listed here when the engine learns them; an empty difference ends this type. A namespace.
enum EngineSupport {
    /// Paths within `spec` that are in force, with all that is below them.
    private static let servedFields: [Kind: [String]] = [
        .backendTrafficPolicy: [
            "circuitBreaker.maxConnections", "circuitBreaker.maxParallelRequests",
            "circuitBreaker.maxParallelRetries", "circuitBreaker.maxPendingRequests",
            "circuitBreaker.maxRequestsPerConnection",
            "circuitBreaker.perEndpoint.maxConnections", "circuitBreaker.retryBudget", "dns",
            "healthCheck.active",
            "healthCheck.panicThreshold",
            "healthCheck.passive.alwaysEjectOneEndpoint",
            "healthCheck.passive.baseEjectionTime", "healthCheck.passive.consecutive5XxErrors",
            "healthCheck.passive.consecutiveGatewayErrors",
            "healthCheck.passive.consecutiveLocalOriginFailures",
            // Who fails too often is left out at once, not at the next sweep.
            "healthCheck.passive.interval", "healthCheck.passive.maxEjectionPercent",
            "healthCheck.passive.splitExternalLocalOriginErrors",
            "http2.initialConnectionWindowSize", "http2.initialStreamWindowSize",
            "http2.maxConcurrentStreams",
            "loadBalancer.consistentHash", "loadBalancer.slowStart",
            "loadBalancer.zoneAware", "proxyProtocol", "retry.numRetries", "retry.perRetry",
            "retry.retryOn", "tcpKeepalive",
            "timeout.http.connectionIdleTimeout", "timeout.http.requestTimeout",
            "timeout.tcp.connectTimeout",
        ],
        .clientTrafficPolicy: [
            // Every accept is an event of its own here, so there is nothing to bound.
            "clientIPDetection", "connection.connectionLimit.maxRequestsPerConnection",
            "connection.connectionLimit.value", "connection.maxAcceptPerSocketEvent",
            "enableProxyProtocol", "headers.maxRequestHeaderLimit", "healthCheck",
            "http2.initialConnectionWindowSize", "http2.initialStreamWindowSize",
            "http2.maxConcurrentStreams",
            "headers.withUnderscoresAction", "path", "proxyProtocol", "tcpKeepalive",
            "timeout.http.idleTimeout", "timeout.http.requestHeadersReceivedTimeout",
            "timeout.http.requestReceivedTimeout",
            "timeout.http.streamIdleTimeout", "timeout.tcp.connectionInspectionTimeout",
            "timeout.tcp.idleTimeout",
            "timeout.tcp.tlsHandshakeTimeout", "tls.alpnProtocols", "tls.ciphers",
            "tls.clientValidation", "tls.ecdhCurves", "tls.maxVersion", "tls.minVersion",
            "tls.session", "tls.signatureAlgorithms",
        ],
        .securityPolicy: ["authorization", "cors"],
        .backendTLSPolicy: ["validation"],
        .endpointPolicy: ["connections", "dns", "healthCheck", "limits", "srv", "tiers", "udp"],
    ]

    /// Fields that are in force with these values only.
    private static let servedValues: [Kind: [String: [String]]] = [
        .backendTrafficPolicy: [
            "loadBalancer.type": ["ConsistentHash", "LeastRequest", "Random", "RoundRobin"]
        ]
    ]

    /// The fields of a policy that have no effect yet, as in `healthCheck.active`; sorted.
    static func unserved(_ policy: Policy) -> [String] {
        let served = servedFields[policy.kind] ?? []
        let values = servedValues[policy.kind] ?? [:]
        let missing = policy.spec.origins.filter { origin in
            !origin.isEmptyMapping && values[origin.path]?.contains(origin.value) != true
                && !served.contains { origin.path == $0 || origin.path.hasPrefix($0 + ".") }
        }
        // Two levels say enough: `circuitBreaker.maxConnections`, `healthCheck.active`.
        return Set(
            missing.map { origin in
                origin.path.split { $0 == "." || $0 == "[" }.prefix(2).joined(separator: ".")
            }
        ).sorted()
    }

    /// What of a route's rules has no effect yet; sorted.
    static func unserved(_ route: Route) -> [String] {
        var missing: Set<String> = []
        for rule in route.rules {
            for filter in rule.backends.flatMap(\.filters) {
                switch filter.effect {
                case .mirror, .plan(.mirror): missing.insert("RequestMirror of a backendRef")
                case .plan(.cors): missing.insert("CORS of a backendRef")
                case .plan(.requestHeaders), .plan(.responseHeaders), .plan(.redirect),
                    .plan(.rewrite), .plan(.respond), .extension, .unknown:
                    break
                }
            }
        }
        return missing.sorted()
    }

    /// What of a Backend has no effect yet; nil = all of it has.
    static func unserved(_ backend: Backend) -> String? {
        backend.isDynamicResolver ? "destinations that the client names" : nil
    }
}
