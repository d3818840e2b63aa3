import Discovery
import Engine
import Health
import Primitives
import Routing

/// What the process was like at one moment: a plain value, from which everything that the admin
/// server shows is written.
public struct Snapshot: Sendable {
    public struct Listener: Hashable, Sendable {
        /// `namespace/gateway/listener`.
        public var name: String
        public var isDatagram: Bool
        /// As they were bound.
        public var addresses: [SocketAddress]
        /// `Kind/namespace/name`.
        public var route: String?

        public init(
            name: String, isDatagram: Bool, addresses: [SocketAddress], route: String? = nil
        ) {
            self.name = name
            self.isDatagram = isDatagram
            self.addresses = addresses
            self.route = route
        }
    }

    /// Why an endpoint is not to be used; none of them = it is healthy. Words and order are Envoy's
    /// (`setHealthFlag` in `host_utility.cc`).
    public enum HealthFlag: String, Hashable, Sendable, CaseIterable {
        /// Active checks say so.
        case failedActiveCheck = "failed_active_hc"
        /// Connects failed, and it is left out for a time.
        case failedOutlierCheck = "failed_outlier_check"
        /// It is no endpoint of the cluster any more, and still serves somebody.
        case pendingRemoval = "pending_dynamic_removal"
        /// It was not checked yet.
        case pendingActiveCheck = "pending_active_hc"
    }

    /// An endpoint's state in one word, the one that explains most where several are true.
    public enum EndpointState: String, Hashable, Sendable, CaseIterable {
        case serving
        /// It is well, and endpoints of a tier before its own serve.
        case standby
        case pending
        case ejected
        case down
        case draining
    }

    public struct Endpoint: Hashable, Sendable {
        public var address: SocketAddress
        /// The name that it was looked up by, or that it was given.
        public var hostname: String?
        public var zone: String?
        public var tier = 0
        public var weight: UInt32 = 1
        public var state = EndpointState.serving
        /// In the order of all.
        public var flags: [HealthFlag] = []
        /// How it is checked; nil = it is not.
        public var check: HealthCheck?
        /// One clause; nil = there is nothing to say.
        public var why: String?
        /// Connections and flows that it serves.
        public var live = 0
        /// That were led to it, of all time.
        public var led: UInt64 = 0
        /// Connects that failed, and datagrams refused.
        public var failures: UInt64 = 0
        public var ejections: UInt32 = 0
        /// Until it is let in again.
        public var returnsMilliseconds: UInt64?

        public init(_ address: SocketAddress) {
            self.address = address
        }

        public var isHealthy: Bool { flags.isEmpty }
    }

    public struct Cluster: Hashable, Sendable {
        /// As it is called everywhere: `tcproute/NAMESPACE/ROUTE/backend/NAMESPACE/BACKEND`.
        public var name: String
        public var plan: ClusterPlan
        public var endpoints: [Endpoint]
        /// How often a source passed its limits for want of a place to note it.
        public var sourcesUnnoted: UInt64

        public init(
            name: String, plan: ClusterPlan, endpoints: [Endpoint], sourcesUnnoted: UInt64 = 0
        ) {
            self.name = name
            self.plan = plan
            self.endpoints = endpoints
            self.sourcesUnnoted = sourcesUnnoted
        }
    }

    public var version: String
    public var state: Insight.State
    public var uptimeMilliseconds: UInt64
    public var workerCount: Int
    public var connectionsMax: Int
    /// Over all workers.
    public var totals: Statistics.Values
    public var listeners: [Listener]
    public var clusters: [Cluster]
    public var settings: [(name: String, value: String)]

    public init(
        version: String, state: Insight.State, uptimeMilliseconds: UInt64, workerCount: Int,
        connectionsMax: Int, totals: Statistics.Values, listeners: [Listener],
        clusters: [Cluster], settings: [(name: String, value: String)]
    ) {
        self.version = version
        self.state = state
        self.uptimeMilliseconds = uptimeMilliseconds
        self.workerCount = workerCount
        self.connectionsMax = connectionsMax
        self.totals = totals
        self.listeners = listeners
        self.clusters = clusters
        self.settings = settings
    }
}

// MARK: - From the running process

extension Snapshot.Cluster {
    static func all(
        _ clusters: [(plan: ClusterPlan, endpoints: ClusterEndpoints)], now: UInt64
    ) -> [Snapshot.Cluster] {
        zip(names(of: clusters.map(\.plan)), clusters).map { name, cluster in
            Snapshot.Cluster(
                name: name, plan: cluster.plan,
                endpoints: cluster.endpoints.statuses.map { Snapshot.Endpoint($0, now: now) },
                sourcesUnnoted: cluster.endpoints.limits?.unnoted ?? 0)
        }
    }

    /// Begins as Envoy Gateway's names do, and has the Backend's as people write it, so that it is
    /// found by either. A route that has a Backend several times has several clusters of one name:
    /// they get numbers from 2 on.
    static func names(of plans: [ClusterPlan]) -> [String] {
        var counts: [String: Int] = [:]
        return plans.map { plan in
            let route = plan.route.split(separator: "/", maxSplits: 1)
            let kind = route.first?.lowercased() ?? ""
            let name = "\(kind)/\(route.last ?? "")/backend/\(plan.name)"
            let number = counts[name, default: 0] + 1
            counts[name] = number
            return number == 1 ? name : "\(name)/\(number)"
        }
    }
}

extension Snapshot.Endpoint {
    init(_ status: ClusterEndpoints.Status, now: UInt64) {
        self.init(status.address)
        hostname = status.plan.hostname
        if case .name(let name, port: _) = status.plan.target { hostname = hostname ?? name }
        zone = status.plan.zone
        tier = status.tier
        weight = status.weight
        live = status.live
        led = status.led
        failures = status.failures
        ejections = status.ejections
        check = status.check
        if status.standing == .relieved { (state, why) = (.standby, "a tier before it serves") }
        if status.verdict == .pending {
            flags.append(.pendingActiveCheck)
            (state, why) = (.pending, "not checked yet")
        }
        if let returns = status.returns {
            flags.append(.failedOutlierCheck)
            let left = returns > now ? (returns - now) / 1_000_000 : 0
            returnsMilliseconds = left
            (state, why) = (.ejected, "failed connects; tried again in \((left + 999) / 1_000) s")
        }
        if let fault = status.fault {
            why = (why.map { $0 + "; " } ?? "") + "its last handshake failed: \(fault)"
        }
        if case .unhealthy(let failure) = status.verdict {
            flags.append(.failedActiveCheck)
            (state, why) = (.down, "\(failure)")
        }
        // Where too few of its tier are well, clients are led to all (the panic threshold).
        let isPanicking = state == .down || state == .ejected && status.verdict == nil
        if isPanicking, status.standing == .serving {
            why = (why ?? "") + "; used all the same, as too few of its tier are well"
        }
        if status.standing == .gone {
            flags.append(.pendingRemoval)
            (state, why) = (.draining, "it left the Backend")
        }
        flags = Snapshot.HealthFlag.allCases.filter { flags.contains($0) }
    }
}
