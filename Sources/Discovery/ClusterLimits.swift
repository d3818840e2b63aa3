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

    /// What a request counts for, until it gives it back. Trivial.
    public struct RequestClaim: BitwiseCopyable, Sendable {
        /// Of its source; 0 = it is not counted.
        fileprivate var source: UInt64 = 0
        fileprivate var isCounted = false
        fileprivate var isRetry = false

        public init() {}
    }

    public enum Refusal: Sendable { case connections, pending, requests, source, sourceRate }

    /// Shared with the limits of the plans before.
    private final class Load: Sendable {
        let live = Atomic<Int>(0)
        let pending = Atomic<Int>(0)
        let requests = Atomic<Int>(0)
        let retries = Atomic<Int>(0)
    }

    private let load: Load
    private let sources: SourceLimits?
    private let liveMax: Int
    private let pendingMax: Int
    private let requestsMax: Int
    private let retriesMax: Int
    private let retryBudget: CircuitBreakerPlan.RetryBudget?

    /// Nil where the plan has no limit.
    init?(_ plan: ClusterPlan, former: ClusterLimits?) {
        let breaker = plan.circuitBreaker
        sources = SourceLimits(
            plan.sourceLimit, former: former?.sources,
            seed: .random(in: UInt64.min...UInt64.max))
        liveMax = breaker.connectionsMax.map(Int.init) ?? .max
        pendingMax = breaker.pendingRequestsMax.map(Int.init) ?? .max
        requestsMax = breaker.requestsMax.map(Int.init) ?? .max
        retryBudget = breaker.retryBudget
        retriesMax = breaker.retriesMax.map(Int.init) ?? .max
        load = former?.load ?? Load()
        let isLimited =
            liveMax < .max || pendingMax < .max || requestsMax < .max || retriesMax < .max
        guard sources != nil || isLimited || retryBudget != nil else { return nil }
    }

    public var live: Int { load.live.load(ordering: .relaxed) }
    public var pending: Int { load.pending.load(ordering: .relaxed) }
    public var requests: Int { load.requests.load(ordering: .relaxed) }
    public var retries: Int { load.retries.load(ordering: .relaxed) }
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
        let refusal = note(&claim.source, client, now: now)
        if refusal != nil { give(&claim) }
        return refusal
    }

    /// - Parameter source: what is to be given back; it stays 0 where nothing is.
    private func note(_ source: inout UInt64, _ client: IPAddress?, now: UInt64) -> Refusal? {
        guard let sources, let client else { return nil }
        switch sources.admit(client, now: now) {
        case .admitted(let key):
            source = key ?? 0
            return nil
        case .tooMany: return .source
        case .tooFast: return .sourceRate
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

    // MARK: - Requests

    /// A request is to be led to an endpoint. Its source counts as that of a connection does where
    /// nothing but connections is known.
    public func admit(
        _ claim: inout RequestClaim, client: IPAddress?, now: UInt64
    ) -> Refusal? {
        guard load.requests.take(most: requestsMax) else { return .requests }
        claim.isCounted = true
        let refusal = note(&claim.source, client, now: now)
        if refusal != nil { give(&claim) }
        return refusal
    }

    /// A request is to be sent again. It counts so until `settle`, however often it is.
    /// - Returns: false = too many are already.
    public func admitRetry(_ claim: inout RequestClaim) -> Bool {
        if claim.isRetry { return true }
        claim.isRetry = load.retries.take(most: retriesMaxNow)
        return claim.isRetry
    }

    private var retriesMaxNow: Int {
        guard let retryBudget else { return retriesMax }
        let share = requests * Int(retryBudget.numerator) / Int(retryBudget.denominator)
        return max(share, Int(retryBudget.countMin))
    }

    /// The request is not sent again any more.
    public func settle(_ claim: inout RequestClaim) {
        guard claim.isRetry else { return }
        load.retries.wrappingSubtract(1, ordering: .relaxed)
        claim.isRetry = false
    }

    /// The request has ended.
    public func give(_ claim: inout RequestClaim) {
        settle(&claim)
        if claim.source != 0 { sources?.give(claim.source) }
        if claim.isCounted { load.requests.wrappingSubtract(1, ordering: .relaxed) }
        claim = RequestClaim()
    }
}
