/// The rule of a TCPRoute or UDPRoute: backends, each with its share.
public struct RoutePlan: Hashable, Sendable {
    /// `Kind/namespace/name`, as in `TCPRoute/default/echo`.
    public var name: String
    public var backends: [WeightedBackend]
    /// Who may connect (SecurityPolicy of the route); nil = everybody.
    public var authorization: AuthorizationPlan?
    /// Of an HTTP rule: who gets copies of its requests.
    public var mirrors: [HTTPFilter.Mirror] = []

    public init(
        name: String, backends: [WeightedBackend], authorization: AuthorizationPlan? = nil
    ) {
        self.name = name
        self.backends = backends
        self.authorization = authorization
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
