import Kernel
import Primitives
import Routing

/// What a worker serves: listeners, their sockets, and clusters, of the plan it was given last and,
/// as long as something lives that refers to them, of those before. Everything is referred to by
/// number and counted by whoever refers to it; numbers that became free are used again. Owned by
/// one worker.
struct Roster: ~Copyable {
    /// What changed for the sockets with a plan: their numbers.
    struct Change {
        /// To be served from now on.
        var opened: [UInt32] = []
        /// Kept, but their options may have changed.
        var retuned: [UInt32] = []
        /// To be closed when nobody needs them.
        var leaving: [UInt32] = []
        /// Not needed after all.
        var superfluous: [Descriptor] = []
    }

    var listeners = RosterTable<ListenerState>()
    var sockets = Slab<ListenerSocket>(capacity: Int(UInt16.max))
    var clusters = RosterTable<ClusterState>()
    var programs = RosterTable<ProgramState>()
    /// Sockets that were given up and are not yet closed.
    private(set) var leavingCount = 0

    // MARK: Of the last plan, in its order
    private var listenersServed: [UInt32] = []
    private var socketsServed: [UInt32] = []
    private var clustersServed: [UInt32] = []

    private let seed: UInt64

    /// - Parameter seed: another for each worker.
    init(seed: UInt64 = 0) {
        self.seed = seed
    }

    // MARK: - A new plan

    /// Puts a plan in the place of the last.
    /// - Parameter departure: the tick by which all that goes is to have ended.
    mutating func take(_ plan: WorkerPlan, departure: UInt64) -> Change {
        replaceClusters(plan)
        let listenersFormer = replaceListeners(plan)
        let change = replaceSockets(plan, departure: departure)
        for index in listenersFormer {
            listeners[index].pointee.departure = departure
            releaseListener(index)
        }
        return change
    }

    private mutating func replaceClusters(_ plan: WorkerPlan) {
        var former = clustersServed.map(Optional.init)
        clustersServed = plan.clustersFormer.indices.map { place in
            guard let old = plan.clustersFormer[place] else {
                return clusters.insert(
                    ClusterState(plan.plan.clusters[place], plan.endpoints[place], seed: seed))
            }
            guard let index = former[old] else { fatalError("a cluster goes on as one other") }
            former[old] = nil
            return index
        }
        for case let index? in former {
            clusters[index].pointee.isPlanned = false
            releaseCluster(index)
        }
    }

    /// - Returns: the listeners that go.
    private mutating func replaceListeners(_ plan: WorkerPlan) -> [UInt32] {
        var former = listenersServed.map(Optional.init)
        listenersServed = zip(plan.plan.listeners, plan.listeners).map { listener, part in
            guard let old = part.former else {
                let state = ListenerState(
                    listener, table: part.table, tls: part.tls, limit: part.limit,
                    clusters: clustersServed)
                let index = listeners.insert(state)
                holdClusters(of: index)
                setProgram(part.program, of: index)
                precondition(index < UInt32(UInt16.max), "a connection notes it in 16 bits")
                return index
            }
            guard let index = former[old] else { fatalError("a listener goes on as one other") }
            former[old] = nil
            let state = listeners[index]
            let clustersFormer = state.pointee.clusters
            state.pointee.adopt(
                listener, table: part.table, tls: part.tls, limit: part.limit,
                clusters: clustersServed)
            holdClusters(of: index)
            setProgram(part.program, of: index)
            for cluster in clustersFormer { releaseCluster(cluster) }
            return index
        }
        return former.compactMap(\.self)
    }

    /// Exchanges that began by the one before end by it.
    private mutating func setProgram(_ program: HTTPProgram?, of index: UInt32) {
        let listener = listeners[index]
        if listener.pointee.hasProgram { releaseProgram(listener.pointee.program) }
        listener.pointee.hasProgram = program != nil
        guard let program else { return }
        listener.pointee.program = programs.insert(ProgramState(program))
    }

    private func holdClusters(of listener: UInt32) {
        for cluster in listeners[listener].pointee.clusters {
            let state = clusters[cluster]
            state.pointee.references += 1
        }
    }

    private mutating func replaceSockets(_ plan: WorkerPlan, departure: UInt64) -> Change {
        var change = Change()
        var former = socketsServed.map(Optional.init)
        var served: [UInt32] = []
        for (place, part) in plan.listeners.enumerated() {
            let listener = plan.plan.listeners[place]
            for (address, socket) in zip(listener.addresses, part.sockets) {
                let owner = listenersServed[place]
                switch socket {
                case .kept(let old):
                    guard let index = former[old] else { fatalError("a socket is kept once") }
                    former[old] = nil
                    give(index, to: owner)
                    if listeners[owner].pointee.isKeepaliveNew { change.retuned.append(index) }
                    served.append(index)
                case .opened(let descriptor, let number, let isAgain):
                    let new = ListenerSocket(
                        descriptor, number: number, UInt16(owner), listener, address)
                    let index = admit(new, isAgain: isAgain, &change)
                    change.opened.append(index)
                    served.append(index)
                }
            }
        }
        for case let index? in former {
            sockets[index].pointee.isLeaving = true
            sockets[index].pointee.departure = departure
            leavingCount += 1
            change.leaving.append(index)
        }
        socketsServed = served
        return change
    }

    private mutating func admit(
        _ new: ListenerSocket, isAgain: Bool, _ change: inout Change
    ) -> UInt32 {
        if isAgain, let index = leaving(number: new.number) {
            sockets[index].pointee.isLeaving = false
            sockets[index].pointee.isPaused = false
            leavingCount -= 1
            give(index, to: UInt32(new.listener))
            change.superfluous.append(new.descriptor)
            return index
        }
        guard let index = sockets.claim() else {
            fatalError("a process cannot have so many listening sockets")
        }
        sockets[index].pointee = new
        let owner = listeners[UInt32(new.listener)]
        owner.pointee.socketCount += 1
        return index
    }

    private func leaving(number: UInt64) -> UInt32? {
        var next: UInt32 = 0
        while let index = sockets.firstLive(from: next) {
            let socket = sockets[index]
            if socket.pointee.isLeaving, socket.pointee.number == number { return index }
            next = index + 1
        }
        return nil
    }

    /// The clients of a socket are a listener's from now on.
    private mutating func give(_ index: UInt32, to listener: UInt32) {
        let former = UInt32(sockets[index].pointee.listener)
        guard former != listener else { return }
        sockets[index].pointee.listener = UInt16(listener)
        let (old, new) = (listeners[former], listeners[listener])
        new.pointee.socketCount += 1
        old.pointee.socketCount -= 1
        releaseListener(former)
    }

    // MARK: - The last reference

    /// Frees a listener that the plan no longer has, once nothing refers to it.
    @inline(__always)
    mutating func releaseListener(_ index: UInt32) {
        let listener = listeners[index]
        guard listener.pointee.departure != nil else { return }
        guard listener.pointee.count == 0, listener.pointee.socketCount == 0,
            listener.pointee.mirrorCount == 0
        else { return }
        let clusters = listener.pointee.clusters
        if listener.pointee.hasProgram { releaseProgram(listener.pointee.program) }
        listeners.remove(index)
        for cluster in clusters { releaseCluster(cluster) }
    }

    /// Gives back one reference to a cluster.
    @inline(__always)
    mutating func releaseCluster(_ index: UInt32) {
        let cluster = clusters[index]
        cluster.pointee.references -= 1
        guard cluster.pointee.references == 0 else { return }
        clusters.remove(index)
    }

    /// Gives back one reference to a program.
    @inline(__always)
    mutating func releaseProgram(_ index: UInt32) {
        let program = programs[index]
        program.pointee.references -= 1
        guard program.pointee.references == 0 else { return }
        programs.remove(index)
    }

    mutating func removeSocket(_ index: UInt32) {
        let socket = sockets[index].pointee
        precondition(!socket.isArmed && socket.flowCount == 0, "nothing needs a socket that goes")
        if socket.isLeaving { leavingCount -= 1 }
        sockets.release(index)
        let owner = listeners[UInt32(socket.listener)]
        owner.pointee.socketCount -= 1
        releaseListener(UInt32(socket.listener))
    }
}
