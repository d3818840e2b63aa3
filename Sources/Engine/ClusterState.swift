import Primitives
import Routing

/// A worker's own state for a cluster, of the plan it serves or of one before whose connections and
/// flows still need it. Owned by the worker's roster.
struct ClusterState {
    let plan: ClusterPlan
    /// The endpoints' addresses at a place that operations may point to. The roster frees it.
    let addresses: UnsafeMutablePointer<RawSocketAddress>
    let count: Int
    let connectTicks: UInt64
    let flowIdleTicks: UInt64
    /// Answers that a flow waits for after each request; 0 = it does not count them.
    let answersPerRequest: Int64
    /// Connections and flows that were led to it, listeners that lead to it, and one more while the
    /// plan has it.
    var references = 1
    /// The endpoint whose turn is next.
    private var cursor = 0

    init(_ plan: ClusterPlan) {
        self.plan = plan
        let endpoints = plan.endpoints
        count = endpoints.count
        addresses = .allocate(capacity: max(count, 1))
        for place in 0..<count { (addresses + place).initialize(to: endpoints[place].raw) }
        connectTicks = max(1, Tick.count(milliseconds: plan.connectTimeoutMilliseconds))
        answersPerRequest = Int64(plan.udp.expectedResponses ?? 0)
        flowIdleTicks = max(1, Tick.count(milliseconds: plan.udp.idleTimeoutMilliseconds))
    }

    /// Round robin; nil without endpoints.
    mutating func pick() -> Int? {
        guard count > 0 else { return nil }
        let place = cursor
        cursor = place + 1 == count ? 0 : place + 1
        return place
    }
}
