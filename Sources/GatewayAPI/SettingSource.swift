import Manifest

/// An object that settings of the plan may come from, and which of its fields they are. Made by
/// `Explainer` for one answer.
struct SettingSource {
    /// A value, and the object that says it.
    struct Written {
        let object: ObjectIdentity
        /// `spec`, or an item of a list in it.
        let root: String
        let origin: Origin
    }

    /// Names of the plan, and the fields that give them; whatever is below one is below the other.
    typealias Table = [String: [String]]

    private let table: Table
    private let written: [Written]

    init(_ table: Table, _ written: [Written]) {
        self.table = table
        self.written = written
    }

    /// - Parameter name: without the part of the plan that it is in.
    func origin(of name: String, value: String) -> Explanation.Setting.Origin? {
        var key = name
        while table[key] == nil {
            guard let end = key.lastIndex(where: { $0 == "." || $0 == "[" }) else { return nil }
            key = String(key[..<end])
        }
        // An item of a list comes from the item at the same place.
        let rest = name.dropFirst(key.count)
        let item = rest.hasPrefix("[") ? rest.prefix { $0 != "]" } + "]" : ""
        for path in table[key] ?? [] {
            let found = written.filter { Self.path($0.origin.path, isWithin: path + item) }
            // Of several, as of the caps of UDP, one gives the value as it is.
            guard let best = found.first(where: { $0.origin.value == value }) ?? found.first
            else { continue }
            return Explanation.Setting.Origin(
                object: best.object, path: "\(best.root).\(best.origin.path)",
                place: best.origin.place)
        }
        return nil
    }

    private static func path(_ path: String, isWithin whole: String) -> Bool {
        guard path.hasPrefix(whole) else { return false }
        let next = path.dropFirst(whole.count).first
        return next == nil || next == "." || next == "["
    }
}

// MARK: - Which field gives which setting

extension SettingSource {
    /// ClientTrafficPolicy to `TCPListenerPlan`.
    static let ofListener: Table = [
        "proxyHeader": ["proxyProtocol", "enableProxyProtocol"],
        "inspectionTimeoutMilliseconds": ["timeout.tcp.connectionInspectionTimeout"],
        "idleTimeoutMilliseconds": ["timeout.tcp.idleTimeout"],
        "connectionsMax": ["connection.connectionLimit.value"],
        "closeDelayMilliseconds": ["connection.connectionLimit.closeDelay"],
        "connectionDurationMaxMilliseconds": ["connection.connectionLimit.maxConnectionDuration"],
        "bufferBytesMax": ["connection.bufferLimit"],
        "acceptsPerEventMax": ["connection.maxAcceptPerSocketEvent"],
        "keepalive.probes": ["tcpKeepalive.probes"],
        "keepalive.idleSeconds": ["tcpKeepalive.idleTime"],
        "keepalive.intervalSeconds": ["tcpKeepalive.interval"],
        "handshakeTimeoutMilliseconds": ["timeout.tcp.tlsHandshakeTimeout"],
    ]

    /// EndpointPolicy to `UDPListenerPlan`. Nobody has more flows than all have together.
    static let ofDatagrams: Table = [
        "flowsMax": ["udp.flowsMax"],
        "flowsPerSourceMax": ["udp.flowsPerSourceMax", "udp.flowsMax"],
    ]

    /// ClientTrafficPolicy to `HTTPListenerPlan`.
    static let ofHTTP: Table = [
        "requestReceivedTimeout": ["timeout.http.requestReceivedTimeout"],
        "headersReceivedTimeout": ["timeout.http.requestHeadersReceivedTimeout"],
        "idleTimeout": ["timeout.http.idleTimeout"],
        "streamIdleTimeout": ["timeout.http.streamIdleTimeout"],
        "requestsPerConnectionMax": ["connection.connectionLimit.maxRequestsPerConnection"],
        "streamDurationMax": ["connection.connectionLimit.maxStreamDuration"],
        "headerBytesMax": ["headers.maxRequestHeaderLimit"],
        "underscores": ["headers.withUnderscoresAction"],
        "escapedSlashes": ["path.escapedSlashesAction"],
        "mergesSlashes": ["path.disableMergeSlashes"],
        "clientAddress": ["clientIPDetection"],
        "http2.streamWindowBytes": ["http2.initialStreamWindowSize"],
        "http2.connectionWindowBytes": ["http2.initialConnectionWindowSize"],
        "http2.streamsMax": ["http2.maxConcurrentStreams"],
        "healthPath": ["healthCheck.path"],
    ]

    /// ClientTrafficPolicy to `TLSTerminationPlan`.
    static let ofTLS: Table = [
        "settings.versionMin": ["tls.minVersion"],
        "settings.versionMax": ["tls.maxVersion"],
        "settings.ciphers": ["tls.ciphers"],
        "settings.curves": ["tls.ecdhCurves"],
        "settings.signatureAlgorithms": ["tls.signatureAlgorithms"],
        "alpnProtocols": ["tls.alpnProtocols"],
        "clientAuthorities": ["tls.clientValidation.caCertificateRefs"],
        "clientValidation": ["tls.clientValidation"],
        "clientRules": ["tls.clientValidation"],
        "resumesByTicket": ["tls.session.resumption.stateless"],
        "resumesByIdentifier": ["tls.session.resumption.stateful"],
    ]

    /// Gateway to `TLSTerminationPlan`.
    static let ofGatewayTLS: Table = [
        "certificates": ["tls.certificateRefs"],
        "clientAuthorities": ["tls.frontend"], "clientValidation": ["tls.frontend"],
    ]

    /// BackendTrafficPolicy to `ClusterPlan`, for datagrams as well.
    static let ofBalancing: Table = [
        "loadBalancer.kind": ["loadBalancer.consistentHash", "loadBalancer.type"],
        "loadBalancer.tableSize": ["loadBalancer.consistentHash.tableSize"],
        "loadBalancer.slowStartMilliseconds": ["loadBalancer.slowStart"],
        "loadBalancer.zones.weights": ["loadBalancer.zoneAware.weightedZones"],
        "loadBalancer.zones.endpointsMin": [
            "loadBalancer.zoneAware.preferLocal.minEndpointsThreshold"
        ],
        "loadBalancer.zones.forcedFrom": ["loadBalancer.zoneAware.preferLocal.force"],
        "loadBalancer.zones.percent": ["loadBalancer.zoneAware.preferLocal.percentageEnabled"],
        "healthCheck.panicPercent": ["healthCheck.panicThreshold"],
        "healthCheck.active.probe": [
            "healthCheck.active.http", "healthCheck.active.tcp", "healthCheck.active.grpc",
            "healthCheck.active.type",
        ],
        "healthCheck.active.probe.http.host": ["healthCheck.active.http.hostname"],
        "healthCheck.active.probe.http.path": ["healthCheck.active.http.path"],
        "healthCheck.active.probe.http.method": ["healthCheck.active.http.method"],
        "healthCheck.active.probe.http.statuses": ["healthCheck.active.http.expectedStatuses"],
        "healthCheck.active.probe.http.retriableStatuses": [
            "healthCheck.active.http.retriableStatuses"
        ],
        "healthCheck.active.probe.http.expectedBody": [
            "healthCheck.active.http.expectedResponse.text",
            "healthCheck.active.http.expectedResponse.binary",
        ],
        "healthCheck.active.probe.http.body": [
            "healthCheck.active.http.requestBody.text",
            "healthCheck.active.http.requestBody.binary",
        ],
        "healthCheck.active.probe.tcp.send": [
            "healthCheck.active.tcp.send.text", "healthCheck.active.tcp.send.binary",
        ],
        "healthCheck.active.probe.tcp.expect": [
            "healthCheck.active.tcp.receive.text", "healthCheck.active.tcp.receive.binary",
        ],
        "healthCheck.active.timeout": ["healthCheck.active.timeout"],
        "healthCheck.active.interval": ["healthCheck.active.interval"],
        "healthCheck.active.initialJitter": ["healthCheck.active.initialJitter"],
        "healthCheck.active.unhealthyThreshold": ["healthCheck.active.unhealthyThreshold"],
        "healthCheck.active.healthyThreshold": ["healthCheck.active.healthyThreshold"],
        "healthCheck.active.port": ["healthCheck.active.overrides.port"],
        "healthCheck.passive.interval": ["healthCheck.passive.interval"],
        "healthCheck.passive.localFailures": ["healthCheck.passive.consecutiveLocalOriginFailures"],
        "healthCheck.passive.splitsLocalFailures": [
            "healthCheck.passive.splitExternalLocalOriginErrors"
        ],
        "healthCheck.passive.gatewayErrors": ["healthCheck.passive.consecutiveGatewayErrors"],
        "healthCheck.passive.serverErrors": ["healthCheck.passive.consecutive5XxErrors"],
        "healthCheck.passive.ejectionTime": ["healthCheck.passive.baseEjectionTime"],
        "healthCheck.passive.ejectionPercentMax": ["healthCheck.passive.maxEjectionPercent"],
        "healthCheck.passive.failurePercent": ["healthCheck.passive.failurePercentageThreshold"],
        "healthCheck.passive.alwaysEjectsOne": ["healthCheck.passive.alwaysEjectOneEndpoint"],
        "dns.family": ["dns.lookupFamily"],
        "dns.refreshInterval": ["dns.dnsRefreshRate"],
        "dns.respectsTTL": ["dns.respectDnsTtl"],
    ]

    /// BackendTrafficPolicy to `ClusterPlan`, for connections.
    static let ofCluster: Table = ofBalancing.merging([
        "connectTimeoutMilliseconds": ["timeout.tcp.connectTimeout"],
        "proxyHeader": ["proxyProtocol"],
        "keepalive.probes": ["tcpKeepalive.probes"],
        "keepalive.idleSeconds": ["tcpKeepalive.idleTime"],
        "keepalive.intervalSeconds": ["tcpKeepalive.interval"],
        "circuitBreaker.connectionsMax": ["circuitBreaker.maxConnections"],
        "circuitBreaker.pendingRequestsMax": ["circuitBreaker.maxPendingRequests"],
        "circuitBreaker.requestsMax": ["circuitBreaker.maxParallelRequests"],
        "circuitBreaker.retriesMax": ["circuitBreaker.maxParallelRetries"],
        "circuitBreaker.retryBudget.numerator": ["circuitBreaker.retryBudget.percent.numerator"],
        "circuitBreaker.retryBudget.denominator": [
            "circuitBreaker.retryBudget.percent.denominator"
        ],
        "circuitBreaker.retryBudget.countMin": ["circuitBreaker.retryBudget.minRetryConcurrency"],
        "circuitBreaker.requestsPerConnectionMax": ["circuitBreaker.maxRequestsPerConnection"],
        "circuitBreaker.connectionsPerEndpointMax": ["circuitBreaker.perEndpoint.maxConnections"],
        "bufferBytesMax": ["connection.bufferLimit"],
        "connectionIdleTimeout": ["timeout.http.connectionIdleTimeout"],
        "connectionDurationMax": ["timeout.http.maxConnectionDuration"],
        "http2.streamWindowBytes": ["http2.initialStreamWindowSize"],
        "http2.connectionWindowBytes": ["http2.initialConnectionWindowSize"],
        "http2.streamsMax": ["http2.maxConcurrentStreams"],
    ]) { first, _ in first }

    /// EndpointPolicy to `ClusterPlan`.
    static let ofEndpoints: Table = [
        "udp.idleTimeoutMilliseconds": ["udp.idleTimeout"],
        "udp.expectedResponses": ["udp.expectedResponses"],
        "dns.servers": ["dns.servers"],
        "dns.refreshInterval": ["dns.refreshInterval"],
        "dns.ttlMin": ["dns.minTTL"],
        "dns.ttlMax": ["dns.maxTTL"],
        "dns.staleMax": ["dns.staleMax"],
        "dns.ttlNegative": ["dns.negativeTTL"],
        "dns.jitterPercent": ["dns.jitterPercent"],
        "tierChange.failoverBelowPercents": [
            "tiers.failoverBelowPercent", "tiers.failoverBelowPercents",
        ],
        "tierChange.failbackAfterMilliseconds": ["tiers.failbackAfter"],
        "tierChange.drainsOnFailback": ["tiers.failback"],
        "tierChange.failbackPerSecond": ["tiers.failbackPerSecond"],
        "departure.endsConnections": ["connections.onEndpointDown"],
        "departure.perSecond": ["connections.endPerSecond"],
        "healthCheck.active.probe": ["healthCheck.udp"],
        "healthCheck.active.probe.udp.send": [
            "healthCheck.udp.send.text", "healthCheck.udp.send.binary",
        ],
        "healthCheck.active.probe.udp.expect": [
            "healthCheck.udp.expect.text", "healthCheck.udp.expect.binary",
        ],
        "healthCheck.active.timeout": ["healthCheck.timeout"],
        "healthCheck.active.interval": ["healthCheck.interval"],
        "healthCheck.active.initialJitter": ["healthCheck.initialJitter"],
        "healthCheck.active.unhealthyThreshold": ["healthCheck.unhealthyThreshold"],
        "healthCheck.active.healthyThreshold": ["healthCheck.healthyThreshold"],
        "sourceLimit.connectionsMax": ["limits.connectionsPerSourceMax"],
        "sourceLimit.connectionsPerSecond": ["limits.newConnectionsPerSecondPerSource"],
        "sourceLimit.prefixBitsIPv4": ["limits.sourcePrefixIPv4"],
        "sourceLimit.prefixBitsIPv6": ["limits.sourcePrefixIPv6"],
    ]

    /// Backend to `ClusterPlan`.
    static let ofBackend: Table = ["framing": ["appProtocol(s)"], "isDynamic": ["type"]]

    /// HTTPRoute or GRPCRoute to `HTTPRulePlan`.
    static let ofRule: Table = [
        "timeouts.request": ["timeouts.request"],
        "timeouts.backendRequest": ["timeouts.backendRequest"],
        "retry.attemptsMax": ["retry.attempts"],
        "retry.statuses": ["retry.codes"],
        "retry.backOff": ["retry.backoff"],
        "filters": ["filters"],
    ]

    /// BackendTrafficPolicy to the time-outs of `HTTPRulePlan`.
    static let ofTimeouts: Table = [
        "timeouts.request": ["timeout.http.requestTimeout"],
        "timeouts.streamIdle": ["timeout.http.streamIdleTimeout"],
        "timeouts.streamDurationMax": ["timeout.http.maxStreamDuration"],
    ]

    /// BackendTrafficPolicy to `RetryPlan`, where the route has none.
    static let ofRetry: Table = [
        "retry.attemptsMax": ["retry.numRetries"],
        "retry.attemptsPerTier": ["retry.numAttemptsPerPriority"],
        "retry.triggers": ["retry.retryOn.triggers"],
        "retry.statuses": ["retry.retryOn.httpStatusCodes"],
        "retry.attemptTimeout": ["retry.perRetry.timeout"],
        "retry.backOff": ["retry.perRetry.backOff.baseInterval"],
        "retry.backOffMax": ["retry.perRetry.backOff.maxInterval"],
    ]
}
