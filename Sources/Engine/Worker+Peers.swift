import CLinux
import Kernel
import Primitives
import TLS
import Wire

/// Bytes to and from one end of HTTP: a slot in phase `exchanging` has only one socket, the
/// client's or an endpoint's. What it receives stands in the queue of the way that leads away from
/// it, what it sends in that of the other. A way names the end: `.request` is a client's.
extension Worker where R: ~Copyable {
    // MARK: - Receiving

    mutating func peerReceived(_ completion: Completion, _ way: Way) {
        let index = completion.token.index
        let peer = peers + Int(index)
        if !completion.hasMore { peer.pointee.receiving = .stopped }
        guard completion.result > 0 else { return peerReceiveEnded(completion, index, way) }
        let connection = connections[index]
        connection.pointee.lastActivity = tick
        streamPosting.noteTaken()
        let load = streamBuffers.load(completion.bufferID)
        (load.pointee.start, load.pointee.end) = (0, UInt32(completion.result))
        let channel = channel(index, way)
        channel.pointee.bytes += UInt64(completion.result)
        if isSecured(index, way) {
            guard decryptPeer(completion.bufferID, index, way) else { return }
        } else {
            channel.pointee.queue.append(completion.bufferID, in: streamBuffers)
        }
        readPeer(index, way)
    }

    private mutating func peerReceiveEnded(
        _ completion: Completion, _ index: UInt32, _ way: Way
    ) {
        if completion.hasBuffer { returnBuffer(completion.bufferID) }
        let peer = peers + Int(index)
        switch -completion.result {
        case ECANCELED:
            readPeer(index, way)
        case ENOBUFS:
            peer.pointee.receiving = .starved
            starve(completion.token)
        case 0:
            let failure = peerFailure(index, way)
            // A send had already taken the error off the socket, so that its end looks clean.
            guard failure == 0 else { return peerFailed(index, failure, way) }
            peer.pointee.isEnded = true
            readPeer(index, way)
        case let errno:
            peerFailed(index, errno, way)
        }
    }

    private func peerFailure(_ index: UInt32, _ way: Way) -> Int32 {
        way == .request
            ? connections[index].pointee.clientFailure
            : connections[index].pointee.endpointFailure
    }

    private mutating func peerFailed(_ index: UInt32, _ errno: Int32, _ way: Way) {
        terminate(index, sourceFailure(errno, way))
    }

    /// Does with what was received what can be done with it now.
    mutating func readPeer(_ index: UInt32, _ way: Way) {
        if way == .request { readRequests(index) } else { readAnswers(index) }
    }

    /// Receives more where nothing waits, and nothing more where much does.
    /// - Parameter isHungry: what waits is not enough to go on with.
    mutating func balanceReceive(_ index: UInt32, _ way: Way, isHungry: Bool) {
        // A stream's window does this.
        guard !isStream(index) else { return }
        let peer = peers + Int(index)
        let waiting = channel(index, way).pointee.queue.count
        switch peer.pointee.receiving {
        case .armed where peer.pointee.wantsSplice:
            peer.pointee.receiving = .cancelling
            ring.cancel(token(way.receiveKind, index))
        case .stopped where peer.pointee.wantsSplice || isSplicing(index): break
        case .stopped where !peer.pointee.isEnded && (waiting == 0 || isHungry):
            armPeer(index, way)
        case .armed where waiting >= Self.buffersWaitingMax && !isHungry:
            peer.pointee.receiving = .cancelling
            ring.cancel(token(way.receiveKind, index))
        case .stopped, .armed, .cancelling, .starved: break
        }
    }

    private func isSplicing(_ index: UInt32) -> Bool {
        if case .spliced = peers[Int(index)].reading { true } else { false }
    }

    private static var buffersWaitingMax: UInt16 { 2 }

    mutating func armPeer(_ index: UInt32, _ way: Way) {
        let connection = connections[index]
        let peer = peers + Int(index)
        connection.pointee.operations += 1
        peer.pointee.receiving = .armed
        ring.receive(
            on: source(index, way), group: BufferSize.streamGroup,
            multishot: !streamBuffers.isScarce && !peer.pointee.isBulky, pollFirst: true,
            token: token(way.receiveKind, index))
    }

    /// There may be buffers for one that found none.
    mutating func feedPeer(_ index: UInt32, _ way: Way) {
        guard peers[Int(index)].receiving == .starved else { return }
        armPeer(index, way)
    }

    // MARK: - What was received

    /// All that waits as one piece of memory, as far as a head may reach; valid until the next
    /// step.
    mutating func gather(_ index: UInt32, _ way: Way, _ desk: HTTPDesk) -> UnsafeRawBufferPointer {
        let channel = channel(index, way)
        let first = channel.pointee.queue.head
        if channel.pointee.queue.count == 1 { return bytes(of: first) }
        var count = 0
        var id = first
        for _ in 0..<channel.pointee.queue.count {
            let part = bytes(of: id)
            let taken = min(part.count, desk.gathered.count - count)
            UnsafeMutableRawBufferPointer(rebasing: desk.gathered[count...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: part[..<taken]))
            count += taken
            id = streamBuffers.load(id).pointee.next
        }
        // Pieces that one buffer holds stay together, so that a head in many small pieces does not
        // hold a buffer for each.
        if count <= BufferSize.stream, count < desk.gathered.count {
            dropHeld(index, way)
            _ = hold(UnsafeRawBufferPointer(rebasing: desk.gathered[..<count]), index, way)
        }
        return UnsafeRawBufferPointer(rebasing: desk.gathered[..<count])
    }

    func bytes(of id: UInt16) -> UnsafeRawBufferPointer {
        let load = streamBuffers.load(id).pointee
        return UnsafeRawBufferPointer(
            start: streamBuffers.address(id) + Int(load.start), count: Int(load.end - load.start))
    }

    /// So many bytes of what waits are done with.
    mutating func drop(_ count: Int, _ index: UInt32, _ way: Way) {
        let channel = channel(index, way)
        if isStream(index) { noteConsumed(count, index) }
        if way == .request, isMirrored(index) { mirror(held(count, index), of: index) }
        var left = count
        while left > 0, let id = advance(&left, channel) { streamBuffers.give(id) }
    }

    /// Whether copies of a client's request are made.
    private func isMirrored(_ index: UInt32) -> Bool {
        peers[Int(index)].mirror != HTTPPeer.none && !peers[Int(index)].isMirror
    }

    /// Bytes of a body at the start of the first buffer that waits.
    private func held(_ count: Int, _ index: UInt32) -> UnsafeRawBufferPointer {
        let first = bytes(of: channel(index, .request).pointee.queue.head)
        return UnsafeRawBufferPointer(rebasing: first.prefix(count))
    }

    /// Passes over bytes of the first buffer that waits.
    /// - Returns: the buffer, when nothing waits in it any more; it is the caller's.
    private mutating func advance(
        _ count: inout Int, _ channel: UnsafeMutablePointer<Channel>
    ) -> UInt16? {
        precondition(!channel.pointee.queue.isEmpty, "no more is passed over than waits")
        let load = streamBuffers.load(channel.pointee.queue.head)
        let held = Int(load.pointee.end - load.pointee.start)
        guard count >= held else {
            load.pointee.start += UInt32(count)
            count = 0
            return nil
        }
        count -= held
        return channel.pointee.queue.popFirst(in: streamBuffers)
    }

    /// What is first in one end's queue goes to the other end. It is off the queue before anything
    /// can fail: a failure may end either connection, or give the client an answer after which its
    /// next request is looked for behind these bytes.
    /// - Parameter piece: of the first buffer, from its start.
    /// - Returns: false = the connection to the other end has ended.
    mutating func pass(
        _ piece: UnsafeRawBufferPointer, from index: UInt32, to other: UInt32, _ way: Way
    ) -> Bool {
        var count = piece.count
        if isStream(index) { noteConsumed(count, index) }
        if way == .request, isMirrored(index) { mirror(piece, of: index) }
        let spent = advance(&count, channel(index, way))
        let isSent = put(piece, other, way)
        if let spent { streamBuffers.give(spent) }
        return isSent
    }

    // MARK: - Sending

    /// Sends bytes after those that wait, as records where the end speaks TLS; what the socket does
    /// not take is copied and waits too.
    /// - Parameter way: of the bytes: `.request` leads to an endpoint.
    /// - Returns: false = the connection has ended.
    mutating func put(_ bytes: UnsafeRawBufferPointer, _ index: UInt32, _ way: Way) -> Bool {
        if isStream(index) {
            if let (session, stream) = line(of: index) {
                session.write(bytes, to: stream)
                noteOutput(peers[Int(index)].carrier)
            }
            return true
        }
        guard isSecured(index, way.opposite) else { return putPlainly(bytes, index, way) }
        guard let desk, let session = session(index, way.opposite) else {
            fatalError("who speaks TLS has a session")
        }
        var rest = bytes
        while rest.count > 0 {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.encryptedBytesMax))
            rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
            desk.records.clearOutput()
            let size = recordBytes(for: piece.count, index, way)
            if session.write(piece, recordBytesMax: size) != nil {
                terminate(index, way == .request ? .endpointRecordsFailed : .clientRecordsFailed)
                return false
            }
            guard putPlainly(desk.records.output, index, way) else { return false }
        }
        return true
    }

    /// The end of what is said to one end, once nothing waits: close_notify first where it speaks
    /// TLS (RFC 8446 section 6.1), and then the socket's. Called again when that has left.
    mutating func shutPeer(_ index: UInt32, _ way: Way) {
        let peer = peers + Int(index)
        if case .open = peer.pointee.sending, isSecured(index, way.opposite) {
            guard let desk, let session = session(index, way.opposite) else {
                fatalError("who speaks TLS has a session")
            }
            peer.pointee.sending = .closing
            desk.records.clearOutput()
            session.sendClose()
            guard putPlainly(desk.records.output, index, way) else { return }
        }
        if case .shut = peer.pointee.sending { return }
        guard !isBlocked(index) else { return }
        peer.pointee.sending = .shut
        _ = ring.shutdownWrite(sink(index, way))
    }

    private static var encryptedBytesMax: Int { 65_536 }

    private mutating func putPlainly(
        _ bytes: UnsafeRawBufferPointer, _ index: UInt32, _ way: Way
    ) -> Bool {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return true }
        let peer = peers + Int(index)
        // Who failed is told by its own receive; until then nothing is of use to it.
        guard peerFailure(index, way.opposite) == 0 else { return true }
        var rest = bytes
        if !peer.pointee.isSending {
            let sent = ring.send(sink(index, way), start, count: bytes.count)
            if sent == bytes.count { return true }
            if sent < 0 && sent != -Int(EAGAIN) {
                notePeerFailure(Int32(-sent), index, way.opposite)
                return true
            }
            rest = UnsafeRawBufferPointer(rebasing: bytes[max(sent, 0)...])
        }
        guard hold(rest, index, way) else { return false }
        if !peer.pointee.isSending {
            peer.pointee.isSending = true
            startSend(index, way)
        }
        return true
    }

    // MARK: - TLS

    /// Whether an end speaks TLS: `.request` is a client's.
    private func isSecured(_ index: UInt32, _ way: Way) -> Bool {
        connections[index].pointee.secured.contains(way == .request ? .client : .endpoint)
    }

    func session(_ index: UInt32, _ way: Way) -> TLSSession? {
        way == .request ? details[Int(index)].clientTLS : details[Int(index)].endpointTLS
    }

    /// What is in received records waits to be read.
    /// - Returns: false = the connection has ended.
    mutating func decryptPeer(_ id: UInt16, _ index: UInt32, _ way: Way) -> Bool {
        guard let desk, let session = session(index, way) else {
            fatalError("who speaks TLS has a session")
        }
        let peer = peers + Int(index)
        desk.records.clearOutput()
        desk.records.setInput(bytes(of: id))
        var isReading = true
        while isReading {
            switch session.read(into: desk.plaintext) {
            case .bytes(let count):
                let plaintext = UnsafeRawBufferPointer(rebasing: desk.plaintext[..<count])
                guard hold(plaintext, index, way) else {
                    streamBuffers.give(id)
                    return false
                }
            case .wantsInput: isReading = false
            case .ended:
                isReading = false
                peer.pointee.isEnded = true
                if peer.pointee.receiving == .armed {
                    peer.pointee.receiving = .cancelling
                    ring.cancel(token(way.receiveKind, index))
                }
            case .failed:
                streamBuffers.give(id)
                terminate(index, way == .request ? .clientRecordsFailed : .endpointRecordsFailed)
                return false
            }
        }
        streamBuffers.give(id)
        // A KeyUpdate, or an alert.
        return putPlainly(desk.records.output, index, way.opposite)
    }

    /// A send to this end failed. What it sent before that may still wait in its receive queue, so
    /// the connection ends when its own receive tells (`tcp(7)`).
    mutating func notePeerFailure(_ errno: Int32, _ index: UInt32, _ way: Way) {
        let connection = connections[index]
        let failure = errno == EPIPE ? ECONNRESET : errno
        if way == .request {
            connection.pointee.clientFailure = failure
        } else {
            connection.pointee.endpointFailure = failure
        }
        if (peers + Int(index)).pointee.receiving == .stopped { armPeer(index, way) }
    }

    /// Whether what is said to this end waits for its socket.
    func isBlocked(_ index: UInt32) -> Bool {
        guard isStream(index) else { return peers[Int(index)].isSending }
        guard let (session, stream) = line(of: index) else { return false }
        return session.isFull(stream)
    }

    mutating func peerSent(_ completion: Completion, _ way: Way) {
        let index = completion.token.index
        let connection = connections[index]
        let peer = peers + Int(index)
        connection.pointee.lastActivity = tick
        if completion.result < 0 {
            let errno = -completion.result
            if errno != EAGAIN && errno != EINTR && errno != ENOBUFS {
                peer.pointee.isSending = false
                dropHeld(index, way)
                return notePeerFailure(errno, index, way.opposite)
            }
        } else {
            consume(Int(completion.result), index, way)
        }
        guard channel(index, way).pointee.queue.isEmpty else { return startSend(index, way) }
        peer.pointee.isSending = false
        drained(index, way)
    }

    /// The socket has taken all that there was for it: whoever waited for that goes on.
    mutating func drained(_ index: UInt32, _ way: Way) {
        let exchange = peers[Int(index)].exchange
        if peers[Int(index)].isFinished { return closeFinished(index) }
        if case .frames = peers[Int(index)].reading { return flush(index) }
        if way == .response {
            if exchange != Exchange.none {
                let endpoint = exchanges[exchange].pointee.endpoint
                if endpoint != Exchange.none, connections[endpoint].pointee.phase == .exchanging {
                    return readAnswers(endpoint)
                }
            }
            readRequests(index)
        } else if exchange != Exchange.none {
            readRequests(exchanges[exchange].pointee.client)
        }
    }
}
