import Manifest
import Routing

/// What a BackendTrafficPolicy (gateway.envoyproxy.io/v1alpha1) says of the way to the backends.
struct TrafficSettings {
    private(set) var loadBalancer: LoadBalancerPlan?
    private(set) var healthCheck: HealthCheckPlan?
    private(set) var circuitBreaker = CircuitBreakerPlan()
    private(set) var dns: DNSPlan?
    private(set) var retry: RetryPlan?
    private(set) var proxyHeader = ClusterPlan.ProxyHeader.none
    private(set) var keepalive: TCPKeepalive?
    private(set) var connectTimeoutMilliseconds: UInt32?
    private(set) var bufferBytesMax: UInt32?
    private(set) var http2: HTTP2Plan?
    private(set) var timeouts = HTTPTimeouts()
    private(set) var connectionIdleTimeout: UInt32?
    private(set) var connectionDurationMax: UInt32?

    init(_ spec: Fields) throws(PolicyFault) {
        loadBalancer = try LoadBalancerPlan(spec.mapping("loadBalancer"))
        healthCheck = try HealthCheckPlan(spec.mapping("healthCheck"))
        if let fields = spec.mapping("circuitBreaker") { circuitBreaker = .init(fields) }
        dns = try DNSPlan(spec.mapping("dns"))
        retry = try RetryPlan(spec.mapping("retry"))
        switch spec.mapping("proxyProtocol")?.text("version")?.value {
        case "V1": proxyHeader = .v1
        case "V2": proxyHeader = .v2
        default: break
        }
        keepalive = try spec.keepalive()
        bufferBytesMax = try spec.mapping("connection")?.bytes("bufferLimit")
        http2 = try HTTP2Plan(spec.mapping("http2"))
        let timeout = spec.mapping("timeout")
        connectTimeoutMilliseconds = try timeout?.mapping("tcp")?.positiveDuration("connectTimeout")
        guard let http = timeout?.mapping("http") else { return }
        timeouts.request = http.duration("requestTimeout")?.value
        timeouts.streamIdle = http.duration("streamIdleTimeout")?.value
        timeouts.streamDurationMax = http.duration("maxStreamDuration")?.value
        connectionIdleTimeout = http.duration("connectionIdleTimeout")?.value
        connectionDurationMax = http.duration("maxConnectionDuration")?.value
    }

    /// - Parameter isUDP: Envoy Gateway applies nothing but loadBalancer and dns then; health is
    ///   looked at here too.
    func apply(to cluster: inout ClusterPlan, isUDP: Bool) {
        cluster.loadBalancer = loadBalancer ?? cluster.loadBalancer
        cluster.healthCheck = healthCheck ?? cluster.healthCheck
        cluster.dns = dns ?? cluster.dns
        guard !isUDP else { return }
        cluster.circuitBreaker = circuitBreaker
        cluster.proxyHeader = proxyHeader
        cluster.keepalive = keepalive
        cluster.connectTimeoutMilliseconds =
            connectTimeoutMilliseconds ?? cluster.connectTimeoutMilliseconds
        cluster.bufferBytesMax = bufferBytesMax
        cluster.http2 = http2 ?? cluster.http2
        cluster.connectionIdleTimeout = connectionIdleTimeout ?? cluster.connectionIdleTimeout
        cluster.connectionDurationMax = connectionDurationMax
    }

    /// A route's own time-outs go before the policy's.
    func apply(to own: inout HTTPTimeouts) {
        own.request = own.request ?? timeouts.request
        own.streamIdle = timeouts.streamIdle
        own.streamDurationMax = timeouts.streamDurationMax
    }
}

extension LoadBalancerPlan {
    init?(_ fields: Fields?) throws(PolicyFault) {
        guard let fields else { return nil }
        self.init()
        switch fields.text("type")?.value {
        case "LeastRequest": kind = .leastRequest
        case "Random": kind = .random
        case "ConsistentHash":
            guard let hash = fields.mapping("consistentHash") else { return }
            kind = .consistentHash(try HashKey(hash))
            guard let size: Located<UInt32> = hash.number("tableSize") else { break }
            guard Maglev.isSize(size.value) else {
                throw PolicyFault(hash, "tableSize", "\(size.value) is no prime number")
            }
            tableSize = size.value
        default: kind = .roundRobin
        }
        slowStartMilliseconds = fields.mapping("slowStart")?.duration("window")?.value
        zones = fields.mapping("zoneAware").map(ZonePlan.init)
    }
}

extension ZonePlan {
    init(_ fields: Fields) {
        self.init()
        weights = fields.mappings("weightedZones").compactMap { item in
            guard let zone = item.text("zone"), let weight: Located<UInt32> = item.number("weight")
            else { return nil }
            return Weight(zone.value, weight.value)
        }
        guard let local = fields.mapping("preferLocal") else { return }
        endpointsMin = local.number("minEndpointsThreshold")?.value ?? endpointsMin
        percent = local.number("percentageEnabled")?.value ?? percent
        if let force = local.mapping("force") {
            forcedFrom = force.number("minEndpointsInZoneThreshold")?.value ?? 1
        }
    }
}

extension LoadBalancerPlan.HashKey {
    init(_ fields: Fields) throws(PolicyFault) {
        switch fields.text("type")?.value {
        case "Header":
            self = .headers([fields.mapping("header")?.text("name")?.value.lowercased() ?? ""])
        case "Headers":
            self = .headers(
                fields.mappings("headers").compactMap { $0.text("name")?.value.lowercased() })
        case "Cookie":
            guard let cookie = fields.mapping("cookie") else {
                self = .sourceAddress
                return
            }
            let name = cookie.text("name")?.value ?? ""
            guard name.isToken else {
                throw PolicyFault(cookie, "name", "\(name) is no name of a cookie")
            }
            self = .cookie(
                name: name,
                ttlSeconds: (cookie.duration("ttl")?.value).map { $0 / 1_000 },
                attributes: try Self.attributes(cookie))
        case "QueryParams":
            self = .queryParameters(
                fields.mappings("queryParams").compactMap { $0.text("name")?.value })
        default: self = .sourceAddress
        }
    }

    /// As they are sent, by name (RFC 6265 section 4.1.1).
    private static func attributes(_ cookie: Fields) throws(PolicyFault) -> [String] {
        guard let fields = cookie.mapping("attributes") else { return [] }
        var attributes: [String] = []
        for (name, value) in fields.texts.sorted(by: { $0.key < $1.key }) {
            let text = value.isEmpty ? name : "\(name)=\(value)"
            let isSendable = text.utf8.allSatisfy {
                0x20...0x7e ~= $0 && $0 != UInt8(ascii: ";")
            }
            guard isSendable, name.isToken else {
                throw PolicyFault(fields, name, "cannot be sent as an attribute of a cookie")
            }
            attributes.append(text)
        }
        return attributes
    }
}

extension CircuitBreakerPlan {
    init(_ fields: Fields) {
        self.init()
        connectionsMax = fields.number("maxConnections")?.value
        pendingRequestsMax = fields.number("maxPendingRequests")?.value
        requestsMax = fields.number("maxParallelRequests")?.value
        retriesMax = fields.number("maxParallelRetries")?.value
        retryBudget = fields.mapping("retryBudget").map(RetryBudget.init)
        requestsPerConnectionMax = fields.number("maxRequestsPerConnection")?.value
        connectionsPerEndpointMax = fields.mapping("perEndpoint")?.number("maxConnections")?.value
    }
}

extension CircuitBreakerPlan.RetryBudget {
    init(_ fields: Fields) {
        let percent = fields.mapping("percent")
        self.init(
            numerator: percent?.number("numerator")?.value ?? 0,
            denominator: max(1, percent?.number("denominator")?.value ?? 100))
        // Envoy Gateway's CRD takes numbers below 0 too.
        let least: Located<Int32>? = fields.number("minRetryConcurrency")
        countMin = least.map { UInt32(max(0, $0.value)) } ?? countMin
    }
}

extension DNSPlan {
    init?(_ fields: Fields?) throws(PolicyFault) {
        guard let fields else { return nil }
        self.init()
        refreshInterval = try fields.positiveDuration("dnsRefreshRate") ?? refreshInterval
        respectsTTL = fields.boolean("respectDnsTtl")?.value ?? respectsTTL
        family = fields.text("lookupFamily").flatMap { Family(rawValue: $0.value) } ?? family
    }
}

extension RetryPlan {
    init?(_ fields: Fields?) throws(PolicyFault) {
        guard let fields else { return nil }
        self.init()
        attemptsMax = fields.number("numRetries")?.value ?? attemptsMax
        attemptsPerTier = fields.number("numAttemptsPerPriority")?.value
        let on = fields.mapping("retryOn")
        triggers =
            on?.texts("triggers").map(\.value) ?? [
                "connect-failure", "refused-stream", "unavailable", "cancelled",
                "retriable-status-codes",
            ]
        statuses = on?.numbers("httpStatusCodes") ?? [503]
        let attempt = fields.mapping("perRetry")
        attemptTimeout = attempt?.duration("timeout")?.value
        guard let backOff = attempt?.mapping("backOff") else { return }
        self.backOff = try backOff.positiveDuration("baseInterval") ?? self.backOff
        backOffMax = backOff.duration("maxInterval")?.value
        if let most = backOffMax, most < self.backOff {
            throw PolicyFault(backOff, "maxInterval", "is less than baseInterval")
        }
    }
}

extension HTTP2Plan {
    init?(_ fields: Fields?) throws(PolicyFault) {
        guard let fields else { return nil }
        self.init()
        streamWindowBytes = try fields.window("initialStreamWindowSize") ?? streamWindowBytes
        connectionWindowBytes =
            try fields.window("initialConnectionWindowSize") ?? connectionWindowBytes
        streamsMax = fields.number("maxConcurrentStreams")?.value ?? streamsMax
    }
}

extension Fields {
    /// A flow control window (RFC 9113 section 6.9.2).
    fileprivate func window(_ name: String) throws(PolicyFault) -> UInt32? {
        guard let bytes = try bytes(name) else { return nil }
        guard (65_535...0x7fff_ffff).contains(bytes) else {
            throw PolicyFault(self, name, "\(bytes) is outside 65535 to 2147483647")
        }
        return bytes
    }

    /// The items that are numbers.
    func numbers(_ name: String) -> [UInt16] {
        texts(name).compactMap { UInt16($0.value) }
    }
}
