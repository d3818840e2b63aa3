import CLinux
import Health
import Primitives
import Routing
import Synchronization
import TLS

/// The endpoints of one cluster: workers pick from what is published, without a lock or a count;
/// everybody else changes it under a lock that no worker takes. It lives as long as a worker has a
/// connection, flow or listener that refers to the cluster, or a plan has it.
public final class ClusterEndpoints: Sendable {
    /// What nobody should find any more, and when nobody can.
    private struct Retired {
        let ticket: Quiescence.Ticket
        let set: EndpointSet
        let endpoints: [Endpoint]
    }

    private struct State {
        var tiers: [[EndpointEntry]] = []
        /// Of each tier.
        var holds: [FailbackHold] = []
        /// When to publish again though nothing happens: shares grow, tiers come back.
        var changes: UInt64?
        /// Endpoints were published as left whose clients are to be moved or ended.
        var isLeft = false
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
    private let slowStart: SlowStart?
    private let zone: String?
    /// What may be had of the cluster; nil = there is no limit.
    public let limits: ClusterLimits?
    /// Connections of one endpoint.
    public let perEndpointMax: Int
    /// How fast connections of endpoints that are left out are ended.
    public let departures: Pace
    /// The same for those of a tier that is no longer needed.
    public let failbacks: Pace
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
    ///   - verdicts: what is known of endpoints by checks.
    ///   - attention: who is told when an endpoint fails; nil = nobody leaves any out.
    ///   - tls: what speaks TLS, for each plan of it; endpoints that have no such are left out.
    ///   - zone: the one that this process is in.
    ///   - now: CLOCK_MONOTONIC, nanoseconds.
    public init(
        _ plan: ClusterPlan, _ tiers: [[Candidate]]? = nil, quiescence: Quiescence,
        attention: EndpointAttention? = nil, former: ClusterEndpoints? = nil,
        verdicts: [HealthCheck: HealthVerdict] = [:], tls: [UpstreamTLSPlan: TLSClient] = [:],
        zone: String? = nil, now: UInt64 = apus_monotonic()
    ) {
        self.plan = plan
        self.quiescence = quiescence
        self.attention = attention
        self.zone = zone
        rule = EjectionRule(plan.healthCheck.passive)
        slowStart = SlowStart(plan.loadBalancer)
        limits = ClusterLimits(plan, former: former?.limits)
        perEndpointMax = plan.circuitBreaker.connectionsPerEndpointMax.map(Int.init) ?? .max
        departures = Pace(plan.departure)
        failbacks = Pace(plan.tierChange)
        let (known, holds) = former?.state.withLock { ($0.tiers, $0.holds) } ?? ([], [])
        var state = State()
        state.tiers =
            Self.entries(
                tiers ?? EndpointDirectory.candidates(of: plan, [:]), known.joined().map(\.self),
                plan.carriesDatagrams ? [:] : tls, now: now
            ) { entry, isNew in Self.follow(&entry, plan, verdicts, isNew: isNew) }
            .entries
        // Tiers that stay go on with what counted of them.
        state.holds = state.tiers.indices.map { number in
            holds.indices.contains(number)
                ? holds[number]
                : FailbackHold(usable: state.tiers[number].count(where: \.isHopeful))
        }
        let (set, changes) = Self.set(of: &state, plan, slowStart, zone, now)
        state.changes = changes
        current = Atomic(Self.word(set))
        self.state.withLock { [state] in $0 = state }
        // Its health is looked at by the keeper from now on.
        if changes != nil { attention?.signal() }
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

    /// Counts a client in one that was picked, or in the next of those in use that has room for
    /// one; nil = none has.
    public func take(_ picked: Unmanaged<Endpoint>) -> Unmanaged<Endpoint>? {
        picked._withUnsafeGuaranteedRef { endpoint in
            if endpoint.take(most: perEndpointMax) { return picked }
            return Self.set(current.load(ordering: .acquiring))._withUnsafeGuaranteedRef {
                $0.take(after: endpoint, most: perEndpointMax).map(Unmanaged.passUnretained)
            }
        }
    }

    /// Who is tried after `failed`, and is taken.
    public func takeNext(
        after failed: Endpoint, tried: TriedEndpoints, family: Int32? = nil
    ) -> Unmanaged<Endpoint>? {
        Self.set(current.load(ordering: .acquiring))._withUnsafeGuaranteedRef {
            $0.takeNext(after: failed, tried: tried, family: family, most: perEndpointMax)
                .map(Unmanaged.passUnretained)
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
    public func replace(
        _ tiers: [[Candidate]], verdicts: [HealthCheck: HealthVerdict] = [:],
        tls: [UpstreamTLSPlan: TLSClient] = [:], now: UInt64 = apus_monotonic()
    ) {
        state.withLock { state in
            let former = state.tiers.joined().map(\.self)
            let tls = plan.carriesDatagrams ? [:] : tls
            let (entries, left) = Self.entries(tiers, former, tls, now: now) { entry, isNew in
                // Those that stay are checked as before.
                if isNew { Self.follow(&entry, plan, verdicts, isNew: true) }
            }
            state.tiers = entries
            let holds = state.holds
            state.holds = state.tiers.indices.map { number in
                holds.indices.contains(number)
                    ? holds[number]
                    : FailbackHold(usable: state.tiers[number].count(where: \.isHopeful))
            }
            let leaving = left.map(\.endpoint)
            for endpoint in leaving { endpoint.standing = .gone }
            if !leaving.isEmpty { state.isLeft = true }
            publish(&state, leaving: leaving, now)
        }
        // What left is to be freed when nobody needs it any more.
        attention?.signal()
    }

    /// What checks have found; those of other clusters are passed over.
    public func note(
        _ verdicts: [HealthCheck: HealthVerdict], now: UInt64 = apus_monotonic()
    ) {
        state.withLock { state in
            var isChanged = false
            for tier in state.tiers.indices {
                for place in state.tiers[tier].indices {
                    guard let check = state.tiers[tier][place].check, let verdict = verdicts[check]
                    else { continue }
                    isChanged = state.tiers[tier][place].note(verdict, now: now) || isChanged
                }
            }
            if isChanged { publish(&state, leaving: [], now) }
        }
        attention?.signal()
    }

    /// How its endpoints are checked.
    var checks: Set<HealthCheck> {
        guard plan.healthCheck.active != nil else { return [] }
        return state.withLock { Set($0.tiers.joined().compactMap(\.check)) }
    }

    private static func follow(
        _ entry: inout EndpointEntry, _ plan: ClusterPlan,
        _ verdicts: [HealthCheck: HealthVerdict], isNew: Bool
    ) {
        let check = HealthCheck(entry.endpoint.plan, at: entry.endpoint.socketAddress, of: plan)
        entry.follow(check, check.flatMap { verdicts[$0] }, isNew: isNew)
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
                        state.tiers[tier][place].risenAt = now
                        entry.endpoint.forgetFailures()
                        isChanged = true
                    }
                }
                if isNeeded { isChanged = eject(&state.tiers[tier], now) || isChanged }
                for case let returns? in state.tiers[tier].map(\.returns) {
                    next = min(next ?? .max, returns)
                }
            }
            if let changes = state.changes, changes <= now { isChanged = true }
            if isChanged { publish(&state, leaving: [], now) }
            reclaim(&state)
            if let changes = state.changes { next = min(next ?? .max, changes) }
            if !state.retired.isEmpty { next = min(next ?? .max, now + Self.reclaimInterval) }
            return next
        }
    }

    /// Workers pass a quiescent point each turn, and turns are short.
    private static let reclaimInterval: UInt64 = 10_000_000

    private func eject(_ tier: inout [EndpointEntry], _ now: UInt64) -> Bool {
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

    /// - Parameters:
    ///   - known: endpoints that go on where `tiers` has them too.
    ///   - finish: is given each entry, and whether it is new.
    /// - Returns: the entries, and those of `known` that are not among them.
    private static func entries(
        _ tiers: [[Candidate]], _ known: [EndpointEntry], _ tls: [UpstreamTLSPlan: TLSClient],
        now: UInt64,
        finish: (inout EndpointEntry, Bool) -> Void
    ) -> (entries: [[EndpointEntry]], left: [EndpointEntry]) {
        var matching = EndpointMatching(known)
        // Nothing goes in the clear where TLS cannot be spoken as it should.
        let tiers = tiers.map { tier in
            tier.filter { $0.plan.tls.map { tls[$0] != nil } ?? true }
        }
        let places = tiers.map { tier in tier.map { matching.next(like: $0) } }
        let entries = zip(tiers, places).map { tier, places in
            zip(tier, places).map { candidate, place in
                if let place = place ?? matching.any(like: candidate) {
                    var entry = known[place]
                    entry.weight = candidate.weight
                    finish(&entry, false)
                    return entry
                }
                var entry = EndpointEntry(
                    Endpoint(
                        candidate.plan, at: candidate.address,
                        tls: candidate.plan.tls.flatMap { tls[$0] }),
                    weight: candidate.weight)
                // Where all are new, all are equal.
                if !known.isEmpty { entry.risenAt = now }
                finish(&entry, true)
                return entry
            }
        }
        return (entries, matching.unmatched.map { known[$0] })
    }

    // MARK: - Publishing

    /// - Returns: the set, and when another is due though nothing happens.
    private static func set(
        of state: inout State, _ plan: ClusterPlan, _ slowStart: SlowStart?, _ zone: String?,
        _ now: UInt64
    ) -> (EndpointSet, changes: UInt64?) {
        let (shares, due) = shares(&state, plan.tierChange, plan.healthCheck.panicPercent, now)
        var changes = due
        let members = state.tiers.map { tier in
            tier.map { entry in
                var weight = UInt64(entry.weight)
                if let slowStart {
                    let share = entry.risenAt.map { slowStart.share(since: $0, now: now) }
                    weight *= share ?? SlowStart.whole
                    let next = entry.risenAt.flatMap { slowStart.next(since: $0, now: now) }
                    if let next { changes = min(changes ?? .max, next) }
                }
                return EndpointSet.Member(
                    endpoint: entry.endpoint, weight: weight, isUsable: entry.isUsable)
            }
        }
        if note(standings: state.tiers, shares) { state.isLeft = true }
        return (EndpointSet(members, plan, shares: shares, zone: zone), changes)
    }

    /// What each tier gets, with those of its endpoints that count by now.
    private static func shares(
        _ state: inout State, _ plan: TierPlan, _ panicPercent: UInt32, _ now: UInt64
    ) -> (TierShares, next: UInt64?) {
        let usable = state.tiers.map { $0.count(where: \.isUsable) }
        // The first check of an endpoint finds it well for the first time, not again.
        let hopeful = state.tiers.map { $0.count(where: \.isHopeful) }
        func shares() -> TierShares {
            TierShares(
                state.tiers.indices.map { number in
                    .init(
                        usable: min(state.holds[number].counted, usable[number]),
                        total: state.tiers[number].count)
                }, failoverBelowPercents: plan.failoverBelowPercents,
                panicPercent: panicPercent)
        }
        let delay = UInt64(plan.failbackAfterMilliseconds) * 1_000_000
        let before = shares()
        var next: UInt64?
        for number in state.holds.indices {
            let isLast = number == state.holds.count - 1
            let due = state.holds[number].note(
                usable: hopeful[number], isShort: !isLast && before.percent[number] < 100,
                delay: delay, now: now)
            if let due { next = min(next ?? .max, due) }
        }
        if state.holds.allSatisfy({ $0.counted == 0 }) {
            for number in state.holds.indices {
                state.holds[number].release(usable: hopeful[number])
            }
            next = nil
        }
        return (shares(), next)
    }

    /// - Returns: whether somebody's clients should leave who need not before.
    private static func note(standings tiers: [[EndpointEntry]], _ shares: TierShares) -> Bool {
        var isLeft = false
        var isServed = false
        for (number, tier) in tiers.enumerated() {
            let isPanicking = shares.isPanicking[number]
            for entry in tier {
                let standing: Endpoint.Standing
                if !isPanicking, entry.isDown {
                    standing = .down
                } else {
                    standing = shares.percent[number] == 0 && isServed ? .relieved : .serving
                }
                guard entry.endpoint.standing != standing else { continue }
                entry.endpoint.standing = standing
                if standing != .serving { isLeft = true }
            }
            if shares.percent[number] > 0 { isServed = true }
        }
        return isLeft
    }

    private func publish(_ state: inout State, leaving: [Endpoint], _ now: UInt64) {
        let (set, changes) = Self.set(of: &state, plan, slowStart, zone, now)
        state.changes = changes
        let former = current.exchange(Self.word(set), ordering: .sequentiallyConsistent)
        state.retired.append(
            Retired(
                ticket: quiescence.retire(), set: Self.set(former).takeRetainedValue(),
                endpoints: leaving))
        reclaim(&state)
    }

    /// Whether clients of endpoints that were published as left are to be looked for; said once.
    func takeDepartures() -> Bool {
        state.withLock { state in
            defer { state.isLeft = false }
            return state.isLeft
        }
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
        public let address: SocketAddress
        public let standing: Endpoint.Standing
        public let tier: Int
        public let weight: UInt32
        /// Connections and flows.
        public let live: Int
        public let led: UInt64
        public let failures: UInt64
        /// Why the last handshake failed; nil = it did not, or no TLS is spoken.
        public let fault: TLSFault?
        public let ejections: UInt32
        /// CLOCK_MONOTONIC, nanoseconds; nil = it is not left out after failures.
        public let returns: UInt64?
        /// Nil = it is not checked.
        public let check: HealthCheck?
        public let verdict: HealthVerdict?
    }

    /// Of those in its tiers, and then of those that have left and still serve somebody, as of tier
    /// 0 and with no weight.
    public var statuses: [Status] {
        state.withLock { state in
            state.tiers.enumerated().flatMap { number, tier in
                tier.map { Status($0, tier: number) }
            }
                + state.retired.flatMap(\.endpoints).filter { !$0.isUnused }
                .map { Status(EndpointEntry($0, weight: 0), tier: 0) }
        }
    }
}

extension ClusterEndpoints.Status {
    init(_ entry: EndpointEntry, tier: Int) {
        let endpoint = entry.endpoint
        self.init(
            plan: endpoint.plan, address: endpoint.socketAddress, standing: endpoint.standing,
            tier: tier, weight: entry.weight, live: endpoint.live, led: endpoint.led,
            failures: endpoint.failures, fault: endpoint.fault, ejections: entry.ejections,
            returns: entry.returns,
            check: entry.check, verdict: entry.verdict)
    }
}
