import Discovery
import Kernel
import Primitives
import Routing
import Wire

/// Copies of requests for endpoints whose answers nobody waits for (HTTPRoute filter
/// `requestMirror`). A mirror's client is a slot like a stream's that has lost its connection
/// (`HTTPPeer.gone`): what is said to it vanishes.
extension Worker where R: ~Copyable {
    /// - Parameters:
    ///   - id: the exchange that is copied, whose head is not sent yet.
    ///   - route: the rule's place among the listener's routes.
    ///   - body: what follows the head.
    mutating func beginMirrors(_ id: UInt32, route: Int, _ body: BodyReader?) {
        let client = exchanges[id].pointee.client
        let listener = roster.listeners[UInt32(connections[client].pointee.listener)]
        let mirrors = listener.pointee.mirrors(route)
        guard !mirrors.isEmpty, let desk = http else { return }
        for mirror in mirrors
        where desk.random.next() % UInt64(mirror.denominator) < UInt64(mirror.numerator) {
            beginMirror(of: id, to: mirror.cluster, body)
        }
    }

    private mutating func beginMirror(of id: UInt32, to cluster: UInt32, _ body: BodyReader?) {
        let original = exchanges[id].pointee
        let client = original.client
        guard let head = copy(original.head) else { return }
        guard let picked = roster.clusters[cluster].pointee.pick(for: nil),
            let index = claimMirror(of: client)
        else { return give(head) }
        guard let copyID = exchanges.claim() else {
            give(head)
            return terminate(index, .answered)
        }
        var exchange = Exchange(
            client: index, program: original.program, rule: original.rule,
            backend: original.backend, method: original.method, isHTTP10: false,
            isUpgrade: false, keepsClient: false, cluster: cluster,
            progress: ExchangeProgress(hasBody: body != nil, isIdempotent: false),
            requestFraming: original.requestFraming)
        exchange.head = head
        let limits = roster.clusters[cluster].pointee.endpoints.limits
        guard limits?.admit(&exchange.claim, client: nil, now: now) == nil else {
            give(head)
            exchanges.release(copyID)
            return terminate(index, .answered)
        }
        // One that fails is not worth another.
        (exchange.retries, exchange.repeats) = (.max, Exchange.repeatsMax)
        exchange.attemptTicks = original.attemptTicks
        exchange.deadline = original.deadline
        exchanges[copyID].pointee = exchange
        if exchange.deadline > 0 { timers.set(exchangeTimer(copyID), deadline: exchange.deadline) }
        let state = roster.clusters[cluster]
        state.pointee.references += 1
        let program = roster.programs[exchange.program]
        program.pointee.references += 1
        let peer = peers + Int(index)
        peer.pointee.exchange = copyID
        if let body {
            peer.pointee.reading = .body(body)
            peer.pointee.mirrored = client
            peer.pointee.mirror = peers[Int(client)].mirror
            (peers + Int(client)).pointee.mirror = index
        } else {
            peer.pointee.isEnded = true
        }
        ask(copyID, picked)
    }

    private mutating func claimMirror(of client: UInt32) -> UInt32? {
        guard let index = claimStreamSlot() else { return nil }
        let number = connections[client].pointee.listener
        let channel = Channel(direction: Direction(canSplice: false))
        connections[index].pointee = Connection(
            phase: .exchanging, client: -1, listener: number, lastActivity: tick,
            request: channel, response: channel)
        var peer = HTTPPeer()
        peer.carrier = HTTPPeer.gone
        peer.isMirror = true
        peer.client = clientAddress(client)
        (peers + Int(index)).initialize(to: peer)
        var detail = ConnectionDetails()
        detail.server = details[Int(client)].server
        (details + Int(index)).initialize(to: detail)
        // Its client may go before it, and the listener with that.
        let listener = roster.listeners[UInt32(number)]
        listener.pointee.mirrorCount += 1
        let ticks = requestSettings(index).streamIdleTicks
        if ticks > 0 { timers.set(index, deadline: tick + ticks) }
        return index
    }

    /// Nil = there is no room for it.
    private mutating func copy(_ head: BufferQueue) -> BufferQueue? {
        var queue = BufferQueue()
        var part = head.head
        for _ in 0..<head.count {
            guard let id = streamBuffers.take() else {
                give(queue)
                return nil
            }
            let piece = bytes(of: part)
            UnsafeMutableRawBufferPointer(
                start: streamBuffers.address(id), count: BufferSize.stream
            ).copyMemory(from: piece)
            let load = streamBuffers.load(id)
            (load.pointee.start, load.pointee.end) = (0, UInt32(piece.count))
            queue.append(id, in: streamBuffers)
            part = streamBuffers.load(part).pointee.next
        }
        return queue
    }

    private mutating func give(_ queue: BufferQueue) {
        var queue = queue
        while let id = queue.popFirst(in: streamBuffers) { streamBuffers.give(id) }
    }

    // MARK: - Bodies

    /// Bytes of a body leave the client's queue: its mirrors get them too. One that does not keep
    /// up is given up.
    mutating func mirror(_ bytes: UnsafeRawBufferPointer, of client: UInt32) {
        var index = peers[Int(client)].mirror
        while index != HTTPPeer.none {
            let next = peers[Int(index)].mirror
            connections[index].pointee.lastActivity = tick
            if channel(index, .request).pointee.queue.count > Self.buffersBehindMax {
                terminate(index, .answered)
            } else if hold(bytes, index, .request) {
                readRequests(index)
            }
            index = next
        }
    }

    private static var buffersBehindMax: UInt16 { 8 }

    /// The client's request is whole, and so are its mirrors'.
    mutating func finishMirrors(of client: UInt32) {
        while case let index = peers[Int(client)].mirror, index != HTTPPeer.none {
            unlinkMirror(index)
            (peers + Int(index)).pointee.isEnded = true
            readRequests(index)
        }
    }

    /// The rest of the client's request never comes.
    mutating func dropMirrors(of client: UInt32) {
        while case let index = peers[Int(client)].mirror, index != HTTPPeer.none {
            terminate(index, .answered)
        }
    }

    /// Has no effect on one that has its request.
    private mutating func unlinkMirror(_ index: UInt32) {
        let peer = peers + Int(index)
        guard peer.pointee.mirrored != HTTPPeer.none else { return }
        var before = peer.pointee.mirrored
        while peers[Int(before)].mirror != index { before = peers[Int(before)].mirror }
        (peers + Int(before)).pointee.mirror = peer.pointee.mirror
        (peer.pointee.mirror, peer.pointee.mirrored) = (HTTPPeer.none, HTTPPeer.none)
    }

    /// A mirror's slot is about to be free.
    mutating func leaveMirrors(_ index: UInt32) {
        unlinkMirror(index)
        let number = UInt32(connections[index].pointee.listener)
        let listener = roster.listeners[number]
        listener.pointee.mirrorCount -= 1
        roster.releaseListener(number)
    }
}
