import HTTP2
import Kernel
import Primitives
import Routing

/// Connections of HTTP/2, a client's or an endpoint's: a slot in phase `exchanging` whose bytes
/// are a session's. Each stream has a slot of its own (`Worker+Streams.swift`), so that an exchange
/// does not know by which version its ends are reached. What streams say is gathered over a turn
/// and leaves together.
extension Worker where R: ~Copyable {
    /// From here on a connection's bytes are frames.
    /// - Parameter way: `.request` of a client's.
    mutating func beginFrames(_ index: UInt32, _ way: Way) {
        let isClient = way == .request
        let plan =
            isClient
            ? requestSettings(index).http2
            : roster.clusters[details[Int(index)].cluster].pointee.plan.http2
        details[Int(index)].session = HTTP2Session(
            isClient ? .server : .client, plan, headBytesMax: HTTPDesk.headBytesMax)
        (peers + Int(index)).pointee.reading = .frames
        noteOutput(index)
    }

    // MARK: - Receiving

    /// Gives a session what its connection has received.
    /// - Returns: whether there may be more to do at once.
    mutating func readFrames(_ index: UInt32, _ way: Way) -> Bool {
        let input = channel(index, way)
        guard let session = details[Int(index)].session, !input.pointee.queue.isEmpty else {
            return false
        }
        let piece = bytes(of: input.pointee.queue.head)
        switch session.receive(piece, second: tick / Tick.perSecond) {
        case .taken(let count):
            noteOutput(index)
            guard handleEvents(index, way, session) else { return false }
            drop(count, index, way)
            return true
        case .failed(let flood):
            if flood != nil { counters.add(.floodsRefused) }
            counters.add(.sessionsFailed)
            failSession(index, way)
            return false
        }
    }

    /// The peer does not keep to the protocol: it is told so, and nothing more is read of it.
    private mutating func failSession(_ index: UInt32, _ way: Way) {
        let generation = connections.generation(of: index)
        dropHeld(index, way)
        flush(index)
        guard isExchanging(index, generation) else { return }
        endStreams(of: index)
        guard isExchanging(index, generation) else { return }
        if way == .request {
            (peers + Int(index)).pointee.reading = .discarding
            finishClient(index)
        } else {
            terminate(index, .endpointFailed)
        }
    }

    /// - Returns: false = the connection has ended.
    private mutating func handleEvents(
        _ index: UInt32, _ way: Way, _ session: HTTP2Session
    ) -> Bool {
        let generation = connections.generation(of: index)
        while let event = session.nextEvent() {
            handle(event, index, way, session)
            guard isExchanging(index, generation) else { return false }
        }
        return true
    }

    private mutating func handle(
        _ event: HTTP2Event, _ index: UInt32, _ way: Way, _ session: HTTP2Session
    ) {
        switch event {
        case .head(let stream, let isLast):
            if way == .request {
                requestCame(index, session, stream, isLast: isLast)
            } else if let slot = slot(of: stream, session) {
                answerCame(slot, session.head, isLast: isLast)
            }
        case .headTooLong(let stream):
            if way == .request {
                requestTooLong(index, session, stream)
            } else if let slot = slot(of: stream, session) {
                answerMalformed(peers[Int(slot)].exchange)
            }
        case .data(let stream, let bytes):
            guard let slot = slot(of: stream, session) else {
                return session.consume(stream, bytes.count)
            }
            streamReceived(slot, bytes, way)
        case .ended(let stream):
            if let slot = slot(of: stream, session) {
                streamEnded(slot, way, trailers: session.trailers)
            }
        case .closed(let stream, let error):
            if let slot = slot(of: stream, session) {
                session.setUser(HTTP2Session.noUser, of: stream)
                streamClosed(slot, way, error: error)
            }
            if way == .response { balanceStreams(index, session, closed: 1) }
        case .drained(let stream):
            if let slot = slot(of: stream, session) { drained(slot, way.opposite) }
        case .settled:
            if way == .response { askAnew(index) }
        case .goingAway:
            if way == .response { balanceStreams(index, session, closed: 0) }
        }
    }

    private func slot(of stream: UInt32, _ session: HTTP2Session) -> UInt32? {
        let user = session.user(of: stream)
        return user == HTTP2Session.noUser ? nil : user
    }

    /// Ends all streams of a connection that has ended or is about to.
    mutating func endStreams(of index: UInt32) {
        guard let session = details[Int(index)].session else { return }
        let isClient = connections[index].pointee.listener != Connection.noListener
        var place: UInt32 = 0
        // Ending one may end others, or open new ones elsewhere.
        while let user = session.nextUser(from: &place) {
            terminate(user, isClient ? .clientClosed : .endpointClosed)
        }
    }

    // MARK: - Sending

    /// What streams have said leaves before the worker waits again.
    mutating func noteOutput(_ index: UInt32) {
        let peer = peers + Int(index)
        guard !peer.pointee.hasOutput else { return }
        peer.pointee.hasOutput = true
        unsent.append(index)
    }

    mutating func flushSessions() {
        while let index = unsent.popFirst() {
            guard connections.isLive(index),
                connections[index].pointee.phase == .exchanging, peers[Int(index)].hasOutput
            else { continue }
            flush(index)
        }
    }

    /// Sends what a session has to send, as far as the socket takes it.
    mutating func flush(_ index: UInt32) {
        (peers + Int(index)).pointee.hasOutput = false
        guard let session = details[Int(index)].session else { return }
        let isClient = connections[index].pointee.listener != Connection.noListener
        let generation = connections.generation(of: index)
        send(session, index, isClient ? .response : .request)
        guard isExchanging(index, generation), !isBlocked(index), session.isOver else { return }
        if isClient { finishClient(index) } else { terminate(index, .answered) }
    }

    mutating func send(_ session: HTTP2Session, _ index: UInt32, _ way: Way) {
        guard let desk = http else { return }
        while !isBlocked(index) {
            let count = session.output(into: desk.outgoing)
            if count > 0 {
                let bytes = UnsafeRawBufferPointer(rebasing: desk.outgoing[..<count])
                guard put(bytes, index, way) else { return }
            }
            guard handleEvents(index, way.opposite, session), count > 0 else { return }
        }
    }

    // MARK: - Clients' connections

    /// No more requests are taken; those that are there, or on their way, are answered.
    mutating func leaveClient(_ index: UInt32) {
        guard let session = details[Int(index)].session else { return }
        if session.streamCount == 0 {
            session.goAway()
        } else if !session.isGoingAnnounced {
            session.announceGoing()
            timers.set(index, deadline: tick + Tick.perSecond)
        }
        noteOutput(index)
    }
}
