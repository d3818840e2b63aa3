import CLinux
import Kernel
import Primitives
import Routing
import TLS

/// The handshake with a client whose TLS ends here: between its hello, which has chosen the server,
/// and the dial. One step for all that was received, and no more is received before what the step
/// wrote is on its way.
extension Worker where R: ~Copyable {
    /// - Precondition: the connection has its cluster, or the server whose requests it brings.
    mutating func secure(
        _ index: UInt32, by server: TLSServer, serverName: UnsafeRawBufferPointer?
    ) {
        let connection = connections[index]
        guard let session = server.accept(serverName: serverName, on: openDesk().records) else {
            return terminate(index, .outOfMemory)
        }
        details[Int(index)].clientTLS = session
        connection.pointee.phase = .securing
        connection.pointee.secured.insert(.client)
        let listener = roster.listeners[UInt32(connection.pointee.listener)]
        timers.set(index, deadline: tick + listener.pointee.handshakeTicks)
        stepHandshake(token(.inspect, index))
    }

    /// Made when it is first needed.
    mutating func openDesk() -> TLSDesk {
        let desk = desk ?? TLSDesk()
        self.desk = desk
        return desk
    }

    /// What the client sent after its hello.
    mutating func securedReceived(_ completion: Completion, _ index: UInt32) {
        guard completion.result > 0 else {
            if completion.hasBuffer { returnBuffer(completion.bufferID) }
            switch -completion.result {
            case ENOBUFS: starve(completion.token)
            case 0: terminate(index, .handshakeFailed)
            default: terminate(index, clientFailure(-completion.result))
            }
            return
        }
        streamPosting.noteTaken()
        let load = streamBuffers.load(completion.bufferID)
        (load.pointee.start, load.pointee.end) = (0, UInt32(completion.result))
        details[Int(index)].inspected.append(completion.bufferID, in: streamBuffers)
        stepHandshake(token(.inspect, index))
    }

    /// Does the next step now, or in a later turn when this one has done enough of them.
    /// - Parameter token: `inspect` for the client's handshake, `dial` for the endpoint's.
    mutating func stepHandshake(_ token: Token) {
        let isLate = handshakeSteps >= TLSDesk.stepsPerTurn
        guard !isLate || handshakes.count == handshakes.capacity else {
            return handshakes.append(token)
        }
        advanceHandshake(token)
    }

    /// Between two turns: those that had to wait.
    mutating func resumeHandshakes() {
        handshakeSteps = 0
        while handshakeSteps < TLSDesk.stepsPerTurn, let token = handshakes.popFirst() {
            advanceHandshake(token)
        }
    }

    /// What waited for its turn may have ended, or the endpoint may be another's turn already.
    private mutating func advanceHandshake(_ token: Token) {
        let index = token.index
        guard let connection = connections.find(index, generation: token.generation) else { return }
        let isClient = token.kind == OperationKind.inspect.rawValue
        switch connection.pointee.phase {
        case .securing where isClient:
            handshakeSteps += 1
            advanceHandshake(index)
        case .dialing where !isClient && details[Int(index)].dialStep == .awaitingTurn:
            handshakeSteps += 1
            advanceEndpointHandshake(index)
        case .inspecting, .securing, .dialing, .relaying, .exchanging, .closing: break
        }
    }

    private mutating func advanceHandshake(_ index: UInt32) {
        let detail = details + Int(index)
        guard let desk, let session = detail.pointee.clientTLS else {
            fatalError("who shakes hands has a session")
        }
        desk.records.clearOutput()
        var progress = TLSSession.Progress.wantsInput
        // What is left of the PROXY header's buffer stays at the head: its TLVs are sent on.
        var id = detail.pointee.inspected.head
        for _ in 0..<detail.pointee.inspected.count {
            let load = streamBuffers.load(id)
            let count = Int(load.pointee.end - load.pointee.start)
            // A PROXY header's, read before.
            if count == 0 {
                id = load.pointee.next
                continue
            }
            desk.records.setInput(
                UnsafeRawBufferPointer(
                    start: streamBuffers.address(id) + Int(load.pointee.start), count: count))
            progress = session.handshake()
            load.pointee.start = load.pointee.end - UInt32(desk.records.inputLeft)
            guard case .wantsInput = progress else { break }
            id = load.pointee.next
        }
        keepHeaderOnly(index)
        switch progress {
        case .failed(let fault):
            let output = desk.records.output
            if let start = output.baseAddress, output.count > 0 {
                _ = ring.send(connections[index].pointee.client, start, count: output.count)
            }
            terminate(index, TerminationReason(fault))
        case .wantsInput, .done:
            if case .done = progress { detail.pointee.isHandshakeDone = true }
            guard sendRecords(index) else { return }
            proceed(index)
        }
    }

    /// Gives buffers back that were read whole, but for the first where a PROXY header was in it.
    private mutating func keepHeaderOnly(_ index: UInt32) {
        let detail = details + Int(index)
        var kept = BufferQueue()
        while let id = detail.pointee.inspected.popFirst(in: streamBuffers) {
            let load = streamBuffers.load(id).pointee
            if load.start < load.end || (kept.isEmpty && detail.pointee.header != nil) {
                kept.append(id, in: streamBuffers)
            } else {
                streamBuffers.give(id)
            }
        }
        detail.pointee.inspected = kept
    }

    /// Sends what the step wrote; false = some of it waits for the socket, or the connection ended.
    private mutating func sendRecords(_ index: UInt32) -> Bool {
        guard let desk else { return true }
        let output = desk.records.output
        guard let start = output.baseAddress, output.count > 0 else { return true }
        let connection = connections[index]
        let sent = ring.send(connection.pointee.client, start, count: output.count)
        if sent == output.count { return true }
        guard sent >= 0 || sent == -Int(EAGAIN) else {
            terminate(index, clientFailure(Int32(-sent)))
            return false
        }
        guard hold(UnsafeRawBufferPointer(rebasing: output[max(sent, 0)...]), index, .response)
        else { return false }
        startSend(index, .response)
        return false
    }

    /// What was held has been sent, some of it.
    mutating func securedSent(_ completion: Completion, _ index: UInt32) {
        if completion.result < 0 {
            let errno = -completion.result
            if errno != EAGAIN && errno != EINTR && errno != ENOBUFS {
                return terminate(index, clientFailure(errno))
            }
        } else {
            consume(Int(completion.result), index, .response)
        }
        if connections[index].pointee.response.queue.isEmpty {
            proceed(index)
        } else {
            startSend(index, .response)
        }
    }

    private mutating func proceed(_ index: UInt32) {
        guard details[Int(index)].isHandshakeDone else { return armInspection(index) }
        timers.cancel(index)
        if details[Int(index)].server == nil { enter(index) } else { beginRequests(index) }
    }
}
