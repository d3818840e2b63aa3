import Kernel
import Primitives
import Routing

/// A worker's own state for each listener of the plan.
struct ListenerState {
    let plan: ListenerPlan
    let tcp: TCPListenerPlan
    let udp: UDPListenerPlan
    /// 0 = connections may be idle for ever.
    let idleTicks: UInt64
    let inspectionTicks: UInt64
    /// `connectionsMax`, over all workers.
    let limit: ConnectionBudget?
    var backends: WeightedRoundRobin?
    /// The listener's own and then its route's; a client must pass all that there are.
    let authorizations: [AuthorizationPlan]
    /// Connections that live, or flows.
    var count = 0

    init(_ plan: ListenerPlan, limit: ConnectionBudget? = nil) {
        self.limit = limit
        self.plan = plan
        switch plan.transport {
        case .tcp(let tcp): (self.tcp, udp) = (tcp, UDPListenerPlan())
        case .udp(let udp): (tcp, self.udp) = (TCPListenerPlan(), udp)
        }
        idleTicks = Tick.count(milliseconds: tcp.idleTimeoutMilliseconds)
        inspectionTicks = max(1, Tick.count(milliseconds: tcp.inspectionTimeoutMilliseconds))
        backends = plan.route.map { WeightedRoundRobin(weights: $0.backends.map(\.weight)) }
        authorizations = [plan.authorization, plan.route?.authorization].compactMap(\.self)
    }

    /// - Parameter client: nil = it has no address, as over a Unix socket.
    func allows(_ client: IPAddress?) -> Bool {
        for authorization in authorizations where !authorization.decide(client: client).isAllowed {
            return false
        }
        return true
    }

    /// What a new client gets.
    enum Choice {
        case cluster(Int)
        case refusal(TerminationReason)
    }

    mutating func pick() -> Choice {
        guard let route = plan.route else { return .refusal(.noRoute) }
        guard let place = backends?.pick(), let cluster = route.backends[place].cluster else {
            return .refusal(.noEndpoint)
        }
        return .cluster(cluster)
    }
}

/// One listening socket of this worker.
struct ListenerSocket: BitwiseCopyable {
    let descriptor: Descriptor
    let listener: UInt16
    let isDatagram: Bool
    /// An IP socket, which has TCP's options.
    let isIP: Bool
    /// Bound to a wildcard address: datagrams tell which address they were sent to.
    let isWildcard: Bool
    /// An operation is in the kernel.
    var isArmed = false
    /// Accepting waits until there is room again.
    var isPaused = false
    var isClosed = false
}

/// A worker's own state for each cluster of the plan.
struct ClusterState {
    let plan: ClusterPlan
    /// The endpoints' addresses at a place that operations may point to.
    let addresses: UnsafeMutablePointer<RawSocketAddress>
    let count: Int
    let connectTicks: UInt64
    let flowIdleTicks: UInt64
    /// Answers that a flow waits for after each request; 0 = it does not count them.
    let answersPerRequest: Int64
    /// The endpoint whose turn is next.
    private var cursor = 0

    init(_ plan: ClusterPlan) {
        self.plan = plan
        count = plan.endpoints.count
        addresses = .allocate(capacity: max(count, 1))
        for place in 0..<count { (addresses + place).initialize(to: plan.endpoints[place].raw) }
        connectTicks = max(1, Tick.count(milliseconds: plan.connectTimeoutMilliseconds))
        answersPerRequest = Int64(plan.udp.expectedResponses ?? 0)
        flowIdleTicks = max(1, Tick.count(milliseconds: plan.udp.idleTimeoutMilliseconds))
    }

    /// Round robin; nil without endpoints.
    mutating func pick() -> Int? {
        guard count > 0 else { return nil }
        let place = cursor
        cursor = place + 1 == count ? 0 : place + 1
        return place
    }
}

/// What a worker serves: the plan's listeners with its own sockets, and the clusters, as flat
/// tables with stable addresses. Owned by one worker.
struct Roster: ~Copyable {
    let listeners: UnsafeMutablePointer<ListenerState>
    let listenerCount: Int
    let sockets: UnsafeMutablePointer<ListenerSocket>
    let socketCount: Int
    let clusters: UnsafeMutablePointer<ClusterState>
    let clusterCount: Int

    init(_ workerPlan: WorkerPlan) {
        let plan = workerPlan.plan
        precondition(plan.listeners.count <= Int(UInt16.max))
        listenerCount = plan.listeners.count
        listeners = .allocate(capacity: max(listenerCount, 1))
        var all: [ListenerSocket] = []
        for (index, listener) in plan.listeners.enumerated() {
            (listeners + index).initialize(
                to: ListenerState(listener, limit: workerPlan.limits[index]))
            let descriptors = workerPlan.sockets[index]
            precondition(descriptors.count == listener.addresses.count, "a socket an address")
            for (address, descriptor) in zip(listener.addresses, descriptors) {
                all.append(Self.socket(descriptor, index, listener, address))
            }
        }
        socketCount = all.count
        sockets = .allocate(capacity: max(socketCount, 1))
        sockets.initialize(from: all, count: socketCount)
        clusterCount = plan.clusters.count
        clusters = .allocate(capacity: max(clusterCount, 1))
        for (index, cluster) in plan.clusters.enumerated() {
            (clusters + index).initialize(to: ClusterState(cluster))
        }
    }

    private static func socket(
        _ descriptor: Descriptor, _ index: Int, _ listener: ListenerPlan, _ address: SocketAddress
    ) -> ListenerSocket {
        var isIP = false
        var isWildcard = false
        if case .ip(let ip, _) = address { (isIP, isWildcard) = (true, ip.isAny) }
        var isDatagram = false
        if case .udp = listener.transport { isDatagram = true }
        return ListenerSocket(
            descriptor: descriptor, listener: UInt16(index), isDatagram: isDatagram, isIP: isIP,
            isWildcard: isWildcard)
    }

    deinit {
        for index in 0..<clusterCount { clusters[index].addresses.deallocate() }
        clusters.deinitialize(count: clusterCount)
        clusters.deallocate()
        listeners.deinitialize(count: listenerCount)
        listeners.deallocate()
        sockets.deallocate()
    }
}

/// The worker's unit of time for deadlines: 2^23 ns, about 8.4 ms, so that a shift makes one from
/// the clock.
enum Tick {
    static let shift: UInt64 = 23

    static func at(nanoseconds: UInt64) -> UInt64 { nanoseconds >> shift }

    static func nanoseconds(_ tick: UInt64) -> UInt64 { tick << shift }

    /// Rounded up, so that no time-out is early.
    static func count(milliseconds: UInt32) -> UInt64 {
        (UInt64(milliseconds) * 1_000_000 + (1 << shift) - 1) >> shift
    }
}
