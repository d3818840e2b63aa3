import CLinux
import Kernel
import Primitives
import Resolver
import Routing
import Synchronization

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

        var unresolvedCount: Int { users.keys.count { resolutions[$0] == nil } }
    }

    /// Of all workers.
    public let quiescence: Quiescence
    public let attention: EndpointAttention
    /// Signalled with each answer about names.
    private let answered: Wakeup
    private let state = Mutex(State())
    /// Set once, right after the start.
    private let resolver = Mutex<ResolverThread?>(nil)
    /// Who is told, on the keeper's thread, that workers should look for clients of endpoints that
    /// they are to leave.
    private let departing = Mutex<(@Sendable () -> Void)?>(nil)
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

    /// - Parameter tell: called on the keeper's thread; it must not wait.
    public func onDeparture(_ tell: @escaping @Sendable () -> Void) {
        departing.withLock { $0 = tell }
    }

    // MARK: - Plans

    /// The endpoints of the clusters of a new plan: where one goes on, those that it had; where its
    /// Backend stays and says something else, the endpoints that it still has are the same.
    /// - Parameter former: for each cluster the place of its equal in the plan before.
    public func follow(_ plans: [ClusterPlan], former: [Int?]) -> [ClusterEndpoints] {
        let (clusters, wanted) = state.withLock { state in
            var byName: [Name: ClusterEndpoints] = [:]
            for one in state.clusters { byName[Name(one.plan)] = one }
            let after = zip(plans, former).map { plan, former in
                if let former { return state.clusters[former] }
                return ClusterEndpoints(
                    plan, Self.candidates(of: plan, state.resolutions), quiescence: quiescence,
                    attention: attention, former: byName[Name(plan)], zone: zone)
            }
            state.clusters = after
            state.plans = plans
            return (after, Self.noteUsers(&state))
        }
        want(wanted)
        return clusters
    }

    /// Takes the endpoints of other plans for clusters that differ in nothing else.
    /// - Parameter changes: each cluster's place in the plan in force, and what it is now.
    public func replaceEndpoints(_ changes: [(place: Int, plan: ClusterPlan)]) {
        let wanted = state.withLock { state in
            for (place, plan) in changes {
                state.plans[place] = plan
                // Where a new name is not resolved yet, the endpoints before it serve on.
                guard Self.isResolved(plan, state.resolutions) else { continue }
                state.clusters[place].replace(Self.candidates(of: plan, state.resolutions))
            }
            return Self.noteUsers(&state)
        }
        want(wanted)
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
            for place in places {
                state.clusters[place].replace(
                    Self.candidates(of: state.plans[place], state.resolutions))
            }
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

    /// Waits until there is a verdict on every name, one way or the other: clients of their
    /// clusters would find no endpoint.
    /// - Parameter deadline: CLOCK_MONOTONIC, nanoseconds.
    /// - Returns: how many are still without.
    public func awaitNames(until deadline: UInt64) -> Int {
        while true {
            let count = state.withLock { $0.unresolvedCount }
            let now = apus_monotonic()
            guard count > 0, now < deadline else { return count }
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
            // TLS to endpoints is not spoken yet, and nothing goes in the clear instead.
            for endpoint in tier where endpoint.tls == nil {
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

    // MARK: - Health

    /// In the order of the plan.
    public var all: [ClusterEndpoints] { state.withLock { $0.clusters } }

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
