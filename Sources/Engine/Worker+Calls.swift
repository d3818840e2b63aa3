import CLinux
import Discovery
import Kernel
import Primitives
import Routing

/// From an exchange to an endpoint's connection: one that waits for work, or a new one.
extension Worker where R: ~Copyable {
    /// - Parameter picked: who is to be asked.
    mutating func ask(_ id: UInt32, _ picked: Unmanaged<Endpoint>) {
        if let index = takeIdle(picked) {
            let exchange = exchanges[id]
            exchange.pointee.isReused = true
            join(id, index)
            return sendRequest(id)
        }
        call(id, picked)
    }

    private mutating func join(_ id: UInt32, _ index: UInt32) {
        let exchange = exchanges[id]
        exchange.pointee.endpoint = index
        let peer = peers + Int(index)
        peer.pointee.exchange = id
        peer.pointee.exchanges &+= 1
    }

    /// Dials an endpoint for an exchange.
    private mutating func call(_ id: UInt32, _ picked: Unmanaged<Endpoint>) {
        let exchange = exchanges[id]
        let cluster = roster.clusters[exchange.pointee.cluster]
        var claim = ClusterLimits.Claim()
        let limits = cluster.pointee.endpoints.limits
        guard limits?.admit(&claim, client: nil, isPending: true, now: now) == nil,
            let endpoint = cluster.pointee.endpoints.take(picked)
        else {
            limits?.give(&claim)
            return fail(id, .overflow)
        }
        guard let index = connections.claim() else {
            endpoint._withUnsafeGuaranteedRef { $0.give() }
            limits?.give(&claim)
            return fail(id, .overflow)
        }
        let channel = Channel(direction: Direction(canSplice: false))
        connections[index].pointee = Connection(
            phase: .dialing, client: -1, listener: Connection.noListener, lastActivity: tick,
            request: channel, response: channel)
        var detail = ConnectionDetails()
        detail.claim = claim
        detail.endpoint = endpoint
        detail.dialDeadline = tick + cluster.pointee.connectTicks
        (details + Int(index)).initialize(to: detail)
        (peers + Int(index)).initialize(to: HTTPPeer())
        hold(exchange.pointee.cluster, by: index)
        join(id, index)
        tryEndpoint(index)
    }

    /// An endpoint was connected to.
    mutating func called(_ index: UInt32) {
        let connection = connections[index]
        connection.pointee.phase = .exchanging
        scheduleTrim()
        let input = details[Int(index)].endpointInput
        if input != BufferPool.none {
            (details + Int(index)).pointee.endpointInput = BufferPool.none
            guard decryptPeer(input, index, .response) else { return }
        }
        let header = roster.clusters[details[Int(index)].cluster].pointee.plan.proxyHeader
        if header != .none, connections[index].pointee.secured.isEmpty {
            guard let part = writeProxyHeader(header, index) else {
                return terminate(index, .outOfBuffers)
            }
            let isSent = put(bytes(of: part), index, .request)
            streamBuffers.give(part)
            guard isSent else { return }
        }
        armPeer(index, .response)
        let id = peers[Int(index)].exchange
        // Who wanted it has gone meanwhile.
        guard id != Exchange.none else { return park(index) }
        sendRequest(id)
    }

    /// Sends the head, and what is there of the body.
    private mutating func sendRequest(_ id: UInt32) {
        let exchange = exchanges[id]
        let index = exchange.pointee.endpoint
        let connection = connections[index]
        connection.pointee.lastActivity = tick
        if exchange.pointee.attemptTicks > 0 {
            let attempt = tick + exchange.pointee.attemptTicks
            let whole = exchange.pointee.deadline
            timers.set(exchangeTimer(id), deadline: whole == 0 ? attempt : min(attempt, whole))
        }
        var part = exchange.pointee.head.head
        for _ in 0..<exchange.pointee.head.count {
            guard put(bytes(of: part), index, .request) else { return }
            part = streamBuffers.load(part).pointee.next
        }
        // Nothing of the body is there, as a rule.
        guard exchange.pointee.progress.request != .passed else { return }
        readRequests(exchange.pointee.client)
    }

    // MARK: - Idle connections

    /// The connection to an endpoint that was used last; nil = there is none.
    private mutating func takeIdle(_ picked: Unmanaged<Endpoint>) -> UInt32? {
        let number = picked._withUnsafeGuaranteedRef { $0.number }
        var index = idle.first(number)
        while index != HTTPPeer.none {
            if endpointNumber(of: index) == number { break }
            index = peers[Int(index)].next
        }
        guard index != HTTPPeer.none else { return nil }
        unpark(index)
        details[Int(index)].endpoint?._withUnsafeGuaranteedRef { $0.noteLed() }
        return index
    }

    private func endpointNumber(of index: UInt32) -> UInt32 {
        guard let endpoint = details[Int(index)].endpoint else {
            fatalError("who is idle is connected to an endpoint")
        }
        return endpoint._withUnsafeGuaranteedRef { $0.number }
    }

    /// A connection waits for the next exchange, if its endpoint is one that is asked.
    mutating func park(_ index: UInt32) {
        let peer = peers + Int(index)
        peer.pointee.exchange = Exchange.none
        let detail = details[Int(index)]
        let cluster = roster.clusters[detail.cluster]
        let plan = cluster.pointee.plan
        let requestsMax = plan.circuitBreaker.requestsPerConnectionMax ?? .max
        let isWanted = detail.endpoint?._withUnsafeGuaranteedRef { $0.standing == .serving }
        // A PROXY header speaks for one client only.
        guard isWanted == true, service == .serving, !peer.pointee.isEnded,
            plan.proxyHeader == .none, cluster.pointee.isPlanned,
            peer.pointee.exchanges < requestsMax,
            connections[index].pointee.endpointFailure == 0
        else { return terminate(index, .answered) }
        idle.insert(index, endpoint: endpointNumber(of: index), in: peers)
        detail.endpoint?._withUnsafeGuaranteedRef { $0.park() }
        let ticks = cluster.pointee.idleTicks
        if ticks > 0, !timers.isSet(index) { timers.set(index, deadline: tick + ticks) }
    }

    mutating func unpark(_ index: UInt32) {
        idle.remove(index, endpoint: endpointNumber(of: index), in: peers)
        details[Int(index)].endpoint?._withUnsafeGuaranteedRef { $0.unpark() }
    }

    /// Whether a client may make another request by its connection.
    func keepsClient(_ index: UInt32) -> Bool {
        let listener = roster.listeners[UInt32(connections[index].pointee.listener)]
        return service == .serving && listener.pointee.departure == nil
    }

    /// Ends connections that wait for an exchange where none is to come: those of clients whose
    /// listener goes, and those to endpoints of clusters that are gone; all in a drain.
    mutating func endIdle() {
        guard http != nil else { return }
        var next: UInt32 = 0
        while let index = connections.firstLive(from: next) {
            next = index + 1
            guard connections[index].pointee.phase == .exchanging else { continue }
            if connections[index].pointee.listener != Connection.noListener {
                if isBetweenRequests(index), !keepsClient(index) { finishClient(index) }
            } else if peers[Int(index)].isIdle {
                let isPlanned = roster.clusters[details[Int(index)].cluster].pointee.isPlanned
                if service != .serving || !isPlanned { terminate(index, .answered) }
            }
        }
    }

    private func isBetweenRequests(_ index: UInt32) -> Bool {
        guard case .head = peers[Int(index)].reading, !peers[Int(index)].isHeadBegun else {
            return false
        }
        return peers[Int(index)].exchange == Exchange.none && !isBlocked(index)
            && channel(index, .request).pointee.queue.isEmpty
    }
}
