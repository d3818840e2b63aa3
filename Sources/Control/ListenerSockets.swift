import CLinux
import Discovery
import Engine
import GatewayAPI
import Kernel
import Primitives
import Routing

/// The listening sockets of the running plan, for all workers: bound by the control thread before a
/// worker sees the plan, so that every error surfaces first. Each worker gets sockets of its own:
/// with SO_REUSEPORT the kernel spreads clients over them (`socket(7)`), and of a Unix socket,
/// which has no such option, each gets a duplicate. The next plan keeps the sockets whose transport
/// and address it has too, and with them the clients that wait in their queues.
///
/// The descriptors become the workers' with the plan; the files of Unix sockets stay this type's,
/// and are removed with their listener or with it.
struct ListenerSockets: ~Copyable {
    /// What makes a socket the same in two plans.
    struct Place: Hashable {
        let network: ListenerFailure.Network
        let address: SocketAddress
        /// For port 0, with which each listener has a port of its own.
        let owner: String

        init(_ listener: ListenerPlan, _ address: SocketAddress) {
            network = listener.network
            self.address = address
            if case .ip(_, port: 0) = address { owner = listener.name } else { owner = "" }
        }
    }

    struct Port: Hashable {
        let network: ListenerFailure.Network
        let number: UInt16

        /// Nil where there is none, or any will do.
        init?(_ network: ListenerFailure.Network, _ address: SocketAddress) {
            guard case .ip(_, let port) = address, port != 0 else { return nil }
            self.network = network
            number = port
        }
    }

    /// A listening address, with one socket for each worker.
    struct Bound {
        let place: Place
        let number: UInt64
        /// Where it listens in fact: with the port that the system chose for port 0, and 0.0.0.0
        /// for `::` on a host without IPv6.
        let address: SocketAddress
        let file: UnixSocketFile?
    }

    /// Sockets that a plan gave up; the workers may not yet have closed them.
    private struct Departed {
        let bound: Bound
        /// The plan's number, for comparison with `WorkerHandle.plansSettled`.
        let publication: UInt64
    }

    /// What one address of a new plan gets.
    struct Slot {
        let listener: Int
        let address: SocketAddress
        var bound: Bound?
        var kept: Int?
        var descriptors: [Descriptor] = []
        var isAgain = false
    }

    let workerCount: Int
    let features: KernelFeatures
    let directory: EndpointDirectory
    /// For each worker what it is to be told of the plan.
    private(set) var workers: [WorkerPlan] = []
    /// What is served: the plan that was asked for without the addresses that could not be bound.
    private(set) var plan = Plan()
    private var bound: [[Bound]] = []
    private var limits: [ConnectionBudget?] = []
    private var tls = TLSServers()
    private var tlsClients = TLSClients()
    /// What the last change of the plan could not have, in sentences for the log.
    private(set) var tlsFailures: [String] = []
    private var departed: [Departed] = []
    private var publications: UInt64 = 0
    private var numberLast: UInt64 = 0

    /// In the order of the plan.
    var addresses: [[SocketAddress]] { bound.map { $0.map(\.address) } }

    init(workers: Int, features: KernelFeatures, directory: EndpointDirectory) {
        precondition(workers > 0)
        self.directory = directory
        workerCount = workers
        self.features = features
    }

    /// The first plan: on failure every socket that was made is closed and every file removed.
    init(
        plan: Plan, workers: Int, features: KernelFeatures, directory: EndpointDirectory
    ) throws(ListenerFailure) {
        self.init(workers: workers, features: features, directory: directory)
        var slots = self.slots(of: plan)
        if let failure = open(&slots, of: plan, stopsAtFailure: true).first {
            for slot in slots {
                for descriptor in slot.descriptors { _ = apus_close(descriptor) }
                slot.bound?.file?.remove()
            }
            throw failure
        }
        commit(plan, slots, drainDeadline: 0)
    }

    deinit {
        for file in bound.joined().compactMap(\.file) { file.remove() }
    }

    // MARK: - The next plan

    /// Keeps, opens and gives up sockets for a plan in the place of the last.
    /// - Parameters:
    ///   - drainDeadline: when the connections of listeners that go are ended.
    ///   - settled: how many plans every worker has put into effect to the last.
    /// - Returns: the addresses that it goes on without.
    mutating func replace(
        with plan: Plan, drainDeadline: UInt64, settled: UInt64
    ) -> [ListenerFailure] {
        departed.removeAll { $0.publication <= settled }
        var slots = self.slots(of: plan)
        let failures = open(&slots, of: plan, stopsAtFailure: false)
        commit(plan, slots, drainDeadline: drainDeadline)
        return failures
    }

    /// Goes on under a plan that differs in the endpoints of some clusters only: workers see these
    /// at once, without a plan.
    mutating func replaceEndpoints(with plan: Plan, of clusters: [Int]) {
        tlsFailures = tlsClients.follow(plan.clusters).map(\.description)
        directory.replaceEndpoints(
            clusters.map { ($0, plan.clusters[$0]) }, tls: tlsClients.known)
        self.plan.clusters = plan.clusters
    }

    func rotateTickets() { tls.rotateTickets() }

    private func slots(of plan: Plan) -> [Slot] {
        var held: [Place: (Int, Bound)] = [:]
        for (index, bound) in bound.joined().enumerated() { held[bound.place] = (index, bound) }
        return plan.listeners.enumerated().flatMap { index, listener in
            listener.addresses.map { address in
                var slot = Slot(listener: index, address: address)
                if let (kept, bound) = held.removeValue(forKey: Place(listener, address)) {
                    (slot.kept, slot.bound) = (kept, bound)
                }
                return slot
            }
        }
    }

    /// Ports that sockets of this process have: whether another process has them too cannot be
    /// learnt then.
    var portsHeld: Set<Port> {
        let all = [bound.joined().map(\.self), departed.map(\.bound)].joined()
        return Set(all.compactMap { Port($0.place.network, $0.address) })
    }

    /// The number of sockets that a plan gave up at the same place, if they may still be open. A
    /// Unix socket's name is gone with its file.
    mutating func number(for place: Place) -> (UInt64, isAgain: Bool) {
        if case .ip = place.address,
            let index = departed.lastIndex(where: { $0.bound.place == place })
        {
            return (departed.remove(at: index).bound.number, true)
        }
        numberLast += 1
        return (numberLast, false)
    }

    private mutating func commit(_ wanted: Plan, _ slots: [Slot], drainDeadline: UInt64) {
        publications += 1
        tlsFailures = tls.follow(wanted).map(\.description)
        tlsFailures += tlsClients.follow(wanted.clusters).map(\.description)
        let served = slots.filter { $0.bound != nil }
        let byListener = Dictionary(grouping: served, by: \.listener)
        let owners = bound.indices.flatMap { index in bound[index].map { _ in index } }
        var next = Plan(clusters: wanted.clusters)
        var nextBound: [[Bound]] = []
        var nextLimits: [ConnectionBudget?] = []
        var parts = Array(repeating: [WorkerPlan.Listener](), count: workerCount)
        var continued = Set<Int>()
        for (index, listener) in wanted.listeners.enumerated() {
            guard let own = byListener[index] else { continue }
            let former = own.compactMap(\.kept).map { owners[$0] }
                .first { continued.insert($0).inserted }
            let limit = limit(of: listener, former: former)
            let table = WorkerPlan.table(of: listener, compile: HTTPExpression.compile)
            for worker in 0..<workerCount {
                parts[worker].append(
                    WorkerPlan.Listener(
                        former: former, limit: limit, sockets: own.map { $0.socket(worker) },
                        table: table, tls: tls.servers(of: listener)))
            }
            var kept = listener
            kept.addresses = own.map(\.address)
            next.listeners.append(kept)
            nextBound.append(own.compactMap(\.bound))
            nextLimits.append(limit)
        }
        giveUp(except: Set(served.compactMap(\.kept)))
        let clusters = PlanChange.formerClusters(of: next, in: plan)
        let endpoints = directory.follow(
            next.clusters, former: clusters, tls: tlsClients.known)
        (plan, bound, limits) = (next, nextBound, nextLimits)
        workers = parts.map { part in
            WorkerPlan(
                plan: next, listeners: part, clustersFormer: clusters, endpoints: endpoints,
                drainDeadline: drainDeadline)
        }
    }

    /// The same budget for a listener that goes on, so that those who are there still count.
    private func limit(of listener: ListenerPlan, former: Int?) -> ConnectionBudget? {
        let new = WorkerPlan.limit(of: listener)
        guard let new, let former, let old = limits[former] else { return new }
        old.countMax = new.countMax
        return old
    }

    private mutating func giveUp(except kept: Set<Int>) {
        for (index, bound) in bound.joined().enumerated() where !kept.contains(index) {
            bound.file?.remove()
            departed.append(Departed(bound: bound, publication: publications))
        }
    }

    /// Removes the files of Unix sockets.
    mutating func removeFiles() {
        for file in bound.joined().compactMap(\.file) { file.remove() }
    }
}

extension ListenerSockets.Slot {
    func socket(_ worker: Int) -> WorkerPlan.Socket {
        if let kept { return .kept(kept) }
        guard let bound else { fatalError("only what is bound is served") }
        return .opened(descriptors[worker], number: bound.number, isAgain: isAgain)
    }
}
