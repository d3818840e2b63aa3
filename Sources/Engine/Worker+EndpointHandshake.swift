import CLinux
import Kernel
import Primitives
import Routing
import TLS

/// The handshake with an endpoint, between the connect and `endpointReady`, within the time of the
/// same attempt: an endpoint with which it fails has failed to be connected to. It needs nothing of
/// the client's side but the addresses for a PROXY header, which goes before it in the clear
/// (PROXY protocol, section 2).
extension Worker where R: ~Copyable {
    /// - Precondition: the connect has succeeded, and the endpoint is one for TLS.
    mutating func secureEndpoint(_ index: UInt32) {
        let detail = details + Int(index)
        let desk = openDesk()
        let session = detail.pointee.endpoint?._withUnsafeGuaranteedRef { endpoint in
            endpoint.tls?.connect(endpointName: endpoint.tlsName, on: desk.records)
        }
        guard let session else { return terminate(index, .outOfMemory) }
        detail.pointee.endpointTLS = session
        let header = roster.clusters[detail.pointee.cluster].pointee.plan.proxyHeader
        if header != .none {
            guard let id = writeProxyHeader(header, index) else {
                return terminate(index, .outOfBuffers)
            }
            channel(index, .request).pointee.queue.append(id, in: streamBuffers)
        }
        awaitTurn(index)
    }

    private mutating func awaitTurn(_ index: UInt32) {
        details[Int(index)].dialStep = .awaitingTurn
        stepHandshake(token(.dial, index))
    }

    // MARK: - Steps

    mutating func advanceEndpointHandshake(_ index: UInt32) {
        let detail = details + Int(index)
        guard let desk, let session = detail.pointee.endpointTLS else {
            fatalError("who shakes hands has a session")
        }
        desk.records.clearOutput()
        desk.records.setInput(takenInput(index))
        let progress = session.handshake()
        noteRead(index, left: desk.records.inputLeft)
        switch progress {
        case .wantsInput: sendHandshake(index)
        case .done:
            detail.pointee.isEndpointSecure = true
            sendHandshake(index)
        case .failed(let fault):
            let output = desk.records.output
            if let start = output.baseAddress, output.count > 0 {
                _ = ring.send(connections[index].pointee.endpoint, start, count: output.count)
            }
            handshakeFailed(index, fault)
        }
    }

    private mutating func handshakeFailed(_ index: UInt32, _ fault: TLSFault) {
        details[Int(index)].endpoint?._withUnsafeGuaranteedRef { $0.note(fault) }
        attemptFailed(index, .endpointHandshakeFailed)
    }

    /// What was received last; the endpoint says nothing before the first step.
    private func takenInput(_ index: UInt32) -> UnsafeRawBufferPointer {
        let id = details[Int(index)].endpointInput
        guard id != BufferPool.none else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let load = streamBuffers.load(id).pointee
        return UnsafeRawBufferPointer(
            start: streamBuffers.address(id) + Int(load.start), count: Int(load.end - load.start))
    }

    /// What the handshake leaves is relayed.
    private mutating func noteRead(_ index: UInt32, left: Int) {
        let detail = details + Int(index)
        let id = detail.pointee.endpointInput
        guard id != BufferPool.none else { return }
        let load = streamBuffers.load(id)
        load.pointee.start = load.pointee.end - UInt32(left)
        guard left == 0 else { return }
        streamBuffers.give(id)
        detail.pointee.endpointInput = BufferPool.none
    }

    /// Sends what the step wrote, behind the PROXY header.
    private mutating func sendHandshake(_ index: UInt32) {
        guard let desk else { return }
        let output = desk.records.output
        let isBehind = !channel(index, .request).pointee.queue.isEmpty
        var taken = 0
        if !isBehind, let start = output.baseAddress, output.count > 0 {
            let sent = ring.send(connections[index].pointee.endpoint, start, count: output.count)
            guard sent >= 0 || sent == -Int(EAGAIN) else {
                return handshakeFailed(index, TLSFault(.peerClosed))
            }
            taken = max(sent, 0)
        }
        guard isBehind || taken < output.count else { return proceed(index) }
        guard hold(UnsafeRawBufferPointer(rebasing: output[taken...]), index, .request) else {
            return
        }
        sendHeld(index)
    }

    private mutating func sendHeld(_ index: UInt32) {
        details[Int(index)].dialStep = .sending
        startSend(index, .request, as: .dial)
    }

    private mutating func proceed(_ index: UInt32) {
        guard details[Int(index)].isEndpointSecure else { return armEndpointHandshake(index) }
        let connection = connections[index]
        connection.pointee.secured.insert(.endpoint)
        // Those of the handshake do not count.
        connection.pointee.request.bytes = 0
        endpointReady(index)
    }

    // MARK: - Completions

    private mutating func armEndpointHandshake(_ index: UInt32) {
        let connection = connections[index]
        details[Int(index)].dialStep = .receiving
        connection.pointee.operations += 1
        ring.receive(
            on: connection.pointee.endpoint, group: BufferSize.streamGroup, multishot: false,
            pollFirst: true, token: token(.dial, index))
    }

    /// There are buffers again.
    mutating func feedEndpointHandshake(_ index: UInt32) {
        guard connections[index].pointee.phase == .dialing,
            details[Int(index)].dialStep == .starved
        else { return }
        armEndpointHandshake(index)
    }

    mutating func endpointHandshakeReceived(_ completion: Completion, _ index: UInt32) {
        guard completion.result > 0 else {
            if completion.hasBuffer { returnBuffer(completion.bufferID) }
            guard completion.result == -ENOBUFS else {
                return handshakeFailed(index, TLSFault(.peerClosed))
            }
            details[Int(index)].dialStep = .starved
            return starve(completion.token)
        }
        streamPosting.noteTaken()
        let load = streamBuffers.load(completion.bufferID)
        (load.pointee.start, load.pointee.end) = (0, UInt32(completion.result))
        details[Int(index)].endpointInput = completion.bufferID
        awaitTurn(index)
    }

    /// What was held has been sent, some of it.
    mutating func endpointHandshakeSent(_ completion: Completion, _ index: UInt32) {
        if completion.result < 0 {
            let errno = -completion.result
            guard errno == EAGAIN || errno == EINTR || errno == ENOBUFS else {
                return handshakeFailed(index, TLSFault(.peerClosed))
            }
        } else {
            consume(Int(completion.result), index, .request)
        }
        if channel(index, .request).pointee.queue.isEmpty {
            proceed(index)
        } else {
            sendHeld(index)
        }
    }

    // MARK: - The end

    /// Frees what an attempt or a connection has of TLS with its endpoint.
    mutating func dropEndpointHandshake(_ index: UInt32) {
        let detail = details + Int(index)
        detail.pointee.endpointTLS?.free()
        detail.pointee.endpointTLS = nil
        detail.pointee.isEndpointSecure = false
        let id = detail.pointee.endpointInput
        guard id != BufferPool.none else { return }
        streamBuffers.give(id)
        detail.pointee.endpointInput = BufferPool.none
    }
}
