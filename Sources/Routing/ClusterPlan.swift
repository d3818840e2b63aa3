import Primitives

/// Where an endpoint is, and what is particular about it (Backend `spec.endpoints[]`).
public struct EndpointPlan: Hashable, Sendable {
    public enum Target: Hashable, Sendable {
        case address(SocketAddress)
        /// A name to resolve.
        case name(String, port: UInt16)
        /// An SRV record, as in `_ldap._tcp.example.com` (RFC 2782): names, ports, weights, tiers.
        case service(String)
    }

    public var target: Target
    /// Instead of the target's own name in Host, SNI and health checks
    /// (`spec.endpoints[].hostname`).
    public var hostname: String?
    public var zone: String?
    public var tls: UpstreamTLSPlan?

    public init(
        _ target: Target, hostname: String? = nil, zone: String? = nil, tls: UpstreamTLSPlan? = nil
    ) {
        self.target = target
        self.hostname = hostname
        self.zone = zone
        self.tls = tls
    }

    /// Whom its certificate has to be for, and who is asked for (SNI), where `tls` names nobody:
    /// its host name, for a service the domain that was looked up (RFC 6125 section 6.2.1), or else
    /// its IP address; nil = it has none of these.
    public var tlsName: String? {
        if let hostname { return hostname }
        switch target {
        case .name(let name, _): return name
        case .service(let name):
            let labels = name.split(separator: ".").drop { $0.hasPrefix("_") }
            return labels.joined(separator: ".")
        case .address(.ip(let address, _)): return address.description
        case .address(.unix): return nil
        }
    }
}

/// The endpoints of one Backend as one route reaches them, with the route's policy.
public struct ClusterPlan: Hashable, Sendable {
    /// A PROXY protocol header to send first (BackendTrafficPolicy `spec.proxyProtocol.version`).
    public enum ProxyHeader: Hashable, Sendable { case none, v1, v2 }

    /// What is spoken with the endpoints (Backend `spec.appProtocol`, `spec.appProtocols`).
    public enum Framing: Hashable, Sendable { case opaque, http1, http2, websocket }

    /// `namespace/name` of the Backend or Service.
    public var name: String
    /// `Kind/namespace/name` of the route.
    public var route: String
    /// The first tier serves; those after it when it cannot. Tiers may be empty, as while names are
    /// not resolved: the cluster's share is then refused.
    public var tiers: [[EndpointPlan]]
    /// The client names the endpoint, by SNI or Host (Backend `type: DynamicResolver`).
    public var isDynamic = false
    public var framing = Framing.opaque
    /// UDP: nothing is sent to endpoints for TLS, which is no protocol for it.
    public var carriesDatagrams = false
    /// For all attempts of one client together (`spec.timeout.tcp.connectTimeout`).
    public var connectTimeoutMilliseconds: UInt32
    public var proxyHeader: ProxyHeader
    public var keepalive: TCPKeepalive?
    public var udp: UDPFlowPlan
    public var loadBalancer = LoadBalancerPlan()
    public var healthCheck = HealthCheckPlan()
    public var circuitBreaker = CircuitBreakerPlan()
    public var dns = DNSPlan()
    public var tierChange = TierPlan()
    public var departure = DeparturePlan()
    public var sourceLimit = SourceLimitPlan()
    /// What may be held of one connection, in bytes (`spec.connection.bufferLimit`).
    public var bufferBytesMax: UInt32?
    /// Milliseconds (`spec.timeout.http.connectionIdleTimeout`).
    public var connectionIdleTimeout: UInt32 = 3_600_000
    /// Milliseconds (`spec.timeout.http.maxConnectionDuration`).
    public var connectionDurationMax: UInt32?
    public var http2 = HTTP2Plan()

    public static let connectTimeoutMillisecondsDefault: UInt32 = 10_000

    public init(
        name: String, route: String, tiers: [[EndpointPlan]],
        connectTimeoutMilliseconds: UInt32 = connectTimeoutMillisecondsDefault,
        proxyHeader: ProxyHeader = .none,
        keepalive: TCPKeepalive? = nil,
        udp: UDPFlowPlan = UDPFlowPlan()
    ) {
        self.name = name
        self.route = route
        self.tiers = tiers
        self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        self.proxyHeader = proxyHeader
        self.keepalive = keepalive
        self.udp = udp
    }

    public init(
        name: String, route: String, endpoints: [SocketAddress],
        connectTimeoutMilliseconds: UInt32 = connectTimeoutMillisecondsDefault,
        proxyHeader: ProxyHeader = .none,
        keepalive: TCPKeepalive? = nil,
        udp: UDPFlowPlan = UDPFlowPlan()
    ) {
        self.init(
            name: name, route: route, tiers: [endpoints.map { EndpointPlan(.address($0)) }],
            connectTimeoutMilliseconds: connectTimeoutMilliseconds, proxyHeader: proxyHeader,
            keepalive: keepalive, udp: udp)
    }
}
