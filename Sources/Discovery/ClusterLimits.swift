import Primitives
import Routing
import Synchronization

/// What may be had of a cluster at a time, counted over all workers (BackendTrafficPolicy
/// `spec.circuitBreaker`, EndpointPolicy `spec.limits`). It is the cluster's through changes of the
/// plan, so that those who are there still count; who came before there was any limit does not.
public final class ClusterLimits: Sendable {
    /// What a connection or flow counts for, until it gives it back. Trivial.
    public struct Claim: BitwiseCopyable, Sendable {
        /// Of its source; 0 = it is not counted.
        fileprivate var source: UInt64 = 0
        fileprivate var isCounted = false
        fileprivate var isPending = false

        public init() {}
    }

    public enum Refusal: Sendable { case connections, pending, source, sourceRate }

    /// Shared with the limits of the plans before.
    private final class Load: Sendable {
        let live = Atomic<Int>(0)
        let pending = Atomic<Int>(0)
    }

    private let load: Load
    private let sources: SourceLimits?
    private let liveMax: Int
    private let pendingMax: Int

    /// Nil where the plan has no limit.
    init?(_ plan: ClusterPlan, former: ClusterLimits?) {
        let breaker = plan.circuitBreaker
        sources = SourceLimits(
            plan.sourceLimit, former: former?.sources,
            seed: .random(in: UInt64.min...UInt64.max))
        liveMax = breaker.connectionsMax.map(Int.init) ?? .max
        pendingMax = breaker.pendingRequestsMax.map(Int.init) ?? .max
        load = former?.load ?? Load()
        guard sources != nil || liveMax < .max || pendingMax < .max else { return nil }
    }

    public var live: Int { load.live.load(ordering: .relaxed) }
    public var pending: Int { load.pending.load(ordering: .relaxed) }
    /// How often a source could not be noted, and passed.
    public var unnoted: UInt64 { sources?.unnoted ?? 0 }
    /// Whether `client` is looked at.
    public var countsSources: Bool { sources != nil }

    /// A client is to be led to an endpoint.
    /// - Parameters:
    ///   - client: nil = it has no address, as over a Unix socket, and no limit of a source.
    ///   - isPending: a connect is to be made for it, until `settle`.
    ///   - now: CLOCK_MONOTONIC, nanoseconds.
    /// - Returns: why it may not be; nil = it may.
    public func admit(
        _ claim: inout Claim, client: IPAddress?, isPending: Bool, now: UInt64
    ) -> Refusal? {
        guard load.live.take(most: liveMax) else { return .connections }
        claim.isCounted = true
        if isPending {
            guard load.pending.take(most: pendingMax) else {
                give(&claim)
                return .pending
            }
            claim.isPending = true
        }
        guard let sources, let client else { return nil }
        switch sources.admit(client, now: now) {
        case .admitted(let key):
            claim.source = key ?? 0
            return nil
        case .tooMany:
            give(&claim)
            return .source
        case .tooFast:
            give(&claim)
            return .sourceRate
        }
    }

    /// The connect was made.
    public func settle(_ claim: inout Claim) {
        guard claim.isPending else { return }
        load.pending.wrappingSubtract(1, ordering: .relaxed)
        claim.isPending = false
    }

    /// The connection or flow has ended.
    public func give(_ claim: inout Claim) {
        settle(&claim)
        if claim.source != 0 { sources?.give(claim.source) }
        if claim.isCounted { load.live.wrappingSubtract(1, ordering: .relaxed) }
        claim = Claim()
    }
}
