import Primitives
import Routing

/// A worker's own state for a listener, of the plan it serves or of one before that still has
/// connections. It is the listener's, not the plan's: one that goes on in the next plan keeps it,
/// with its count and its limit. Owned by the worker's roster.
struct ListenerState {
    private(set) var plan: ListenerPlan
    private(set) var tcp = TCPListenerPlan()
    private(set) var udp = UDPListenerPlan()
    /// 0 = connections may be idle for ever.
    private(set) var idleTicks: UInt64 = 0
    private(set) var inspectionTicks: UInt64 = 0
    /// `connectionsMax`, over all workers; it counts each of the connections that `count` does.
    private(set) var limit: ConnectionBudget?
    /// Sockets that were there before the plan may have another keepalive than it says.
    private(set) var isKeepaliveNew = true
    private var backends: WeightedRoundRobin?
    /// The clusters of the route's backends in the worker's roster, which counts these references:
    /// a listener that goes still leads those who had been let in to them.
    private(set) var clusters: [UInt32?] = []
    /// The listener's own and then its route's; a client must pass all that there are.
    private(set) var authorizations: [AuthorizationPlan] = []
    /// Connections that live, or flows.
    var count = 0
    /// Sockets that let clients in for it.
    var socketCount = 0
    /// The tick by which its last connection is to end; nil while the plan has it.
    var departure: UInt64?

    /// - Parameter clusters: where the roster has the plan's clusters; nil = at the same places.
    init(_ plan: ListenerPlan, limit: ConnectionBudget? = nil, clusters: [UInt32]? = nil) {
        self.plan = plan
        backends = plan.route.map { WeightedRoundRobin(weights: $0.backends.map(\.weight)) }
        adopt(plan, limit: limit, clusters: clusters)
        isKeepaliveNew = true
    }

    /// Goes on under a new plan. Connections that live keep what they were accepted with.
    mutating func adopt(_ new: ListenerPlan, limit: ConnectionBudget?, clusters places: [UInt32]?) {
        let weights = new.route.map { $0.backends.map(\.weight) }
        if weights != plan.route.map({ $0.backends.map(\.weight) }) {
            backends = weights.map { WeightedRoundRobin(weights: $0) }
        }
        clusters = (new.route?.backends ?? []).map { backend in
            backend.cluster.map { places?[$0] ?? UInt32($0) }
        }
        if self.limit !== limit {
            self.limit?.give(count)
            limit?.adopt(count)
            self.limit = limit
        }
        let keepaliveFormer = tcp.keepalive
        plan = new
        switch new.transport {
        case .tcp(let tcp): (self.tcp, udp) = (tcp, UDPListenerPlan())
        case .udp(let udp): (tcp, self.udp) = (TCPListenerPlan(), udp)
        }
        isKeepaliveNew = tcp.keepalive != keepaliveFormer
        authorizations = [new.authorization, new.route?.authorization].compactMap(\.self)
        idleTicks = Tick.count(milliseconds: tcp.idleTimeoutMilliseconds)
        inspectionTicks = max(1, Tick.count(milliseconds: tcp.inspectionTimeoutMilliseconds))
    }

    /// - Parameter client: nil = it has no address, as over a Unix socket.
    func allows(_ client: IPAddress?) -> Bool {
        for authorization in authorizations where !authorization.decide(client: client).isAllowed {
            return false
        }
        return true
    }

    /// What a new client gets.
    enum Choice {
        case cluster(UInt32)
        case refusal(TerminationReason)
    }

    mutating func pick() -> Choice {
        guard backends != nil else { return .refusal(.noRoute) }
        guard let place = backends?.pick(), let cluster = clusters[place] else {
            return .refusal(.noEndpoint)
        }
        return .cluster(cluster)
    }
}
