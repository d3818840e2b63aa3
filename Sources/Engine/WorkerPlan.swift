import Discovery
import Kernel
import Primitives
import Routing
import TLS

/// A plan with what it means for one worker that may be serving another: which of its listeners,
/// sockets and clusters go on, by their places in the plan before, and which are new. Whoever
/// publishes plans works that out once for all workers, and gives every worker every plan.
public struct WorkerPlan: Sendable {
    /// One listening socket of this worker, bound, listening and non-blocking.
    public enum Socket: Hashable, Sendable {
        /// The one at this place among all sockets of the plan before, in the order of its
        /// listeners and their addresses.
        case kept(Int)
        /// A new one, which becomes the worker's to close.
        /// - Parameters:
        ///   - number: names it for later.
        ///   - isAgain: a former plan gave up a socket of this number and address. If the worker
        ///     still has it, because its flows have not ended, that one goes on, and the new one is
        ///     closed: of two, the kernel would still give half of the clients to the old one.
        case opened(Descriptor, number: UInt64, isAgain: Bool)
    }

    public struct Listener: Sendable {
        /// The listener of the plan before that goes on as this one, with its connections.
        public var former: Int?
        /// `connectionsMax`, which all workers share.
        public var limit: ConnectionBudget?
        /// One for each address.
        public var sockets: [Socket]
        /// Of a listener that looks at what clients ask for; the same for all workers.
        public var table: ListenerTable?
        /// Of each server of a listener for TLS that ends it; the same for all workers. Nil = it
        /// does not, or its certificates cannot be used.
        public var tls: [TLSServer?]
        /// Of a listener that reads requests; the same for all workers.
        public var program: HTTPProgram?

        public init(
            former: Int?, limit: ConnectionBudget?, sockets: [Socket],
            table: ListenerTable? = nil, tls: [TLSServer?] = []
        ) {
            self.former = former
            self.limit = limit
            self.sockets = sockets
            self.table = table
            self.tls = tls
            program = table.flatMap { $0.plan.readsRequests ? HTTPProgram($0) : nil }
        }
    }

    public let plan: Plan
    /// In the order of the plan.
    public let listeners: [Listener]
    /// For each cluster of the plan the place of its equal in the plan before; nil = it is new.
    public let clustersFormer: [Int?]
    /// Of each cluster; those of one that goes on are the same as before.
    public let endpoints: [ClusterEndpoints]
    /// When connections and flows of listeners that go are ended (CLOCK_MONOTONIC, nanoseconds).
    public let drainDeadline: UInt64

    /// - Parameter endpoints: nil = those of the plan, which nobody looks after.
    public init(
        plan: Plan, listeners: [Listener], clustersFormer: [Int?],
        endpoints: [ClusterEndpoints]? = nil, drainDeadline: UInt64
    ) {
        let endpoints = endpoints ?? Self.unattended(plan)
        precondition(listeners.count == plan.listeners.count)
        precondition(clustersFormer.count == plan.clusters.count)
        precondition(endpoints.count == plan.clusters.count)
        for (listener, plan) in zip(listeners, plan.listeners) {
            precondition(listener.sockets.count == plan.addresses.count, "a socket an address")
            if case .tls(let servers) = plan.routes {
                precondition(listener.tls.count == servers.count, "a place for each server")
            }
            precondition((listener.table == nil) == plan.isOpaque, "a table where one is needed")
        }
        self.plan = plan
        self.listeners = listeners
        self.clustersFormer = clustersFormer
        self.endpoints = endpoints
        self.drainDeadline = drainDeadline
    }

    private static func unattended(_ plan: Plan) -> [ClusterEndpoints] {
        let quiescence = Quiescence(readers: 0)
        return plan.clusters.map { ClusterEndpoints($0, quiescence: quiescence) }
    }

    /// A first plan for a lone worker.
    /// - Parameter tls: of each listener what ends TLS; nil = none does.
    public init(
        plan: Plan, sockets: [[Descriptor]], endpoints: [ClusterEndpoints]? = nil,
        tls: [[TLSServer?]]? = nil
    ) {
        var number: UInt64 = 0
        let tls = tls ?? plan.listeners.map(Self.servers)
        let listeners = zip(zip(plan.listeners, sockets), tls).map { part, tls in
            let (listener, descriptors) = part
            let sockets = descriptors.map { descriptor in
                number += 1
                return Socket.opened(descriptor, number: number, isAgain: false)
            }
            return Listener(
                former: nil, limit: Self.limit(of: listener), sockets: sockets,
                table: Self.table(of: listener), tls: tls)
        }
        self.init(
            plan: plan, listeners: listeners,
            clustersFormer: Array(repeating: nil, count: plan.clusters.count),
            endpoints: endpoints, drainDeadline: 0)
    }

    /// What finds routes by what clients ask for; nil where nothing is looked at.
    /// - Parameter compile: see `HTTPTable`.
    public static func table(
        of listener: ListenerPlan, compile: (String) -> HTTPTable.Expression? = { _ in nil }
    ) -> ListenerTable? {
        listener.isOpaque ? nil : ListenerTable(listener, compile: compile)
    }

    /// One for each server of a listener for TLS, of which none ends it.
    private static func servers(of listener: ListenerPlan) -> [TLSServer?] {
        guard case .tls(let servers) = listener.routes else { return [] }
        return servers.map { _ in nil }
    }

    /// A new budget for a listener that has a limit of its own.
    public static func limit(of listener: ListenerPlan) -> ConnectionBudget? {
        guard case .tcp(let tcp) = listener.transport else { return nil }
        return tcp.connectionsMax.map { ConnectionBudget(countMax: Int($0)) }
    }
}
