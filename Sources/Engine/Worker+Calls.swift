import CLinux
import Discovery
import Kernel
import Primitives
import Routing
import Wire

/// From an exchange to an endpoint's connection: one that waits for work, or a new one.
extension Worker where R: ~Copyable {
    /// - Parameter picked: who is to be asked.
    mutating func ask(_ id: UInt32, _ picked: Unmanaged<Endpoint>) {
        let exchange = exchanges[id]
        exchange.pointee.endpointNumber = picked._withUnsafeGuaranteedRef { $0.number }
        if let index = takeIdle(picked) {
            if isAwaited(index) { return wait(id, for: index) }
            exchange.pointee.isReused = true
            if case .frames = peers[Int(index)].reading { return askByStream(id, index) }
            join(id, index)
            return sendRequest(id)
        }
        call(id, picked)
    }

    /// By a new stream of a connection that has room for it.
    private mutating func askByStream(_ id: UInt32, _ carrier: UInt32) {
        guard let index = openStream(on: carrier) else { return fail(id, .overflow) }
        join(id, index)
        sendRequest(id)
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
        if cluster.pointee.plan.framing == .http2 {
            (peers + Int(index)).pointee.isShared = true
            if cluster.pointee.plan.proxyHeader == .none { offer(index) }
        }
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
        if speaksHTTP2(index) {
            beginFrames(index, .response)
            (peers + Int(index)).pointee.exchange = Exchange.none
            (peers + Int(index)).pointee.isShared = true
            details[Int(index)].endpoint?._withUnsafeGuaranteedRef { $0.park() }
            let generation = connections.generation(of: index)
            if id != Exchange.none {
                exchanges[id].pointee.endpoint = Exchange.none
                askByStream(id, index)
            }
            guard isExchanging(index, generation), let session = details[Int(index)].session
            else { return }
            return balanceStreams(index, session, closed: 0)
        }
        if peers[Int(index)].isShared {
            // TLS has agreed on HTTP/1.1 only.
            if peers[Int(index)].isIdle { unpark(index) }
            (peers + Int(index)).pointee.isShared = false
            askAnew(index)
        }
        // Who wanted it has gone meanwhile.
        guard id != Exchange.none else { return park(index) }
        sendRequest(id)
    }

    /// TLS has agreed on it, or the Backend says that its endpoints speak it.
    private func speaksHTTP2(_ index: UInt32) -> Bool {
        if let session = details[Int(index)].endpointTLS, let isAgreed = session.speaksHTTP2 {
            return isAgreed
        }
        return roster.clusters[details[Int(index)].cluster].pointee.plan.framing == .http2
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
        exchange.pointee.requestWriting = requestWriting(of: exchange.pointee.requestFraming, id)
        noteLength(
            exchange.pointee.requestFraming, nil, isEnded: true, exchange.pointee.client,
            to: index, .request)
        if isStream(index) {
            let isLast = exchange.pointee.progress.request == .passed
            guard submit(exchange.pointee.head, index, isLast: isLast) else { return }
            if !isLast { readRequests(exchange.pointee.client) }
            return
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

    /// How a request's body goes to the endpoint.
    private func requestWriting(of framing: BodyFraming, _ id: UInt32) -> BodyWriting {
        let exchange = exchanges[id].pointee
        if isStream(exchange.endpoint) {
            if case .chunked = framing { return .content }
            return .verbatim
        }
        if isStream(exchange.client), framing == .none { return .chunks }
        return .verbatim
    }

    // MARK: - Idle connections

    /// The connection to an endpoint that was used last; nil = there is none.
    private mutating func takeIdle(_ picked: Unmanaged<Endpoint>) -> UInt32? {
        let number = picked._withUnsafeGuaranteedRef { $0.number }
        var index = idle.first(number)
        while index != HTTPPeer.none {
            let next = peers[Int(index)].next
            if endpointNumber(of: index) == number {
                guard peers[Int(index)].isShared else { break }
                if isAwaited(index) {
                    if !peers[Int(index)].waiting.isFull { break }
                } else if (details[Int(index)].session?.room ?? 0) > 0 {
                    break
                } else {
                    // It comes back when one of its streams has ended.
                    unpark(index)
                }
            }
            index = next
        }
        guard index != HTTPPeer.none else { return nil }
        if !peers[Int(index)].isShared { unpark(index) }
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
        (peers + Int(index)).pointee.exchange = Exchange.none
        guard mayBeAsked(index) else { return terminate(index, .answered) }
        offer(index)
        let ticks = roster.clusters[details[Int(index)].cluster].pointee.idleTicks
        if ticks > 0, !timers.isSet(index) { timers.set(index, deadline: tick + ticks) }
    }

    /// Whether another exchange may go by an endpoint's connection.
    func mayBeAsked(_ index: UInt32) -> Bool {
        let peer = peers[Int(index)]
        let detail = details[Int(index)]
        let cluster = roster.clusters[detail.cluster]
        let plan = cluster.pointee.plan
        let requestsMax = plan.circuitBreaker.requestsPerConnectionMax ?? .max
        let isWanted = detail.endpoint?._withUnsafeGuaranteedRef { $0.standing == .serving }
        // A PROXY header speaks for one client only.
        return isWanted == true && service == .serving && !peer.isEnded
            && plan.proxyHeader == .none && cluster.pointee.isPlanned
            && peer.exchanges < requestsMax && connections[index].pointee.endpointFailure == 0
    }

    /// A connection to an endpoint takes another exchange. Of one of HTTP/2 each stream counts at
    /// the endpoint, and of others the connection.
    mutating func offer(_ index: UInt32) {
        idle.insert(index, endpoint: endpointNumber(of: index), in: peers)
        guard !peers[Int(index)].isShared else { return }
        details[Int(index)].endpoint?._withUnsafeGuaranteedRef { $0.park() }
    }

    mutating func unpark(_ index: UInt32) {
        idle.remove(index, endpoint: endpointNumber(of: index), in: peers)
        guard !peers[Int(index)].isShared else { return }
        details[Int(index)].endpoint?._withUnsafeGuaranteedRef { $0.unpark() }
    }

    // MARK: - Waiting

    /// Whether it is still to be seen how many exchanges a connection of HTTP/2 takes: by waiting
    /// for that, many that begin at once do not make a connection each.
    private func isAwaited(_ index: UInt32) -> Bool {
        guard peers[Int(index)].isShared else { return false }
        guard let session = details[Int(index)].session else { return true }
        return !session.isSettled
    }

    private mutating func wait(_ id: UInt32, for index: UInt32) {
        let exchange = exchanges[id]
        let peer = peers + Int(index)
        exchange.pointee.awaited = index
        exchange.pointee.previous = peer.pointee.waiting.last
        exchange.pointee.next = Exchange.none
        if peer.pointee.waiting.last == Exchange.none {
            peer.pointee.waiting.first = id
        } else {
            let last = exchanges[peer.pointee.waiting.last]
            last.pointee.next = id
        }
        peer.pointee.waiting.last = id
        peer.pointee.waiting.count += 1
    }

    /// An exchange waits no more.
    mutating func stopAwaiting(_ id: UInt32) {
        let exchange = exchanges[id]
        guard exchange.pointee.awaited != Exchange.none else { return }
        let peer = peers + Int(exchange.pointee.awaited)
        let (next, previous) = (exchange.pointee.next, exchange.pointee.previous)
        if previous == Exchange.none {
            peer.pointee.waiting.first = next
        } else {
            let before = exchanges[previous]
            before.pointee.next = next
        }
        if next == Exchange.none {
            peer.pointee.waiting.last = previous
        } else {
            let behind = exchanges[next]
            behind.pointee.previous = previous
        }
        peer.pointee.waiting.count -= 1
        exchange.pointee.awaited = Exchange.none
    }

    /// It is known now what a connection takes: those who waited for it go by it, or elsewhere.
    mutating func askAnew(_ index: UInt32) {
        let generation = connections.generation(of: index)
        while connections.find(index, generation: generation) != nil,
            let endpoint = details[Int(index)].endpoint
        {
            let id = peers[Int(index)].waiting.first
            guard id != Exchange.none else { return }
            stopAwaiting(id)
            ask(id, endpoint)
        }
    }

    /// The connection that exchanges wait for has ended. Nothing of theirs was sent by it.
    mutating func failWaiting(_ index: UInt32, isMissing: Bool) {
        while case let id = peers[Int(index)].waiting.first, id != Exchange.none {
            stopAwaiting(id)
            lose(id, isMissing: isMissing, isRefused: true)
        }
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
            guard connections[index].pointee.phase == .exchanging, !isStream(index) else {
                continue
            }
            if let session = details[Int(index)].session {
                if connections[index].pointee.listener == Connection.noListener {
                    balanceStreams(index, session, closed: 0)
                } else if !keepsClient(index) {
                    leaveClient(index)
                }
                continue
            }
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
