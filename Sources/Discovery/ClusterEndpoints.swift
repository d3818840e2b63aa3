import Primitives
import Routing
import Synchronization

/// The endpoints of one cluster: workers pick from what is published, without a lock or a count;
/// everybody else changes it under a lock that no worker takes. It lives as long as a worker has a
/// connection, flow or listener that refers to the cluster, or a plan has it.
public final class ClusterEndpoints: Sendable {
    /// An endpoint with what is known of its health.
    private struct Entry {
        let endpoint: Endpoint
        var weight: UInt32
        var ejections: UInt32 = 0
        /// Left out until then; nil = it is not.
        var returns: UInt64?
    }

    /// What nobody should find any more, and when nobody can.
    private struct Retired {
        let ticket: Quiescence.Ticket
        let set: EndpointSet
        let endpoints: [Endpoint]
    }

    private struct State {
        var tiers: [[Entry]] = []
        var retired: [Retired] = []
    }

    /// An endpoint with its weight within its tier.
    public struct Candidate: Hashable, Sendable {
        public let plan: EndpointPlan
        public let address: SocketAddress
        public let weight: UInt32

        public init(_ plan: EndpointPlan, at address: SocketAddress, weight: UInt32 = 1) {
            self.plan = plan
            self.address = address
            self.weight = weight
        }
    }

    /// As it was when it was made: its tiers may have changed since.
    public let plan: ClusterPlan
    private let rule: EjectionRule
    private let quiescence: Quiescence
    private let attention: EndpointAttention?
    private let state = Mutex(State())
    /// The set in force: an unmanaged reference that counts once.
    private let current: Atomic<UInt>
    /// An endpoint has failed often enough to be left out.
    private let needsAttention = Atomic<Bool>(false)

    /// - Parameters:
    ///   - tiers: nil = the endpoints of the plan that are addresses.
    ///   - former: the same Backend's under the plan before: endpoints that stay are the same.
    ///   - attention: who is told when an endpoint fails; nil = nobody leaves any out.
    public init(
        _ plan: ClusterPlan, _ tiers: [[Candidate]]? = nil, quiescence: Quiescence,
        attention: EndpointAttention? = nil, former: ClusterEndpoints? = nil
    ) {
        self.plan = plan
        self.quiescence = quiescence
        self.attention = attention
        rule = EjectionRule(plan.healthCheck.passive)
        let known = former?.state.withLock { $0.tiers.joined().map(\.self) } ?? []
        let entries = Self.entries(
            tiers ?? EndpointDirectory.candidates(of: plan, [:]), known)
        current = Atomic(Self.word(Self.set(of: entries, plan)))
        state.withLock { $0.tiers = entries }
    }

    deinit {
        Self.set(current.load(ordering: .acquiring)).release()
    }

    /// Counts once for whoever has the word.
    private static func word(_ set: EndpointSet) -> UInt {
        UInt(bitPattern: Unmanaged.passRetained(set).toOpaque())
    }

    private static func set(_ word: UInt) -> Unmanaged<EndpointSet> {
        guard let pointer = UnsafeRawPointer(bitPattern: word) else {
            fatalError("a set is always published")
        }
        return Unmanaged.fromOpaque(pointer)
    }

    // MARK: - Workers

    /// Who takes the next client. What it gives stays valid for as long as it is taken before the
    /// worker's next quiescent point.
    @inline(__always)
    public func pick(_ turn: inout EndpointTurn, hash: UInt64?) -> Unmanaged<Endpoint>? {
        Self.set(current.load(ordering: .acquiring))._withUnsafeGuaranteedRef {
            $0.pick(&turn, hash: hash).map(Unmanaged.passUnretained)
        }
    }

    /// Who is tried after `failed`.
    public func next(
        after failed: Endpoint, tried: TriedEndpoints, family: Int32? = nil
    ) -> Unmanaged<Endpoint>? {
        Self.set(current.load(ordering: .acquiring))._withUnsafeGuaranteedRef {
            $0.next(after: failed, tried: tried, family: family).map(Unmanaged.passUnretained)
        }
    }

    public var count: Int {
        Self.set(current.load(ordering: .acquiring))._withUnsafeGuaranteedRef { $0.count }
    }

    /// A connect to the endpoint failed, or it refused a datagram.
    public func noteFailure(of endpoint: Endpoint) {
        if endpoint.noteFailure() >= rule.failuresInRow { call() }
    }

    /// A connect to the endpoint succeeded, or it answered a datagram: who was left out comes back.
    @inline(__always)
    public func noteSuccess(of endpoint: Endpoint) {
        // Mostly there is nothing to write.
        let failures = endpoint.failuresInRow
        guard failures > 0 else { return }
        endpoint.forgetFailures()
        if failures >= rule.failuresInRow { call() }
    }

    private func call() {
        guard let attention else { return }
        // Who finds it set already knows that somebody was told.
        guard !needsAttention.exchange(true, ordering: .acquiringAndReleasing) else { return }
        attention.signal()
    }

    // MARK: - Everybody else

    /// Puts other endpoints in the place of the present ones. Those that stay are the same as
    /// before, with their health and counts.
    public func replace(_ tiers: [[Candidate]]) {
        state.withLock { state in
            let former = state.tiers.joined().map(\.self)
            state.tiers = Self.entries(tiers, former)
            let present = Set(state.tiers.joined().map { ObjectIdentifier($0.endpoint) })
            publish(
                &state,
                leaving: former.map(\.endpoint).filter {
                    !present.contains(ObjectIdentifier($0))
                })
        }
        // What left is to be freed when nobody needs it any more.
        attention?.signal()
    }

    /// Leaves out who has failed too often, lets in whose time is over, and frees what nobody can
    /// see any more.
    /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
    /// - Returns: when to look again; nil = when somebody needs attention.
    public func review(now: UInt64) -> UInt64? {
        let isNeeded = needsAttention.exchange(false, ordering: .acquiringAndReleasing)
        return state.withLock { state in
            var isChanged = false
            var next: UInt64?
            for tier in state.tiers.indices {
                for place in state.tiers[tier].indices {
                    let entry = state.tiers[tier][place]
                    guard let returns = entry.returns else { continue }
                    if returns <= now || entry.endpoint.failuresInRow == 0 {
                        state.tiers[tier][place].returns = nil
                        entry.endpoint.forgetFailures()
                        isChanged = true
                    }
                }
                if isNeeded { isChanged = eject(&state.tiers[tier], now) || isChanged }
                for case let returns? in state.tiers[tier].map(\.returns) {
                    next = min(next ?? .max, returns)
                }
            }
            if isChanged { publish(&state, leaving: []) }
            reclaim(&state)
            if !state.retired.isEmpty { next = min(next ?? .max, now + Self.reclaimInterval) }
            return next
        }
    }

    /// Workers pass a quiescent point each turn, and turns are short.
    private static let reclaimInterval: UInt64 = 10_000_000

    private func eject(_ tier: inout [Entry], _ now: UInt64) -> Bool {
        var isChanged = false
        var ejected = tier.count { $0.returns != nil }
        for place in tier.indices where tier[place].returns == nil {
            guard tier[place].endpoint.failuresInRow >= rule.failuresInRow,
                rule.mayEject(ejected: ejected, of: tier.count)
            else { continue }
            tier[place].ejections += 1
            tier[place].returns = now + rule.duration(ofEjection: tier[place].ejections)
            ejected += 1
            isChanged = true
        }
        return isChanged
    }

    /// - Parameter known: endpoints that go on where `tiers` has them too.
    private static func entries(_ tiers: [[Candidate]], _ known: [Entry]) -> [[Entry]] {
        var left: [EndpointPlan: [Entry]] = [:]
        for entry in known { left[entry.endpoint.plan, default: []].append(entry) }
        return tiers.map { tier in
            tier.map { candidate in
                let place = left[candidate.plan]?.firstIndex {
                    $0.endpoint.socketAddress == candidate.address
                }
                if let place, var entry = left[candidate.plan]?.remove(at: place) {
                    entry.weight = candidate.weight
                    return entry
                }
                return Entry(
                    endpoint: Endpoint(candidate.plan, at: candidate.address),
                    weight: candidate.weight)
            }
        }
    }

    private static func set(of tiers: [[Entry]], _ plan: ClusterPlan) -> EndpointSet {
        EndpointSet(
            tiers.map { tier in
                tier.map {
                    .init(endpoint: $0.endpoint, weight: $0.weight, isUsable: $0.returns == nil)
                }
            }, plan)
    }

    private func publish(_ state: inout State, leaving: [Endpoint]) {
        let word = Self.word(Self.set(of: state.tiers, plan))
        let former = current.exchange(word, ordering: .sequentiallyConsistent)
        state.retired.append(
            Retired(
                ticket: quiescence.retire(), set: Self.set(former).takeRetainedValue(),
                endpoints: leaving))
        reclaim(&state)
    }

    /// Endpoints that still serve somebody wait until they do not.
    private func reclaim(_ state: inout State) {
        state.retired.removeAll { retired in
            quiescence.isOver(retired.ticket) && retired.endpoints.allSatisfy(\.isUnused)
        }
    }

    // MARK: - Insight

    /// An endpoint as it is now.
    public struct Status: Hashable, Sendable {
        public let plan: EndpointPlan
        public let tier: Int
        public let weight: UInt32
        /// Connections and flows.
        public let live: Int
        public let led: UInt64
        public let failures: UInt64
        public let ejections: UInt32
        /// CLOCK_MONOTONIC, nanoseconds; nil = it is not left out.
        public let returns: UInt64?
    }

    public var statuses: [Status] {
        state.withLock { state in
            state.tiers.enumerated().flatMap { number, tier in
                tier.map { entry in
                    Status(
                        plan: entry.endpoint.plan, tier: number, weight: entry.weight,
                        live: entry.endpoint.live, led: entry.endpoint.led,
                        failures: entry.endpoint.failures, ejections: entry.ejections,
                        returns: entry.returns)
                }
            }
        }
    }
}
