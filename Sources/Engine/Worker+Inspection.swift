import CLinux
import Kernel
import Primitives
import Routing
import Wire

/// What a client says first, where the listener wants to know it before anybody is dialed: the
/// PROXY header, then the ClientHello. It is gathered however it was cut up, and all of it but the
/// header goes on to the endpoint as it came.
extension Worker where R: ~Copyable {
    mutating func inspect(_ index: UInt32) {
        timers.set(index, deadline: tick + details[Int(index)].inspectionTicks)
        armInspection(index)
    }

    mutating func armInspection(_ index: UInt32) {
        let connection = connections[index]
        connection.pointee.operations += 1
        ring.receive(
            on: connection.pointee.client, group: BufferSize.streamGroup, multishot: false,
            pollFirst: false, token: token(.inspect, index))
    }

    mutating func inspected(_ completion: Completion) {
        let index = completion.token.index
        guard let connection = connections.find(index, generation: completion.token.generation)
        else { return dropStale(completion) }
        connection.pointee.operations -= 1
        switch connection.pointee.phase {
        case .inspecting: break
        case .securing: return securedReceived(completion, index)
        case .dialing, .relaying, .exchanging, .closing:
            return releaseCarried(completion, of: index)
        }
        guard completion.result > 0 else {
            if completion.hasBuffer { returnBuffer(completion.bufferID) }
            switch -completion.result {
            case ENOBUFS:
                starve(completion.token)
            case ECANCELED:
                // Only the time-out of a silent client with an optional header does this.
                endHeader(index)
            case 0: inspectionEnded(index)
            default: terminate(index, clientFailure(-completion.result))
            }
            return
        }
        streamPosting.noteTaken()
        guard gather(completion.bufferID, UInt32(completion.result), index) else {
            return refuseTooLong(index)
        }
        judge(index)
    }

    /// The client ended its stream before it had said all that was asked for.
    private mutating func inspectionEnded(_ index: UInt32) {
        switch details[Int(index)].inspection {
        case .hello, .requests: terminate(index, .helloMissing)
        // Who need not send a header may also end the stream with less than one.
        case .proxyHeader where isHeaderOptional(index) && !readsHello(index): endHeader(index)
        case .proxyHeader: terminate(index, .proxyHeaderMissing)
        }
    }

    /// Who need not send a header, and has sent nothing, may be waiting for the server to speak;
    /// who is to send a ClientHello is not.
    mutating func inspectionTimedOut(_ index: UInt32) {
        let connection = connections[index]
        let detail = details + Int(index)
        guard detail.pointee.inspection == .proxyHeader, isHeaderOptional(index),
            !readsHello(index), detail.pointee.inspected.isEmpty, connection.pointee.operations > 0
        else { return terminate(index, .inspectionTimedOut) }
        // Bytes may arrive before the cancel does: then the inspection goes on, under a new
        // time-out.
        timers.set(index, deadline: tick + detail.pointee.inspectionTicks)
        ring.cancel(token(.inspect, index))
    }

    /// Adds what was received to what is there, without a gap but between two buffers; false = it
    /// is more than anybody has to say.
    private mutating func gather(_ id: UInt16, _ received: UInt32, _ index: UInt32) -> Bool {
        let detail = details + Int(index)
        let load = streamBuffers.load(id)
        (load.pointee.start, load.pointee.end) = (0, received)
        if !detail.pointee.inspected.isEmpty {
            let last = detail.pointee.inspected.tail
            let end = streamBuffers.load(last).pointee.end
            let count = min(received, UInt32(BufferSize.stream) - end)
            (streamBuffers.address(last) + Int(end)).copyMemory(
                from: UnsafeRawPointer(streamBuffers.address(id)), byteCount: Int(count))
            streamBuffers.load(last).pointee.end = end + count
            load.pointee.start = count
            if count == received {
                streamBuffers.give(id)
                return true
            }
        }
        guard detail.pointee.inspected.count < HelloReader.buffersMax else {
            streamBuffers.give(id)
            return false
        }
        detail.pointee.inspected.append(id, in: streamBuffers)
        return true
    }

    private mutating func refuseTooLong(_ index: UInt32) {
        switch details[Int(index)].inspection {
        case .proxyHeader: terminate(index, .proxyHeaderMalformed)
        case .hello, .requests: terminate(index, .helloTooLong)
        }
    }

    /// Looks at all that is there.
    private mutating func judge(_ index: UInt32) {
        switch details[Int(index)].inspection {
        case .proxyHeader: judgeHeader(index)
        case .hello: judgeHello(index)
        case .requests: fatalError("requests are not inspected")
        }
    }

    // MARK: - The PROXY header

    private mutating func judgeHeader(_ index: UInt32) {
        let detail = details + Int(index)
        // A header is never longer than the first buffer.
        let id = detail.pointee.inspected.head
        let end = streamBuffers.load(id).pointee.end
        let bytes = UnsafeRawBufferPointer(start: streamBuffers.address(id), count: Int(end))
        switch parser.parse(bytes) {
        case .needMore:
            armInspection(index)
        case .match(let header, let length):
            detail.pointee.header = header
            streamBuffers.load(id).pointee.start = UInt32(length)
            endHeader(index)
        case .noMatch where isHeaderOptional(index):
            endHeader(index)
        case .noMatch:
            terminate(index, .proxyHeaderMissing)
        case .malformed:
            terminate(index, .proxyHeaderMalformed)
        }
    }

    /// What follows the header, or stands in its place.
    private mutating func endHeader(_ index: UInt32) {
        guard readsHello(index) else {
            timers.cancel(index)
            return serve(index)
        }
        details[Int(index)].inspection = .hello
        judgeHello(index)
    }

    private func isHeaderOptional(_ index: UInt32) -> Bool {
        details[Int(index)].proxyHeader == .optional
    }

    private func readsHello(_ index: UInt32) -> Bool {
        roster.listeners[UInt32(connections[index].pointee.listener)].pointee.readsHello
    }

    /// Nothing has to be known of the client any more before it is served.
    mutating func serve(_ index: UInt32) {
        let listener = roster.listeners[UInt32(connections[index].pointee.listener)]
        if listener.pointee.readsRequests {
            beginRequests(index)
        } else {
            lead(index, to: ListenerState.onlyRoute)
        }
    }
}
