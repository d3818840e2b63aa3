import CLinux
import Kernel
import Primitives

/// Copying: received buffers are sent on from the handler; what the sink does not take at once
/// waits, and leaves by SENDMSG.
extension Worker where R: ~Copyable {
    // MARK: - Slots

    @inline(__always)
    func channel(_ index: UInt32, _ way: Way) -> UnsafeMutablePointer<Channel> {
        let connection = UnsafeMutableRawPointer(connections[index])
        let offset =
            way == .request
            ? MemoryLayout<Connection>.offset(of: \.request)!
            : MemoryLayout<Connection>.offset(of: \.response)!
        return (connection + offset).assumingMemoryBound(to: Channel.self)
    }

    @inline(__always)
    func source(_ index: UInt32, _ way: Way) -> Descriptor {
        way == .request ? connections[index].pointee.client : connections[index].pointee.endpoint
    }

    @inline(__always)
    func sink(_ index: UInt32, _ way: Way) -> Descriptor {
        source(index, way.opposite)
    }

    // MARK: - Receiving

    @inline(__always)
    mutating func received(_ completion: Completion, _ way: Way) {
        let index = completion.token.index
        guard let connection = connections.find(index, generation: completion.token.generation)
        else { return dropStale(completion) }
        if !completion.hasMore { connection.pointee.operations -= 1 }
        guard connection.pointee.phase == .relaying else {
            return connection.pointee.phase == .exchanging
                ? peerReceived(completion, way) : releaseCarried(completion, of: index)
        }
        guard completion.result > 0 else { return receiveEnded(completion, index, way) }
        connection.pointee.lastActivity = tick
        streamPosting.noteTaken()
        let id = completion.bufferID
        let load = streamBuffers.load(id)
        load.pointee.start = 0
        load.pointee.end = UInt32(completion.result)
        if !connection.pointee.secured.isEmpty {
            return relayRecords(id, isLast: !completion.hasMore, index, way)
        }
        let event = Direction.Event.received(
            isFull: Int(completion.result) == BufferSize.stream, isLast: !completion.hasMore)
        move(id, channel(index, way).pointee.direction.on(event), index, way)
    }

    /// Does with a buffer what the direction says.
    @inline(__always)
    mutating func move(
        _ id: UInt16, _ actions: Direction.Actions, _ index: UInt32, _ way: Way
    ) {
        if actions == .forward {
            forward(id, index, way)
        } else if actions.contains(.discard) {
            streamBuffers.give(id)
        } else {
            assert(actions.contains(.enqueue))
            channel(index, way).pointee.queue.append(id, in: streamBuffers)
            perform(actions, index, way)
        }
    }

    @inline(__always)
    private mutating func forward(_ id: UInt16, _ index: UInt32, _ way: Way) {
        let load = streamBuffers.load(id)
        let count = Int(load.pointee.end - load.pointee.start)
        let data = streamBuffers.address(id) + Int(load.pointee.start)
        let sent = ring.send(sink(index, way), data, count: count)
        let channel = channel(index, way)
        if sent == count {
            streamBuffers.give(id)
            channel.pointee.bytes += UInt64(count)
            let actions = channel.pointee.direction.on(.forwarded(inFull: true))
            if !actions.isEmpty { perform(actions, index, way) }
            return
        }
        forwardedShort(sent, id, index, way)
    }

    private mutating func forwardedShort(
        _ sent: Int, _ id: UInt16, _ index: UInt32, _ way: Way
    ) {
        if sent < 0 && sent != -Int(EAGAIN) {
            streamBuffers.give(id)
            return sinkFailed(Int32(-sent), index, way)
        }
        let channel = channel(index, way)
        let taken = max(sent, 0)
        streamBuffers.load(id).pointee.start += UInt32(taken)
        channel.pointee.bytes += UInt64(taken)
        let actions = channel.pointee.direction.on(.forwarded(inFull: false))
        assert(actions.contains(.enqueue))
        channel.pointee.queue.append(id, in: streamBuffers)
        perform(actions, index, way)
    }

    private mutating func receiveEnded(
        _ completion: Completion, _ index: UInt32, _ way: Way
    ) {
        if completion.hasBuffer { returnBuffer(completion.bufferID) }
        let connection = connections[index]
        let failure =
            way == .request ? connection.pointee.clientFailure : connection.pointee.endpointFailure
        let direction = channel(index, way)
        switch -completion.result {
        case ECANCELED where direction.pointee.isClosedInside:
            ended(index, way)
        case ECANCELED:
            perform(direction.pointee.direction.on(.receiveStopped), index, way)
        case ENOBUFS:
            perform(direction.pointee.direction.on(.receiveOutOfBuffers), index, way)
        case 0 where failure == 0:
            ended(index, way)
        case 0:
            // A send had already taken the error off the socket, so that its end looks clean.
            terminate(index, sourceFailure(failure, way))
        case let errno:
            terminate(index, sourceFailure(errno, way))
        }
    }

    /// The source of a direction has sent its end of stream.
    mutating func ended(_ index: UInt32, _ way: Way) {
        let connection = connections[index]
        if connection.pointee.firstEnded == nil { connection.pointee.firstEnded = way }
        if !connection.pointee.secured.isEmpty {
            sendClose(index, way)
            guard connection.pointee.phase == .relaying else { return }
        }
        perform(channel(index, way).pointee.direction.on(.endOfStream), index, way)
    }

    // MARK: - Actions

    mutating func perform(_ actions: Direction.Actions, _ index: UInt32, _ way: Way) {
        if actions.contains(.startSend) { startSend(index, way) }
        if actions.contains(.arm) { arm(index, way) }
        if actions.contains(.cancelReceive) { ring.cancel(token(way.receiveKind, index)) }
        if actions.contains(.pollSource) {
            let connection = connections[index]
            connection.pointee.operations += 1
            ring.poll(
                source(index, way), events: Int32(POLLIN), token: token(way.pollSourceKind, index))
        }
        if actions.contains(.pollSink) {
            let connection = connections[index]
            connection.pointee.operations += 1
            ring.poll(
                sink(index, way), events: Int32(POLLOUT), token: token(way.pollSinkKind, index))
        }
        if actions.contains(.dropHeld) { dropHeld(index, way) }
        // The last three may end the connection.
        if actions.contains(.awaitBuffers) { starve(token(way.receiveKind, index)) }
        if actions.contains(.pump) { pump(index, way) }
        if actions.contains(.shutdownSink) { shutdownSink(index, way) }
    }

    private mutating func arm(_ index: UInt32, _ way: Way) {
        let connection = connections[index]
        let channel = channel(index, way)
        connection.pointee.operations += 1
        ring.receive(
            on: source(index, way), group: BufferSize.streamGroup,
            multishot: channel.pointee.direction.wantsMultishot && !streamBuffers.isScarce,
            // An endpoint has nothing to say just after the connect, as a rule.
            pollFirst: way == .response && channel.pointee.bytes == 0,
            token: token(way.receiveKind, index))
    }

    mutating func startSend(_ index: UInt32, _ way: Way) {
        startSend(index, way, as: way.sendKind)
    }

    mutating func startSend(_ index: UInt32, _ way: Way, as kind: OperationKind) {
        if arena.isFull {
            ring.submit()
            arena.reset()
        }
        let message = arena.message(of: channel(index, way).pointee.queue, in: streamBuffers)
        let connection = connections[index]
        connection.pointee.operations += 1
        ring.sendMessage(
            on: sink(index, way), header: message, token: token(kind, index))
    }

    private mutating func shutdownSink(_ index: UInt32, _ way: Way) {
        let connection = connections[index]
        if channel(index, way.opposite).pointee.direction.phase == .finished {
            let isClientFirst = connection.pointee.firstEnded == .request
            return terminate(index, isClientFirst ? .clientClosed : .endpointClosed)
        }
        // ENOTCONN when the peer has reset meanwhile: its receive tells.
        _ = ring.shutdownWrite(sink(index, way))
    }

    mutating func dropHeld(_ index: UInt32, _ way: Way) {
        let channel = channel(index, way)
        while let id = channel.pointee.queue.popFirst(in: streamBuffers) {
            streamBuffers.give(id)
        }
    }

    // MARK: - Sending

    mutating func sent(_ completion: Completion, _ way: Way) {
        let index = completion.token.index
        guard let connection = connections.find(index, generation: completion.token.generation)
        else { return dropStale(completion) }
        connection.pointee.operations -= 1
        guard connection.pointee.phase == .relaying else {
            switch connection.pointee.phase {
            case .securing: return securedSent(completion, index)
            case .exchanging: return peerSent(completion, way)
            case .inspecting, .dialing, .relaying, .closing: return closeIfJoined(index)
            }
        }
        connection.pointee.lastActivity = tick
        let channel = channel(index, way)
        if completion.result < 0 {
            let errno = -completion.result
            if errno != EAGAIN && errno != EINTR && errno != ENOBUFS {
                return sinkFailed(errno, index, way)
            }
        } else {
            consume(Int(completion.result), index, way)
        }
        let isEmpty = channel.pointee.queue.isEmpty
        perform(channel.pointee.direction.on(.sent(isEmpty: isEmpty)), index, way)
    }

    mutating func consume(_ count: Int, _ index: UInt32, _ way: Way) {
        let channel = channel(index, way)
        channel.pointee.bytes += UInt64(count)
        var left = UInt32(count)
        while left > 0 {
            precondition(!channel.pointee.queue.isEmpty, "no more is sent than was given")
            let load = streamBuffers.load(channel.pointee.queue.head)
            let held = load.pointee.end - load.pointee.start
            if left < held {
                load.pointee.start += left
                return
            }
            left -= held
            if let id = channel.pointee.queue.popFirst(in: streamBuffers) {
                streamBuffers.give(id)
            }
        }
    }

    /// The sink of a direction is broken. What its peer sent before that may still be waiting in
    /// its receive queue, so the connection ends when that side's own receive tells (`tcp(7)`).
    mutating func sinkFailed(_ errno: Int32, _ index: UInt32, _ way: Way) {
        let connection = connections[index]
        let failure = errno == EPIPE ? ECONNRESET : errno
        if way == .request {
            connection.pointee.endpointFailure = failure
        } else {
            connection.pointee.clientFailure = failure
        }
        perform(channel(index, way).pointee.direction.on(.abandon), index, way)
        let opposite = channel(index, way.opposite).pointee.direction
        if opposite.isSourceEnded { terminate(index, sourceFailure(failure, way.opposite)) }
    }

    // MARK: - Buffers

    /// A completion took a buffer that nobody reads.
    mutating func returnBuffer(_ id: UInt16) {
        streamPosting.noteTaken()
        streamBuffers.give(id)
    }

    mutating func postBuffers() {
        let missing = streamPosting.missing
        if missing > 0 {
            var count = 0
            while count < missing, let id = streamBuffers.take() {
                ring.provideBuffer(
                    id, at: streamBuffers.address(id), length: UInt32(BufferSize.stream),
                    group: BufferSize.streamGroup)
                count += 1
            }
            if count > 0 {
                ring.publishBuffers(group: BufferSize.streamGroup)
                streamPosting.notePosted(count)
            }
        }
        datagramPostBuffers()
    }

    /// Puts a direction that found no buffer in line. The line holds every direction there can be
    /// and as many again that have ended since.
    mutating func starve(_ token: Token) {
        counters.add(.bufferStarvations)
        streamPosting.noteExhausted()
        guard starved.count < starved.capacity else {
            return terminate(token.index, .outOfBuffers)
        }
        starved.append(token)
    }

    /// Lets those that found no buffer try again, once buffers are there.
    mutating func feedStarved() {
        postBuffers()
        for _ in 0..<min(starved.count, streamPosting.posted) {
            guard let token = starved.popFirst() else { return }
            if token.kind == OperationKind.listenerDatagrams.rawValue
                || token.kind == OperationKind.flowDatagrams.rawValue
            {
                feedStarvedDatagrams(token)
                continue
            }
            guard let connection = connections.find(token.index, generation: token.generation)
            else { continue }
            if token.kind == OperationKind.inspect.rawValue {
                switch connection.pointee.phase {
                case .inspecting: inspect(token.index)
                case .securing: armInspection(token.index)
                case .dialing, .relaying, .exchanging, .closing: break
                }
                continue
            }
            if token.kind == OperationKind.dial.rawValue {
                feedEndpointHandshake(token.index)
                continue
            }
            let way = token.kind == OperationKind.requestReceive.rawValue ? Way.request : .response
            if connection.pointee.phase == .exchanging {
                feedPeer(token.index, way)
                continue
            }
            guard connection.pointee.phase == .relaying else { continue }
            let actions = channel(token.index, way).pointee.direction.on(.buffersReturned)
            perform(actions, token.index, way)
        }
    }
}
