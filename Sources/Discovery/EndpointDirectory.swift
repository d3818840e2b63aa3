import CLinux
import Health
import Kernel
import Primitives
import Resolver
import Routing
import Synchronization
import TLS

/// The endpoints of all clusters of the plan in force: addresses as they are written, names as they
/// are resolved. Shared by the control thread, which brings plans, the resolver's, which brings
/// answers, and the keeper's, which looks after health. Workers see only what is published.
public final class EndpointDirectory: Sendable {
    private struct State {
        var clusters: [ClusterEndpoints] = []
        /// Of each cluster, as it is now.
        var plans: [ClusterPlan] = []
        /// The clusters, by place, that have endpoints to be looked up so.
        var users: [Lookup: [Int]] = [:]
        /// The last verdict on each lookup that is wanted.
        var resolutions: [Lookup: Resolution] = [:]
        var checks = CheckBook()
        /// What speaks TLS with endpoints, for each plan of it.
        var tls: [UpstreamTLSPlan: TLSClient] = [:]

        var unresolvedCount: Int { users.keys.count { resolutions[$0] == nil } }
    }

    /// Of all workers.
    public let quiescence: Quiescence
    public let attention: EndpointAttention
    /// Signalled with each answer about names, and each verdict of checks.
    private let answered: Wakeup
    private let state = Mutex(State())
    /// Set once, right after the start.
    private let resolver = Mutex<ResolverThread?>(nil)
    /// The same.
    private let checker = Mutex<HealthThread?>(nil)
    /// Who is told, on the keeper's thread, that workers should look for clients of endpoints that
    /// they are to leave.
    private let departing = Mutex<(@Sendable () -> Void)?>(nil)
    /// Who is told, on the thread of the checks, what they have found.
    private let healthChanged = Mutex<(@Sendable ([HealthChange]) -> Void)?>(nil)
    private let zone: String?

    /// - Parameter zone: the one that this process is in, as endpoints name theirs.
    /// - Throws: EMFILE or ENFILE.
    public init(workers: Int, zone: String? = nil) throws(Errno) {
        self.zone = zone
        quiescence = Quiescence(readers: workers)
        attention = try EndpointAttention()
        answered = try Wakeup()
    }

    /// Begins to look names up; without it they stay without addresses.
    /// - Throws: EMFILE, ENFILE, or EAGAIN when there may be no more threads.
    public func startResolving(
        _ settings: ResolverThread.Settings = ResolverThread.Settings()
    ) throws(Errno) {
        let thread = try ResolverThread(settings) { [weak self] in self?.take($0) }
        resolver.withLock { $0 = thread }
    }

    /// Begins to check endpoints; without it those that should be checked have no verdict.
    /// - Throws: EMFILE, ENFILE, or EAGAIN when there may be no more threads.
    public func startChecking(
        _ settings: HealthThread.Settings = HealthThread.Settings()
    ) throws(Errno) {
        let thread = try HealthThread(settings) { [weak self] in self?.take($0) }
        checker.withLock { $0 = thread }
    }

    /// - Parameter tell: called on the keeper's thread; it must not wait.
    public func onDeparture(_ tell: @escaping @Sendable () -> Void) {
        departing.withLock { $0 = tell }
    }

    /// - Parameter tell: called on the thread of the checks; it must not wait.
    public func onHealthChange(_ tell: @escaping @Sendable ([HealthChange]) -> Void) {
        healthChanged.withLock { $0 = tell }
    }

    // MARK: - Plans

    /// The endpoints of the clusters of a new plan: where one goes on, those that it had; where its
    /// Backend stays and says something else, the endpoints that it still has are the same.
    /// - Parameters:
    ///   - former: for each cluster the place of its equal in the plan before.
    ///   - tls: what speaks TLS, for each plan of it; endpoints that have no such are left out.
    public func follow(
        _ plans: [ClusterPlan], former: [Int?], tls: [UpstreamTLSPlan: TLSClient] = [:]
    ) -> [ClusterEndpoints] {
        let (clusters, wanted) = state.withLock { state in
            state.tls = tls
            var byName: [Name: ClusterEndpoints] = [:]
            for one in state.clusters { byName[Name(one.plan)] = one }
            let after = zip(plans, former).map { plan, former in
                if let former { return state.clusters[former] }
                return ClusterEndpoints(
                    plan, Self.candidates(of: plan, state.resolutions), quiescence: quiescence,
                    attention: attention, former: byName[Name(plan)],
                    verdicts: state.checks.verdicts, tls: tls, zone: zone)
            }
            state.clusters = after
            state.plans = plans
            state.checks.replaceAll(after.map(\.checks))
            wantChecks(&state)
            return (after, Self.noteUsers(&state))
        }
        want(wanted)
        return clusters
    }

    /// Takes the endpoints of other plans for clusters that differ in nothing else.
    /// - Parameters:
    ///   - changes: each cluster's place in the plan in force, and what it is now.
    ///   - tls: as of `follow`, for all clusters.
    public func replaceEndpoints(
        _ changes: [(place: Int, plan: ClusterPlan)], tls: [UpstreamTLSPlan: TLSClient] = [:]
    ) {
        let wanted = state.withLock { state in
            state.tls = tls
            for (place, plan) in changes {
                state.plans[place] = plan
                // Where a new name is not resolved yet, the endpoints before it serve on.
                guard Self.isResolved(plan, state.resolutions) else { continue }
                replaceEndpoints(of: place, &state)
            }
            wantChecks(&state)
            return Self.noteUsers(&state)
        }
        want(wanted)
    }

    private func replaceEndpoints(of place: Int, _ state: inout State) {
        let cluster = state.clusters[place]
        cluster.replace(
            Self.candidates(of: state.plans[place], state.resolutions),
            verdicts: state.checks.verdicts, tls: state.tls)
        state.checks.replace(place, by: cluster.checks)
    }

    private struct Name: Hashable {
        let backend: String
        let route: String

        init(_ plan: ClusterPlan) {
            backend = plan.name
            route = plan.route
        }
    }

    // MARK: - Names

    /// - Returns: what is to be looked up from now on; nil = the same as before.
    private static func noteUsers(_ state: inout State) -> Set<Lookup>? {
        var users: [Lookup: [Int]] = [:]
        for (place, plan) in state.plans.enumerated() {
            for endpoint in plan.tiers.joined() {
                guard let lookup = Lookup(endpoint.target, plan.dns) else { continue }
                users[lookup, default: []].append(place)
            }
        }
        let wanted = Set(users.keys)
        let isSame = wanted == Set(state.users.keys)
        state.users = users
        guard !isSame else { return nil }
        state.resolutions = state.resolutions.filter { wanted.contains($0.key) }
        return wanted
    }

    private func want(_ lookups: Set<Lookup>?) {
        guard let lookups else { return }
        resolver.withLock { $0?.want(lookups) }
    }

    /// On the resolver's thread.
    private func take(_ changes: [Lookup: Resolution]) {
        state.withLock { state in
            var places: Set<Int> = []
            for (lookup, resolution) in changes {
                guard let users = state.users[lookup] else { continue }
                state.resolutions[lookup] = resolution
                places.formUnion(users)
            }
            for place in places { replaceEndpoints(of: place, &state) }
            wantChecks(&state)
        }
        answered.signal()
    }

    private static func isResolved(
        _ plan: ClusterPlan, _ resolutions: [Lookup: Resolution]
    ) -> Bool {
        plan.tiers.joined().allSatisfy { endpoint in
            Lookup(endpoint.target, plan.dns).map { resolutions[$0] != nil } ?? true
        }
    }

    /// Waits until there is a verdict on every name, one way or the other, and one of each first
    /// check: clients would find no endpoint, or one that is not well.
    /// - Parameter deadline: CLOCK_MONOTONIC, nanoseconds.
    /// - Returns: how many names are still without.
    public func awaitVerdicts(until deadline: UInt64) -> Int {
        while true {
            let (names, checks) = state.withLock { ($0.unresolvedCount, $0.checks.awaitedCount) }
            let now = apus_monotonic()
            guard names + checks > 0, now < deadline else { return names }
            var watched = pollfd(fd: answered.descriptor, events: Int16(POLLIN), revents: 0)
            let milliseconds = (deadline - now) / 1_000_000 + 1
            // An error can only be EINTR; the loop looks again anyway.
            _ = poll(&watched, 1, Int32(clamping: milliseconds))
            if watched.revents != 0 { answered.wait() }
        }
    }

    /// The endpoints of a plan that have addresses. A service (RFC 2782) brings tiers of its own:
    /// the first takes part in the tier that it is written in, the others follow it.
    static func candidates(
        of plan: ClusterPlan, _ resolutions: [Lookup: Resolution]
    ) -> [[ClusterEndpoints.Candidate]] {
        var tiers: [[ClusterEndpoints.Candidate]] = []
        for tier in plan.tiers {
            var own: [ClusterEndpoints.Candidate] = []
            var further: [[ClusterEndpoints.Candidate]] = []
            for endpoint in tier {
                if case .address(let address) = endpoint.target {
                    own.append(.init(endpoint, at: address))
                    continue
                }
                guard let lookup = Lookup(endpoint.target, plan.dns) else { continue }
                switch (resolutions[lookup], endpoint.target) {
                case (.addresses(let addresses), .name(_, let port)):
                    own += addresses.map { .init(endpoint, at: .ip($0, port: port)) }
                case (.tiers(let found), _):
                    for (number, targets) in found.enumerated() {
                        let candidates = ServiceTarget.shares(of: targets).map {
                            ClusterEndpoints.Candidate(endpoint, at: $0.address, weight: $0.weight)
                        }
                        if number == 0 {
                            own += candidates
                        } else {
                            while further.count < number { further.append([]) }
                            further[number - 1] += candidates
                        }
                    }
                default: continue
                }
            }
            tiers.append(own)
            tiers += further
        }
        return tiers
    }

    /// Asks what the resolver knows of every name; it is received on the resolver's thread, which
    /// must not wait. Nothing comes where names are not looked up.
    public func reportNames(_ receive: @escaping @Sendable (ResolverReport) -> Void) {
        resolver.withLock { $0 }?.report(receive)
    }

    /// The same of what checks have found, on their thread.
    public func reportChecks(_ receive: @escaping @Sendable (HealthReport) -> Void) {
        checker.withLock { $0 }?.report(receive)
    }

    // MARK: - Health

    /// Under the lock, so that what is wanted last is said last.
    private func wantChecks(_ state: inout State) {
        guard let wanted = state.checks.takeWanted() else { return }
        checker.withLock { $0?.want(wanted) }
    }

    /// On the thread of the checks.
    private func take(_ verdicts: [HealthCheck: HealthVerdict]) {
        let changes = state.withLock { state in
            let before = state.checks.verdicts
            for place in state.checks.note(verdicts) { state.clusters[place].note(verdicts) }
            return verdicts.compactMap { check, verdict -> HealthChange? in
                let users = state.checks.users(of: check)
                guard !users.isEmpty else { return nil }
                return HealthChange(
                    clusters: Set(users.map { state.plans[$0].name }).sorted(),
                    address: check.address, verdict: verdict, former: before[check])
            }
        }
        answered.signal()
        healthChanged.withLock { $0 }?(changes)
    }

    /// In the order of the plan.
    public var all: [ClusterEndpoints] { state.withLock { $0.clusters } }

    /// The same, each with its plan as it is now.
    public var allPlanned: [(plan: ClusterPlan, endpoints: ClusterEndpoints)] {
        state.withLock { Array(zip($0.plans, $0.clusters)) }
    }

    /// Looks at every cluster.
    /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
    /// - Returns: when to look again; nil = when somebody calls.
    func review(now: UInt64) -> UInt64? {
        let all = all
        let next = all.compactMap { $0.review(now: now) }.min()
        // Each is asked: what was said once is not said again.
        if all.count(where: { $0.takeDepartures() }) > 0 { departing.withLock { $0 }?() }
        return next
    }
}
