import Discovery
import Primitives
import Routing

/// A worker's own state for a cluster, of the plan it serves or of one before whose connections and
/// flows still need it. Owned by the worker's roster.
struct ClusterState {
    let plan: ClusterPlan
    /// Shared with the other workers.
    let endpoints: ClusterEndpoints
    let connectTicks: UInt64
    let flowIdleTicks: UInt64
    /// Of a connection that waits for the next exchange; 0 = for ever.
    let idleTicks: UInt64
    /// The plan has it, so that there may be more exchanges.
    var isPlanned = true
    /// Answers that a flow waits for after each request; 0 = it does not count them.
    let answersPerRequest: Int64
    /// Connections and flows that were led to it, listeners that lead to it, and one more while the
    /// plan has it.
    var references = 1
    /// What clients are told apart by, where that chooses the endpoint.
    private let hashKey: LoadBalancerPlan.HashKey?
    /// What clients get that have nothing to be told apart by; nil = nothing.
    let cookie: StickyCookie?
    private var turn: EndpointTurn

    /// - Parameter seed: another for each worker.
    init(_ plan: ClusterPlan, _ endpoints: ClusterEndpoints, seed: UInt64) {
        self.plan = plan
        self.endpoints = endpoints
        turn = EndpointTurn(seed: seed)
        if case .consistentHash(let key) = plan.loadBalancer.kind {
            (hashKey, cookie) = (key, StickyCookie(key))
        } else {
            (hashKey, cookie) = (nil, nil)
        }
        needsClients = hashKey == .sourceAddress || endpoints.limits?.countsSources == true
        connectTicks = max(1, Tick.count(milliseconds: plan.connectTimeoutMilliseconds))
        answersPerRequest = Int64(plan.udp.expectedResponses ?? 0)
        idleTicks = Tick.count(milliseconds: plan.connectionIdleTimeout)
        flowIdleTicks = max(1, Tick.count(milliseconds: plan.udp.idleTimeoutMilliseconds))
    }

    /// Whether it matters who a client is.
    let needsClients: Bool

    /// Who takes the next client; it is to be taken at once.
    /// - Parameter client: nil = it has no address.
    mutating func pick(for client: IPAddress?) -> Unmanaged<Endpoint>? {
        endpoints.pick(&turn, hash: hashKey?.hash(client: client))
    }

    /// What a request is told by; nil = any endpoint will do.
    func hash(for client: IPAddress?, _ head: borrowing RequestView) -> UInt64? {
        hashKey?.hash(client: client, head: head)
    }

    /// Who takes the next request.
    mutating func pick(hash: UInt64?) -> Unmanaged<Endpoint>? {
        endpoints.pick(&turn, hash: hash)
    }
}
