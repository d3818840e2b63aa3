/// How endpoints are chosen (BackendTrafficPolicy `spec.loadBalancer`).
public struct LoadBalancerPlan: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case roundRobin
        /// The one of two random endpoints that has fewer open requests.
        case leastRequest
        case random
        case consistentHash(HashKey)
    }

    /// What clients are told apart by.
    public enum HashKey: Hashable, Sendable {
        case sourceAddress
        /// Lowercase.
        case headers([String])
        /// A cookie of this name; one is made where it is missing and `ttlSeconds` is given, with
        /// attributes as they are sent (`SameSite=Strict`).
        case cookie(name: String, ttlSeconds: UInt32?, attributes: [String] = [])
        case queryParameters([String])
    }

    public var kind: Kind
    /// Entries of a Maglev table (`consistentHash.tableSize`), a prime number.
    public var tableSize: UInt32
    /// New endpoints get their share little by little (`slowStart.window`); nil = at once.
    public var slowStartMilliseconds: UInt32?
    /// nil = zones are not looked at.
    public var zones: ZonePlan?

    public static let tableSizeDefault: UInt32 = 65_537

    public init(
        kind: Kind = .roundRobin, tableSize: UInt32 = tableSizeDefault,
        slowStartMilliseconds: UInt32? = nil
    ) {
        self.kind = kind
        self.tableSize = tableSize
        self.slowStartMilliseconds = slowStartMilliseconds
    }
}

/// How the zones of endpoints matter (BackendTrafficPolicy `spec.loadBalancer.zoneAware`).
public struct ZonePlan: Hashable, Sendable {
    public struct Weight: Hashable, Sendable {
        public let zone: String
        public let weight: UInt32

        public init(_ zone: String, _ weight: UInt32) {
            self.zone = zone
            self.weight = weight
        }
    }

    /// Those that are not named have 1 (`weightedZones`); empty = the local zone is preferred.
    public var weights: [Weight] = []
    /// The local zone is preferred where there are so many endpoints
    /// (`preferLocal.minEndpointsThreshold`).
    public var endpointsMin: UInt32 = 6
    /// From so many local ones on all traffic stays in the zone
    /// (`preferLocal.force.minEndpointsInZoneThreshold`); nil = never by force.
    public var forcedFrom: UInt32?
    /// Of all traffic, so much in a hundred looks at zones (`preferLocal.percentageEnabled`).
    public var percent: UInt32 = 100

    public init() {}
}

extension ZonePlan.Weight: CustomStringConvertible {
    public var description: String { "\(zone): \(weight)" }
}

/// What becomes of connections whose endpoint is left out (EndpointPolicy `spec.connections`). UDP
/// flows always move on.
public struct DeparturePlan: Hashable, Sendable {
    /// False: they run to their end.
    public var endsConnections = false
    /// Of all workers; nil = all at once.
    public var perSecond: UInt32?

    public init(endsConnections: Bool = false, perSecond: UInt32? = nil) {
        self.endsConnections = endsConnections
        self.perSecond = perSecond
    }
}

/// How it is known which endpoints are well (BackendTrafficPolicy `spec.healthCheck`).
/// Milliseconds.
public struct HealthCheckPlan: Hashable, Sendable {
    public enum Probe: Hashable, Sendable {
        case tcp(send: [UInt8], expect: [UInt8])
        case http(HTTPProbe)
        /// `grpc.health.v1.Health/Check` of this service.
        case grpc(service: String)
        /// Well is who answers with what is expected; where nothing is, who does not refuse
        /// (ICMP port unreachable).
        case udp(send: [UInt8], expect: [UInt8])
    }

    public struct HTTPProbe: Hashable, Sendable {
        public var host: String?
        public var path: String
        public var method: String
        public var statuses: [UInt16]
        public var retriableStatuses: [UInt16]
        public var expectedBody: [UInt8]
        /// Of the request.
        public var body: [UInt8]

        public init(
            host: String? = nil, path: String, method: String = "GET", statuses: [UInt16] = [200],
            retriableStatuses: [UInt16] = [], expectedBody: [UInt8] = [], body: [UInt8] = []
        ) {
            self.host = host
            self.path = path
            self.method = method
            self.statuses = statuses
            self.retriableStatuses = retriableStatuses
            self.expectedBody = expectedBody
            self.body = body
        }
    }

    public struct Active: Hashable, Sendable {
        public var probe: Probe
        public var timeout: UInt32 = 1_000
        public var interval: UInt32 = 3_000
        public var initialJitter: UInt32 = 0
        public var unhealthyThreshold: UInt32 = 3
        public var healthyThreshold: UInt32 = 1
        /// Where it differs from the endpoint's (`overrides.port`).
        public var port: UInt16?

        public init(probe: Probe) { self.probe = probe }
    }

    /// Outlier detection: endpoints that fail are left out for a while.
    public struct Passive: Hashable, Sendable {
        public var interval: UInt32 = 3_000
        public var localFailures: UInt32 = 5
        public var splitsLocalFailures = false
        public var gatewayErrors: UInt32?
        public var serverErrors: UInt32 = 5
        public var ejectionTime: UInt32 = 30_000
        public var ejectionPercentMax: UInt32 = 10
        public var failurePercent: UInt32?
        public var alwaysEjectsOne = false

        public init() {}
    }

    public var active: Active?
    public var passive: Passive?
    /// Below so many healthy ones in a hundred, health is not looked at; 0 = it always is.
    public var panicPercent: UInt32 = 50

    public init(active: Active? = nil, passive: Passive? = nil) {
        self.active = active
        self.passive = passive
    }
}

/// What a cluster may have at a time (BackendTrafficPolicy `spec.circuitBreaker`); nil = no limit.
public struct CircuitBreakerPlan: Hashable, Sendable {
    /// How many of the requests at a time may be ones that are sent again.
    public struct RetryBudget: Hashable, Sendable {
        public var numerator: UInt32
        public var denominator: UInt32
        /// So many always may.
        public var countMin: UInt32

        public init(numerator: UInt32, denominator: UInt32 = 100, countMin: UInt32 = 3) {
            self.numerator = numerator
            self.denominator = denominator
            self.countMin = countMin
        }
    }

    public var connectionsMax: UInt32?
    public var pendingRequestsMax: UInt32?
    public var requestsMax: UInt32?
    public var retriesMax: UInt32?
    /// Instead of `retriesMax`.
    public var retryBudget: RetryBudget?
    public var requestsPerConnectionMax: UInt32?
    public var connectionsPerEndpointMax: UInt32?

    public init() {}
}

/// How names are resolved (BackendTrafficPolicy `spec.dns`, EndpointPolicy `spec.dns`).
/// Milliseconds.
public struct DNSPlan: Hashable, Sendable {
    public enum Family: String, Hashable, Sendable {
        case ipv4 = "IPv4"
        case ipv6 = "IPv6"
        case ipv4Preferred = "IPv4Preferred"
        case ipv6Preferred = "IPv6Preferred"
        case both = "IPv4AndIPv6"
    }

    public var family = Family.ipv4Preferred
    public var refreshInterval: UInt32 = 30_000
    public var respectsTTL = true
    public var ttlMin: UInt32?
    public var ttlMax: UInt32?
    /// How long the last good answer is used when there is no new one; nil = the resolver's.
    public var staleMax: UInt32?
    /// How long it is believed that there is no answer; nil = as the zone says, and at most the
    /// refresh interval.
    public var ttlNegative: UInt32?
    /// A name is asked for again up to so much in a hundred later than its answer runs out.
    public var jitterPercent: UInt32 = 10
    /// `address` or `address:port`; empty = the system's.
    public var servers: [String] = []

    public init() {}
}

/// When a request is sent again (BackendTrafficPolicy `spec.retry`, HTTPRoute `retry`).
/// Milliseconds.
public struct RetryPlan: Hashable, Sendable {
    public var attemptsMax: UInt32 = 2
    public var attemptsPerTier: UInt32?
    /// As in `connect-failure`.
    public var triggers: [String] = []
    public var statuses: [UInt16] = []
    public var attemptTimeout: UInt32?
    public var backOff: UInt32 = 25
    public var backOffMax: UInt32?

    public init() {}
}

/// When traffic leaves a tier of endpoints for the next, and how it comes back (EndpointPolicy
/// `spec.tiers`).
public struct TierPlan: Hashable, Sendable {
    /// Of each tier: below so many healthy ones in a hundred the next one takes part; 0 = only when
    /// all are down. The last counts for all tiers after it.
    public var failoverBelowPercents: [UInt32] = [failoverBelowPercentDefault]
    public var failbackAfterMilliseconds: UInt32 = 0
    /// Connections that live on a lower tier are ended when the upper one is back.
    public var drainsOnFailback = false
    public var failbackPerSecond: UInt32?

    /// Envoy's, whose overprovisioning factor is 1.4.
    public static let failoverBelowPercentDefault: UInt32 = 72

    public init() {}
}

/// What one client may have (EndpointPolicy `spec.limits`); nil = no limit. A source is a block of
/// so many bits.
public struct SourceLimitPlan: Hashable, Sendable {
    public var connectionsMax: UInt32?
    public var connectionsPerSecond: UInt32?
    public var prefixBitsIPv4: UInt8 = 32
    public var prefixBitsIPv6: UInt8 = 64

    public init() {}
}
