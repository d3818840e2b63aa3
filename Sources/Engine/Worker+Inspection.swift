import CLinux
import Kernel
import Primitives
import Routing
import Wire

/// The PROXY header that a client sends first, where the listener is told to expect one. It is
/// gathered in one buffer however it was cut up.
extension Worker where R: ~Copyable {
    mutating func inspect(_ index: UInt32) {
        timers.set(index, deadline: tick + details[Int(index)].inspectionTicks)
        armInspection(index)
    }

    private mutating func armInspection(_ index: UInt32) {
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
        guard connection.pointee.phase == .inspecting else {
            return releaseCarried(completion, of: index)
        }
        guard completion.result > 0 else {
            if completion.hasBuffer { returnBuffer(completion.bufferID) }
            switch -completion.result {
            case ENOBUFS:
                starve(completion.token)
            case ECANCELED:
                // Only the time-out of a silent client with an optional header does this.
                timers.cancel(index)
                dial(index)
            case 0 where isHeaderOptional(index):
                // Who need not send a header may also end the stream with less than one.
                timers.cancel(index)
                dial(index)
            case 0: terminate(index, .proxyHeaderMissing)
            default: terminate(index, clientFailure(-completion.result))
            }
            return
        }
        gather(completion, index)
    }

    /// Who need not send a header, and has sent nothing, may be waiting for the server to speak.
    mutating func inspectionTimedOut(_ index: UInt32) {
        let connection = connections[index]
        let isSilent = details[Int(index)].inspected == BufferPool.none
        guard isHeaderOptional(index), isSilent, connection.pointee.operations > 0 else {
            return terminate(index, .inspectionTimedOut)
        }
        // Bytes may arrive before the cancel does: then the inspection goes on, under a new
        // time-out.
        timers.set(index, deadline: tick + details[Int(index)].inspectionTicks)
        ring.cancel(token(.inspect, index))
    }

    /// Adds what was received to what is there, and looks at all of it.
    private mutating func gather(_ completion: Completion, _ index: UInt32) {
        let id = completion.bufferID
        streamPosting.noteTaken()
        let received = UInt32(completion.result)
        let detail = details + Int(index)
        if detail.pointee.inspected == BufferPool.none {
            detail.pointee.inspected = id
            streamBuffers.load(id).pointee.start = 0
            streamBuffers.load(id).pointee.end = received
        } else {
            let whole = detail.pointee.inspected
            let end = streamBuffers.load(whole).pointee.end
            let room = UInt32(BufferSize.stream) - end
            guard received <= room else {
                streamBuffers.give(id)
                return terminate(index, .proxyHeaderMalformed)
            }
            let source = UnsafeRawPointer(streamBuffers.address(id))
            (streamBuffers.address(whole) + Int(end)).copyMemory(
                from: source, byteCount: Int(received))
            streamBuffers.load(whole).pointee.end = end + received
            streamBuffers.give(id)
        }
        judge(index)
    }

    private mutating func judge(_ index: UInt32) {
        let detail = details + Int(index)
        let id = detail.pointee.inspected
        let end = streamBuffers.load(id).pointee.end
        let bytes = UnsafeRawBufferPointer(start: streamBuffers.address(id), count: Int(end))
        switch parser.parse(bytes) {
        case .needMore:
            armInspection(index)
        case .match(let header, let length):
            detail.pointee.header = header
            streamBuffers.load(id).pointee.start = UInt32(length)
            timers.cancel(index)
            dial(index)
        case .noMatch where isHeaderOptional(index):
            timers.cancel(index)
            dial(index)
        case .noMatch:
            terminate(index, .proxyHeaderMissing)
        case .malformed:
            terminate(index, .proxyHeaderMalformed)
        }
    }

    private func isHeaderOptional(_ index: UInt32) -> Bool {
        details[Int(index)].proxyHeader == .optional
    }
}
