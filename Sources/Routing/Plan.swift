import Primitives

/// What the data path does, decided beforehand: made by `translate()`, published to every worker,
/// never changed. Everything in it refers to other parts by index, so that a worker follows it
/// without a lookup.
public struct Plan: Hashable, Sendable {
    public var listeners: [ListenerPlan]
    public var clusters: [ClusterPlan]

    public init(listeners: [ListenerPlan] = [], clusters: [ClusterPlan] = []) {
        self.listeners = listeners
        self.clusters = clusters
    }
}

/// One listener of a Gateway, on one or more addresses.
public struct ListenerPlan: Hashable, Sendable {
    public enum Transport: Hashable, Sendable {
        case tcp(TCPListenerPlan)
        case udp(UDPListenerPlan)
    }

    /// `namespace/gateway/listener`.
    public var name: String
    /// Where it listens. `::` means every address of both families.
    public var addresses: [SocketAddress]
    public var transport: Transport
    /// Where its traffic goes; nil while no route is attached: connections are then refused.
    public var route: RoutePlan?

    public init(
        name: String, addresses: [SocketAddress], transport: Transport, route: RoutePlan? = nil
    ) {
        self.name = name
        self.addresses = addresses
        self.transport = transport
        self.route = route
    }
}

/// How a TCP listener treats its clients (ClientTrafficPolicy).
public struct TCPListenerPlan: Hashable, Sendable {
    /// Whether clients send a PROXY protocol header (ClientTrafficPolicy `spec.proxyProtocol`).
    public enum ProxyHeader: Hashable, Sendable { case none, optional, required }

    public var proxyHeader: ProxyHeader
    /// How long a client may take to send what must be read before it is forwarded, such as the
    /// PROXY header (`spec.timeout.tcp.connectionInspectionTimeout`).
    public var inspectionTimeoutMilliseconds: UInt32
    /// How long a connection may be silent both ways (`spec.timeout.tcp.idleTimeout`); 0 = for
    /// ever.
    public var idleTimeoutMilliseconds: UInt32
    /// `spec.connection.connectionLimit.value`; nil = no limit of its own.
    public var connectionsMax: UInt32?
    public var keepalive: TCPKeepalive?

    public static let inspectionTimeoutMillisecondsDefault: UInt32 = 15_000
    public static let idleTimeoutMillisecondsDefault: UInt32 = 3_600_000

    public init(
        proxyHeader: ProxyHeader = .none,
        inspectionTimeoutMilliseconds: UInt32 = inspectionTimeoutMillisecondsDefault,
        idleTimeoutMilliseconds: UInt32 = idleTimeoutMillisecondsDefault,
        connectionsMax: UInt32? = nil,
        keepalive: TCPKeepalive? = nil
    ) {
        self.proxyHeader = proxyHeader
        self.inspectionTimeoutMilliseconds = inspectionTimeoutMilliseconds
        self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
        self.connectionsMax = connectionsMax
        self.keepalive = keepalive
    }
}

/// How many flows a UDP listener keeps (EndpointPolicy `spec.udp`; where its backends have several
/// policies, the strictest of each).
public struct UDPListenerPlan: Hashable, Sendable {
    /// Flows at a time, per worker; the oldest idle one makes room.
    public var flowsMax: UInt32
    /// Flows at a time of one source address, per worker.
    public var flowsPerSourceMax: UInt32

    public static let flowsMaxDefault: UInt32 = 16_384
    public static let flowsPerSourceMaxDefault: UInt32 = 4_096

    public init(
        flowsMax: UInt32 = flowsMaxDefault, flowsPerSourceMax: UInt32 = flowsPerSourceMaxDefault
    ) {
        self.flowsMax = flowsMax
        self.flowsPerSourceMax = flowsPerSourceMax
    }
}

/// When a flow to a cluster ends (EndpointPolicy `spec.udp`, which targets the Backend). Only
/// clusters of UDPRoutes have flows.
public struct UDPFlowPlan: Hashable, Sendable {
    /// A flow without a datagram for so long is forgotten.
    public var idleTimeoutMilliseconds: UInt32
    /// A flow ends after so many answers to its last request (1 for DNS); nil = only by time-out.
    public var expectedResponses: UInt32?

    public static let idleTimeoutMillisecondsDefault: UInt32 = 60_000

    public init(
        idleTimeoutMilliseconds: UInt32 = idleTimeoutMillisecondsDefault,
        expectedResponses: UInt32? = nil
    ) {
        self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
        self.expectedResponses = expectedResponses
    }
}

/// `spec.tcpKeepalive` of ClientTrafficPolicy and BackendTrafficPolicy; nil = the system's default
/// (`tcp(7)`).
public struct TCPKeepalive: Hashable, Sendable {
    public var probes: UInt32?
    public var idleSeconds: UInt32?
    public var intervalSeconds: UInt32?

    public init(probes: UInt32? = nil, idleSeconds: UInt32? = nil, intervalSeconds: UInt32? = nil) {
        self.probes = probes
        self.idleSeconds = idleSeconds
        self.intervalSeconds = intervalSeconds
    }
}

/// The rule of a TCPRoute or UDPRoute: backends, each with its share.
public struct RoutePlan: Hashable, Sendable {
    /// `Kind/namespace/name`, as in `TCPRoute/default/echo`.
    public var name: String
    public var backends: [WeightedBackend]

    public init(name: String, backends: [WeightedBackend]) {
        self.name = name
        self.backends = backends
    }
}

/// One backendRef: so many parts of the traffic to one cluster.
public struct WeightedBackend: Hashable, Sendable {
    /// Index into `Plan.clusters`; nil: the reference is invalid, and its share is refused.
    public var cluster: Int?
    /// 0 to 1,000,000 (Gateway API, `BackendRef.weight`).
    public var weight: UInt32

    public init(cluster: Int?, weight: UInt32) {
        self.cluster = cluster
        self.weight = weight
    }
}

/// The endpoints of one Backend as one route reaches them, with the route's policy.
public struct ClusterPlan: Hashable, Sendable {
    /// A PROXY protocol header to send first (BackendTrafficPolicy `spec.proxyProtocol.version`).
    public enum ProxyHeader: Hashable, Sendable { case none, v1, v2 }

    /// `namespace/name` of the Backend.
    public var name: String
    /// `Kind/namespace/name` of the route.
    public var route: String
    /// May be empty, as while names are not resolved: the cluster's share is then refused.
    public var endpoints: [SocketAddress]
    /// For all attempts of one client together (`spec.timeout.tcp.connectTimeout`).
    public var connectTimeoutMilliseconds: UInt32
    public var proxyHeader: ProxyHeader
    public var keepalive: TCPKeepalive?
    public var udp: UDPFlowPlan

    public static let connectTimeoutMillisecondsDefault: UInt32 = 10_000

    public init(
        name: String, route: String, endpoints: [SocketAddress],
        connectTimeoutMilliseconds: UInt32 = connectTimeoutMillisecondsDefault,
        proxyHeader: ProxyHeader = .none,
        keepalive: TCPKeepalive? = nil,
        udp: UDPFlowPlan = UDPFlowPlan()
    ) {
        self.name = name
        self.route = route
        self.endpoints = endpoints
        self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        self.proxyHeader = proxyHeader
        self.keepalive = keepalive
        self.udp = udp
    }
}
