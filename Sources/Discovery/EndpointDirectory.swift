import Routing
import Synchronization

/// The endpoints of all clusters of the plan in force, and who looks after them. Shared by the
/// control thread, which brings new plans, and the keeper's thread.
public final class EndpointDirectory: Sendable {
    /// Of all workers.
    public let quiescence: Quiescence
    public let attention: EndpointAttention
    private let clusters = Mutex<[ClusterEndpoints]>([])

    public init(workers: Int, attention: EndpointAttention) {
        quiescence = Quiescence(readers: workers)
        self.attention = attention
    }

    /// The endpoints of the clusters of a new plan: where one goes on, those that it had; where its
    /// Backend stays and says something else, the endpoints that it still has are the same.
    /// - Parameter former: for each cluster the place of its equal in the plan before.
    public func follow(_ plans: [ClusterPlan], former: [Int?]) -> [ClusterEndpoints] {
        let before = all
        var byName: [Name: ClusterEndpoints] = [:]
        for one in before { byName[Name(one.plan)] = one }
        let after = zip(plans, former).map { plan, former in
            if let former { return before[former] }
            return ClusterEndpoints(
                plan, quiescence: quiescence, attention: attention, former: byName[Name(plan)])
        }
        clusters.withLock { $0 = after }
        return after
    }

    /// Takes the endpoints of other plans for clusters that differ in nothing else.
    /// - Parameter changes: each cluster's place in the plan in force, and what it is now.
    public func replaceEndpoints(_ changes: [(place: Int, plan: ClusterPlan)]) {
        let all = all
        for (place, plan) in changes { all[place].replace(ClusterEndpoints.candidates(of: plan)) }
    }

    private struct Name: Hashable {
        let backend: String
        let route: String

        init(_ plan: ClusterPlan) {
            backend = plan.name
            route = plan.route
        }
    }

    /// In the order of the plan.
    public var all: [ClusterEndpoints] { clusters.withLock { $0 } }

    /// Looks at every cluster.
    /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
    /// - Returns: when to look again; nil = when somebody calls.
    func review(now: UInt64) -> UInt64? { all.compactMap { $0.review(now: now) }.min() }
}
