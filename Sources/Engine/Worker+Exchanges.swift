import CLinux
import Discovery
import HTTP2
import Kernel
import Primitives
import Routing
import Wire

/// How exchanges end: what a client gets when an endpoint cannot answer, and what becomes of the
/// connections.
extension Worker where R: ~Copyable {
    func exchangeTimer(_ id: UInt32) -> UInt32 { exchangeTimersStart + id }

    // MARK: - Outcomes

    mutating func act(_ outcome: ExchangeProgress.Outcome, _ id: UInt32) {
        switch outcome {
        case .goOn: break
        case .finish, .finishEarly: fatalError("an answer that is whole does not fail")
        case .tryAgain: tryAgain(id)
        case .answer(let failure): fail(id, RequestFault(failure))
        case .cut: cut(id)
        }
    }

    /// The client gets an answer of the worker's own.
    mutating func fail(_ id: UInt32, _ fault: RequestFault) {
        let exchange = exchanges[id].pointee
        dismiss(id)
        let generation = connections.generation(of: exchange.client)
        reply(
            Answer(fault), to: exchange.client, isHead: exchange.method == .head,
            keepsClient: exchange.keepsClient && exchange.progress.request == .passed)
        if isExchanging(exchange.client, generation) { readRequests(exchange.client) }
    }

    /// The client has a part of the answer already.
    private mutating func cut(_ id: UInt32) {
        counters.add(.answersCut)
        let client = exchanges[id].pointee.client
        dismiss(id)
        terminate(client, .endpointFailed)
    }

    /// Gives up the exchange and the endpoint's connection, of which nothing is known any more.
    mutating func dismiss(_ id: UInt32) {
        let index = exchanges[id].pointee.endpoint
        releaseExchange(id)
        guard index != Exchange.none else { return }
        if connections[index].pointee.phase != .closing { terminate(index, .answered) }
    }

    /// The endpoint had closed a connection that was idle: another one is used.
    private mutating func tryAgain(_ id: UInt32) {
        counters.add(.requestsRepeated)
        let exchange = exchanges[id]
        exchange.pointee.endpoint = Exchange.none
        exchange.pointee.isReused = false
        exchange.pointee.repeats += 1
        askAgain(id, avoids: false)
    }

    private mutating func askAgain(_ id: UInt32, avoids: Bool) {
        let exchange = exchanges[id]
        let cluster = roster.clusters[exchange.pointee.cluster]
        let last = exchange.pointee.endpointNumber
        var picked: Unmanaged<Endpoint>?
        for _ in 0..<(avoids ? Self.picksMax : 1) {
            picked = cluster.pointee.pick(hash: avoids ? nil : exchange.pointee.hash)
            guard picked?._withUnsafeGuaranteedRef({ $0.number }) == last else { break }
        }
        guard let picked else { return fail(id, .endpointMissing) }
        ask(id, picked)
    }

    /// So often another endpoint than the one that failed is looked for.
    private static var picksMax: Int { 4 }

    // MARK: - Retries

    /// Sends the request once more after a while, if its rule says so.
    /// - Precondition: the exchange has no endpoint any more.
    /// - Returns: whether it will be.
    mutating func retry(_ id: UInt32, after cause: RetryRule.Cause) -> Bool {
        guard mayRetry(id, after: cause), let desk = http, let rule = retryRule(id) else {
            return false
        }
        let exchange = exchanges[id]
        counters.add(.requestsRepeated)
        exchange.pointee.retries += 1
        exchange.pointee.endpoint = Exchange.none
        exchange.pointee.isReused = false
        exchange.pointee.isBackingOff = true
        let wait = rule.backOffTicks(exchange.pointee.retries, random: desk.random.next())
        timers.set(exchangeTimer(id), deadline: tick + max(1, wait))
        return true
    }

    /// If it may, its place among those of the cluster that are sent again is taken.
    mutating func mayRetry(_ id: UInt32, after cause: RetryRule.Cause) -> Bool {
        let exchange = exchanges[id]
        guard exchange.pointee.progress.canRepeat, let rule = retryRule(id),
            exchange.pointee.retries < rule.countMax, service == .serving, rule.covers(cause)
        else { return false }
        let limits = roster.clusters[exchange.pointee.cluster].pointee.endpoints.limits
        guard limits?.admitRetry(&exchange.pointee.claim) ?? true else {
            counters.add(.retriesRefused)
            return false
        }
        return true
    }

    func retryRule(_ id: UInt32) -> RetryRule? {
        let exchange = exchanges[id].pointee
        return roster.programs[exchange.program].pointee.program.rules[Int(exchange.rule)].retry
    }

    /// Frees an exchange; both connections stay.
    mutating func releaseExchange(_ id: UInt32) {
        releaseHead(id)
        stopAwaiting(id)
        var exchange = exchanges[id].pointee
        roster.clusters[exchange.cluster].pointee.endpoints.limits?.give(&exchange.claim)
        timers.cancel(exchangeTimer(id))
        (peers + Int(exchange.client)).pointee.exchange = Exchange.none
        if exchange.endpoint != Exchange.none {
            (peers + Int(exchange.endpoint)).pointee.exchange = Exchange.none
        }
        exchanges.release(id)
        roster.releaseCluster(exchange.cluster)
        roster.releaseProgram(exchange.program)
    }

    mutating func releaseHead(_ id: UInt32) {
        let exchange = exchanges[id]
        while let part = exchange.pointee.head.popFirst(in: streamBuffers) {
            streamBuffers.give(part)
        }
        // Without a head it is not sent again.
        let limits = roster.clusters[exchange.pointee.cluster].pointee.endpoints.limits
        limits?.settle(&exchange.pointee.claim)
    }

    func noteStatus(_ status: UInt16) {
        switch status {
        case ..<200: counters.add(.answers1xx)
        case ..<300: counters.add(.answers2xx)
        case ..<400: counters.add(.answers3xx)
        case ..<500: counters.add(.answers4xx)
        default: counters.add(.answers5xx)
        }
    }

    // MARK: - Connections that end

    /// A connection in phase `exchanging`, or one that was dialed for an exchange, has ended.
    mutating func leaveExchange(_ index: UInt32, isClient: Bool) {
        let peer = peers + Int(index)
        if peer.pointee.isIdle { unpark(index) }
        if details[Int(index)].session != nil { leaveSession(index, isClient: isClient) }
        let id = peer.pointee.exchange
        peer.pointee.exchange = Exchange.none
        if isClient {
            if peer.pointee.mirror != HTTPPeer.none, !peer.pointee.isMirror {
                dropMirrors(of: index)
            }
            guard id != Exchange.none else { return }
            let endpoint = exchanges[id].pointee.endpoint
            releaseExchange(id)
            guard endpoint != Exchange.none else { return }
            // A connection that is being made will be of use to another.
            if connections[endpoint].pointee.phase == .exchanging {
                terminate(endpoint, .answered)
            }
            return
        }
        let isMissing =
            switch connections[index].pointee.reason {
            case .connectFailed, .connectTimedOut, .endpointHandshakeFailed, .outOfDescriptors:
                true
            default: false
            }
        if id != Exchange.none {
            exchanges[id].pointee.endpoint = Exchange.none
            lose(id, isMissing: isMissing, isRefused: peer.pointee.isRefused)
        }
        failWaiting(index, isMissing: isMissing)
    }

    /// A connection of HTTP/2 has ended: so have its streams.
    private mutating func leaveSession(_ index: UInt32, isClient: Bool) {
        endStreams(of: index)
        details[Int(index)].session = nil
        if !isClient { details[Int(index)].endpoint?._withUnsafeGuaranteedRef { $0.unpark() } }
    }

    /// An exchange has lost its endpoint.
    mutating func lose(_ id: UInt32, isMissing: Bool, isRefused: Bool) {
        let exchange = exchanges[id]
        var event: ExchangeProgress.Event = isMissing ? .endpointMissing : .endpointLost
        if !isMissing, exchange.pointee.repeats < Exchange.repeatsMax {
            if isRefused {
                event = .requestRefused
            } else if exchange.pointee.isReused {
                event = .idleEndpointLost
            }
        }
        let outcome = exchange.pointee.progress.on(event)
        if case .answer = outcome {
            let cause: RetryRule.Cause = isMissing ? .unreachable : isRefused ? .refused : .lost
            if retry(id, after: cause) { return }
        }
        act(outcome, id)
    }

    /// The exchange's own timer.
    mutating func exchangeTimedOut(_ id: UInt32) {
        let exchange = exchanges[id]
        let deadline = exchange.pointee.deadline
        if deadline > 0, deadline <= tick { return timeOut(id) }
        if exchange.pointee.isBackingOff {
            exchange.pointee.isBackingOff = false
            if deadline > 0 { timers.set(exchangeTimer(id), deadline: deadline) }
            return askAgain(id, avoids: true)
        }
        guard mayRetry(id, after: .timedOut) else { return timeOut(id) }
        counters.add(.requestsTimedOut)
        dropEndpoint(of: id)
        _ = retry(id, after: .timedOut)
    }

    /// The exchange goes on without the endpoint's connection, of which nothing is known any more.
    mutating func dropEndpoint(of id: UInt32) {
        let exchange = exchanges[id]
        stopAwaiting(id)
        let index = exchange.pointee.endpoint
        exchange.pointee.endpoint = Exchange.none
        guard index != Exchange.none else { return }
        (peers + Int(index)).pointee.exchange = Exchange.none
        if connections[index].pointee.phase != .closing { terminate(index, .answered) }
    }

    mutating func timeOut(_ id: UInt32) {
        counters.add(.requestsTimedOut)
        act(exchanges[id].pointee.progress.on(.timedOut), id)
    }

    /// The timer of a slot that serves exchanges.
    mutating func peerTimedOut(_ index: UInt32) {
        let connection = connections[index]
        let peer = peers[Int(index)]
        if connection.pointee.listener == Connection.noListener {
            return endpointTimedOut(index)
        }
        if peer.isFinished { return terminate(index, .answered) }
        if let session = details[Int(index)].session { return sessionTimedOut(index, session) }
        let limits = requestSettings(index)
        if peer.isReadingBody, peer.requestDeadline > 0, peer.requestDeadline <= tick {
            return refuse(index, .headTimedOut)
        }
        if peer.exchange != Exchange.none {
            return streamTimedOut(index, limits)
        }
        if peer.isHeadBegun { return refuse(index, .headTimedOut) }
        guard limits.idleTicks > 0 else { return awaitRequest(index) }
        let deadline = connection.pointee.lastActivity + limits.idleTicks
        guard deadline <= tick else { return timers.set(index, deadline: deadline) }
        let generation = connections.generation(of: index)
        shutPeer(index, .response)
        if isExchanging(index, generation) { terminate(index, .idleTimedOut) }
    }

    /// A client's connection of HTTP/2 is idle when nobody is served by it; streams that are have
    /// timers of their own.
    private mutating func sessionTimedOut(_ index: UInt32, _ session: HTTP2Session) {
        if session.isGoingAnnounced, !session.isGoingAway {
            session.goAway()
            noteOutput(index)
        }
        let limits = requestSettings(index)
        let ticks = limits.idleTicks > 0 ? limits.idleTicks : limits.streamIdleTicks
        var place: UInt32 = 0
        let deadline = connections[index].pointee.lastActivity + ticks
        guard deadline <= tick, session.nextUser(from: &place) == nil else {
            return timers.set(index, deadline: max(deadline, tick + Tick.perSecond))
        }
        let generation = connections.generation(of: index)
        session.goAway()
        send(session, index, .response)
        guard isExchanging(index, generation) else { return }
        shutPeer(index, .response)
        if isExchanging(index, generation) { terminate(index, .idleTimedOut) }
    }

    /// Neither end of an exchange has said anything for long.
    private mutating func streamTimedOut(_ index: UInt32, _ limits: RequestLimits) {
        let id = peers[Int(index)].exchange
        let endpoint = exchanges[id].pointee.endpoint
        var last = connections[index].pointee.lastActivity
        if endpoint != Exchange.none {
            last = max(last, connections[endpoint].pointee.lastActivity)
        }
        let deadline = last + limits.streamIdleTicks
        guard limits.streamIdleTicks > 0, deadline <= tick else {
            var next = limits.streamIdleTicks > 0 ? deadline : UInt64.max
            if peers[Int(index)].isReadingBody, peers[Int(index)].requestDeadline > 0 {
                next = min(next, peers[Int(index)].requestDeadline)
            }
            if next < UInt64.max { timers.set(index, deadline: max(next, tick + 1)) }
            return
        }
        awaitRequest(index)
        timeOut(id)
    }

    private mutating func endpointTimedOut(_ index: UInt32) {
        let connection = connections[index]
        let ticks = roster.clusters[details[Int(index)].cluster].pointee.idleTicks
        let deadline = connection.pointee.lastActivity + ticks
        let isUsed = (details[Int(index)].session?.streamCount ?? 0) > 0
        if peers[Int(index)].isIdle, !isUsed, deadline <= tick {
            return terminate(index, .idleTimedOut)
        }
        timers.set(index, deadline: max(deadline, tick + 1))
    }

    // MARK: - The end of a client's connection

    /// No request follows: the connection ends when everything is sent. A client that still sends
    /// would see a reset, and might lose the answer by it, so that it is listened to for a while
    /// (RFC 9112 section 9.6).
    mutating func finishClient(_ index: UInt32) {
        let peer = peers + Int(index)
        guard !peer.pointee.isFinished else { return }
        if isStream(index) { return terminate(index, .answered) }
        peer.pointee.isFinished = true
        if !isBlocked(index) { closeFinished(index) }
    }

    mutating func closeFinished(_ index: UInt32) {
        let generation = connections.generation(of: index)
        shutPeer(index, .response)
        guard isExchanging(index, generation), !isBlocked(index) else { return }
        let peer = peers + Int(index)
        let isSilent =
            if case .head = peer.pointee.reading {
                channel(index, .request).pointee.queue.isEmpty
            } else {
                false
            }
        if peer.pointee.isEnded || isSilent { return terminate(index, .answered) }
        peer.pointee.reading = .discarding
        timers.set(index, deadline: tick + Self.lingerTicks)
        readRequests(index)
    }

    private static var lingerTicks: UInt64 { 240 }
}
