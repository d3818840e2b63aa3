import Primitives
import Routing

/// A route of a listener as one worker follows it: whose turn it is among its backends. Owned by
/// the listener's state.
struct RouteState {
    /// Who may be led by it; nil = everybody.
    let authorization: AuthorizationPlan?
    private let weights: [UInt32]
    private var backends: WeightedRoundRobin
    /// Of each backend the cluster in the worker's roster; nil = the reference is invalid.
    let clusters: [UInt32?]
    /// Who gets copies of its requests; invalid references are left out.
    let mirrors: [Mirror]

    struct Mirror {
        /// In the worker's roster.
        let cluster: UInt32
        /// So many of so many requests.
        let numerator: UInt32
        let denominator: UInt32
    }

    /// - Parameters:
    ///   - former: what stood in its place before; its turns go on where the weights are the same.
    ///   - places: where the roster has the plan's clusters; nil = at the same places.
    init(_ plan: RoutePlan, former: RouteState?, clusters places: [UInt32]?) {
        authorization = plan.authorization
        weights = plan.backends.map(\.weight)
        if let former, former.weights == weights {
            backends = former.backends
        } else {
            backends = WeightedRoundRobin(weights: weights)
        }
        clusters = plan.backends.map { backend in
            backend.cluster.map { places?[$0] ?? UInt32($0) }
        }
        mirrors = plan.mirrors.compactMap { mirror in
            mirror.cluster.map {
                Mirror(
                    cluster: places?[$0] ?? UInt32($0), numerator: mirror.numerator,
                    denominator: max(1, mirror.denominator))
            }
        }
    }

    /// The cluster whose turn it is; nil = it is an invalid reference's, or there is no backend.
    mutating func pick() -> UInt32? { pickBackend()?.cluster }

    /// The same, with its place among the backends.
    mutating func pickBackend() -> (place: Int, cluster: UInt32)? {
        guard let place = backends.pick() else { return nil }
        return clusters[place].map { (place, $0) }
    }
}
