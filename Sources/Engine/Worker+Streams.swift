import HTTP2
import Kernel
import Primitives
import Routing
import Wire

/// Streams of HTTP/2 as ends of exchanges: a slot in phase `exchanging` without a socket, whose
/// bytes come from a session and go to it (`HTTPPeer.carrier`). Everything else about an exchange
/// is the same as over HTTP/1.
extension Worker where R: ~Copyable {
    func isStream(_ index: UInt32) -> Bool { peers[Int(index)].carrier != HTTPPeer.none }

    /// The connection itself, of a stream that of its connection.
    func carrier(of index: UInt32) -> UInt32 {
        guard connections[index].pointee.phase == .exchanging, isStream(index) else {
            return index
        }
        let carrier = peers[Int(index)].carrier
        return carrier == HTTPPeer.gone ? index : carrier
    }

    /// The session of a stream, and its place there; nil = the stream is closed.
    func line(of index: UInt32) -> (HTTP2Session, UInt32)? {
        let peer = peers[Int(index)]
        guard peer.stream != HTTPPeer.none, let session = details[Int(peer.carrier)].session
        else { return nil }
        return (session, peer.stream)
    }

    /// Streams never take the slots that connections need: half of all are for them.
    mutating func claimStreamSlot() -> UInt32? {
        guard streamCount < connections.capacity / 2, let index = connections.claim() else {
            return nil
        }
        streamCount += 1
        return index
    }

    /// - Parameter listener: of a client's connection.
    private mutating func claimStream(
        _ carrier: UInt32, _ stream: UInt32, listener: UInt16
    ) -> UInt32? {
        guard let index = claimStreamSlot() else { return nil }
        let channel = Channel(direction: Direction(canSplice: false))
        connections[index].pointee = Connection(
            phase: .exchanging, secured: connections[carrier].pointee.secured, client: -1,
            listener: listener, lastActivity: tick, request: channel, response: channel)
        var peer = HTTPPeer()
        peer.carrier = carrier
        peer.stream = stream
        (peers + Int(index)).initialize(to: peer)
        var detail = ConnectionDetails()
        detail.server = details[Int(carrier)].server
        (details + Int(index)).initialize(to: detail)
        return index
    }

    // MARK: - Requests

    /// A client has opened a stream.
    mutating func requestCame(
        _ carrier: UInt32, _ session: HTTP2Session, _ stream: UInt32, isLast: Bool
    ) {
        guard let index = beginStream(carrier, session, stream), let desk = http else { return }
        var examined = 0
        let limits = requestSettings(index)
        switch limits.parser.parse(session.head, resumingAt: &examined, into: desk.fields) {
        case .complete(let line):
            counters.add(.requests)
            (peers + Int(carrier)).pointee.exchanges &+= 1
            if peers[Int(carrier)].exchanges >= limits.requestsMax { leaveClient(carrier) }
            serve(line, session.head, index, desk, limits, isLast: isLast)
        case .malformed(let fault): refuse(index, RequestFault(fault))
        // Text that nghttp2 let pass and that does not come to its end.
        case .incomplete, .http2Preface: refuse(index, .malformed)
        }
    }

    mutating func requestTooLong(_ carrier: UInt32, _ session: HTTP2Session, _ stream: UInt32) {
        guard let index = beginStream(carrier, session, stream) else { return }
        refuse(index, .headTooLong)
    }

    private mutating func beginStream(
        _ carrier: UInt32, _ session: HTTP2Session, _ stream: UInt32
    ) -> UInt32? {
        let listener = connections[carrier].pointee.listener
        guard let index = claimStream(carrier, stream, listener: listener) else {
            counters.add(.streamsRefused)
            session.reset(stream, HTTP2Error.refusedStream)
            return nil
        }
        session.setUser(index, of: stream)
        let ticks = requestSettings(index).streamIdleTicks
        if ticks > 0 { timers.set(index, deadline: tick + ticks) }
        return index
    }

    // MARK: - Calls

    /// Opens a stream for an exchange on a connection that has room for it.
    /// - Returns: the stream's slot; nil = there is none.
    mutating func openStream(on carrier: UInt32) -> UInt32? {
        guard
            let index = claimStream(carrier, HTTPPeer.none, listener: Connection.noListener)
        else { return nil }
        (peers + Int(carrier)).pointee.exchanges &+= 1
        details[Int(carrier)].endpoint?._withUnsafeGuaranteedRef { $0.unpark() }
        return index
    }

    /// Sends the head of a request that waits in buffers.
    /// - Returns: false = the stream has ended.
    mutating func submit(_ head: BufferQueue, _ index: UInt32, isLast: Bool) -> Bool {
        let carrier = peers[Int(index)].carrier
        guard let desk = http, let session = details[Int(carrier)].session else {
            fatalError("a stream's carrier has a session")
        }
        var count = 0
        var part = head.head
        for _ in 0..<head.count {
            let piece = bytes(of: part)
            UnsafeMutableRawBufferPointer(rebasing: desk.outgoing[count...])
                .copyMemory(from: piece)
            count += piece.count
            part = streamBuffers.load(part).pointee.next
        }
        let isSecure = connections[carrier].pointee.secured.contains(.endpoint)
        guard
            let stream = session.submitRequest(
                UnsafeMutableRawBufferPointer(rebasing: desk.outgoing[..<count]),
                isSecure: isSecure, isLast: isLast, user: index)
        else {
            terminate(index, .endpointClosed)
            return false
        }
        (peers + Int(index)).pointee.stream = stream
        noteOutput(carrier)
        return true
    }

    // MARK: - What a session tells

    mutating func streamReceived(_ index: UInt32, _ bytes: UnsafeRawBufferPointer, _ way: Way) {
        connections[index].pointee.lastActivity = tick
        channel(index, way).pointee.bytes += UInt64(bytes.count)
        guard hold(bytes, index, way) else { return }
        readPeer(index, way)
    }

    mutating func streamEnded(
        _ index: UInt32, _ way: Way, trailers: UnsafeRawBufferPointer
    ) {
        connections[index].pointee.lastActivity = tick
        (peers + Int(index)).pointee.isEnded = true
        if trailers.count > 0 { details[Int(index)].trailers = Array(trailers) }
        readPeer(index, way)
    }

    mutating func streamClosed(_ index: UInt32, _ way: Way, error: UInt32) {
        let peer = peers + Int(index)
        leaveCarrier(index, way)
        // What it has said may still wait here.
        if error == HTTP2Error.none, peer.pointee.isEnded { return }
        peer.pointee.isRefused = error == HTTP2Error.refusedStream
        terminate(index, way == .request ? .clientReset : .endpointReset)
    }

    // MARK: - The end

    /// Gives up a stream's slot; the stream itself ends when what was said has left, or at once
    /// where not all was.
    mutating func endStream(_ index: UInt32, _ reason: TerminationReason) {
        let connection = connections[index]
        connection.pointee.phase = .closing
        connection.pointee.reason = reason
        timers.cancel(index)
        let isClient = connection.pointee.listener != Connection.noListener
        if let (session, stream) = line(of: index) {
            session.leave(
                stream, unfinished: isClient ? HTTP2Error.internalError : HTTP2Error.cancel)
            noteOutput(peers[Int(index)].carrier)
        }
        leaveCarrier(index, isClient ? .request : .response)
        counters.add(.bytesFromClients, Int(connection.pointee.request.bytes))
        counters.add(.bytesFromEndpoints, Int(connection.pointee.response.bytes))
        leaveExchange(index, isClient: isClient)
        for way in [Way.request, .response] { dropHeld(index, way) }
        details[Int(index)].trailers = []
        if peers[Int(index)].isMirror { leaveMirrors(index) }
        (peers + Int(index)).pointee.carrier = HTTPPeer.none
        connections.release(index)
        streamCount -= 1
        if timers.isSet(acceptTimer) { resumeAccepting() }
    }

    /// From here on a stream has nothing to do with its connection. What it still holds counts as
    /// used, so that the connection's window stays open.
    private mutating func leaveCarrier(_ index: UInt32, _ way: Way) {
        let peer = peers + Int(index)
        guard peer.pointee.carrier != HTTPPeer.gone else { return }
        var count = 0
        var id = channel(index, way).pointee.queue.head
        for _ in 0..<channel(index, way).pointee.queue.count {
            count += bytes(of: id).count
            id = streamBuffers.load(id).pointee.next
        }
        let detail = details + Int(peer.pointee.carrier)
        detail.pointee.session?.consumeClosed(count)
        noteOutput(peer.pointee.carrier)
        if way == .response { detail.pointee.endpoint?._withUnsafeGuaranteedRef { $0.park() } }
        (peer.pointee.carrier, peer.pointee.stream) = (HTTPPeer.gone, HTTPPeer.none)
    }

    /// So much of what a stream has received has gone on.
    mutating func noteConsumed(_ count: Int, _ index: UInt32) {
        guard let (session, stream) = line(of: index) else { return }
        session.consume(stream, count)
        noteOutput(peers[Int(index)].carrier)
    }

    // MARK: - Endpoints' connections

    /// A connection to an endpoint is among those that are asked as long as it has room for another
    /// stream, and ends when it may have no more.
    /// - Parameter closed: streams that are counted and are over.
    mutating func balanceStreams(_ index: UInt32, _ session: HTTP2Session, closed: Int) {
        let peer = peers + Int(index)
        let isUsable = mayBeAsked(index) && !session.isGoingAway
        if isUsable, session.room + closed > 0 {
            if !peer.pointee.isIdle { offer(index) }
        } else {
            if peer.pointee.isIdle { unpark(index) }
        }
        guard session.streamCount <= closed, peer.pointee.exchange == Exchange.none else { return }
        guard isUsable else { return terminate(index, .answered) }
        let ticks = roster.clusters[details[Int(index)].cluster].pointee.idleTicks
        connections[index].pointee.lastActivity = tick
        if ticks > 0 { timers.set(index, deadline: tick + ticks) }
    }
}
