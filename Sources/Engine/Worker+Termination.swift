import CLinux
import Discovery
import Kernel
import Primitives

/// Terminate, join, close: a connection that ends is marked and what it has in the kernel is
/// cancelled; when all of that has come back its descriptors are closed; then its slot is free.
extension Worker where R: ~Copyable {
    // MARK: - Reasons

    func clientFailure(_ errno: Int32) -> TerminationReason {
        switch errno {
        case ECONNRESET, EPIPE: .clientReset
        default: .clientFailed
        }
    }

    /// What an error of the source socket of a direction means.
    func sourceFailure(_ errno: Int32, _ way: Way) -> TerminationReason {
        guard way == .response else { return clientFailure(errno) }
        switch errno {
        case ECONNRESET, EPIPE: return .endpointReset
        default: return .endpointFailed
        }
    }

    // MARK: - Terminate

    mutating func terminate(_ index: UInt32, _ reason: TerminationReason) {
        let connection = connections[index]
        precondition(connection.pointee.phase != .closing, "a connection ends once")
        let phase = connection.pointee.phase
        if phase == .exchanging, isStream(index) { return endStream(index, reason) }
        connection.pointee.phase = .closing
        connection.pointee.reason = reason
        let isClient = connection.pointee.listener != Connection.noListener
        if isClient { counters.add(reason) }
        timers.cancel(index)
        if connection.pointee.operations > 0 {
            switch phase {
            case .inspecting: ring.cancel(token(.inspect, index))
            case .securing:
                ring.cancel(token(.inspect, index))
                ring.cancel(token(.responseSend, index))
            case .dialing: ring.cancel(token(.dial, index))
            case .relaying:
                cancel(.request, index)
                cancel(.response, index)
            case .exchanging: cancelPeer(index, isClient ? .request : .response)
            case .closing: break
            }
        }
        let generation = connections.generation(of: index)
        if phase == .exchanging || !isClient { leaveExchange(index, isClient: isClient) }
        guard connections.find(index, generation: generation) != nil else { return }
        closeIfJoined(index)
    }

    private mutating func cancelPeer(_ index: UInt32, _ way: Way) {
        let peer = peers[Int(index)]
        if peer.receiving == .armed { ring.cancel(token(way.receiveKind, index)) }
        if peer.isSending { ring.cancel(token(way.opposite.sendKind, index)) }
        switch peer.polling {
        case .none: break
        case .source: ring.cancel(token(way.pollSourceKind, index))
        case .sink: ring.cancel(token(way.pollSinkKind, index))
        }
    }

    private mutating func cancel(_ way: Way, _ index: UInt32) {
        let direction = channel(index, way).pointee.direction
        if direction.receive == .armed { ring.cancel(token(way.receiveKind, index)) }
        if direction.holdsBytes { ring.cancel(token(way.sendKind, index)) }
        switch direction.phase {
        case .splicing: ring.cancel(token(way.pollSourceKind, index))
        case .pouring: ring.cancel(token(way.pollSinkKind, index))
        case .idle, .copying, .blocked, .turning, .finished: break
        }
    }

    // MARK: - Join

    /// A completion for a slot that has another tenant, or none: what it carries is freed.
    mutating func dropStale(_ completion: Completion) {
        counters.add(.staleCompletions)
        if completion.hasBuffer { returnBuffer(completion.bufferID) }
    }

    /// A completion for a connection that is closing.
    mutating func releaseCarried(_ completion: Completion, of index: UInt32) {
        if completion.hasBuffer { returnBuffer(completion.bufferID) }
        if !completion.hasMore { closeIfJoined(index) }
    }

    // MARK: - Close

    mutating func closeIfJoined(_ index: UInt32) {
        let connection = connections[index]
        assert(connection.pointee.phase == .closing)
        guard connection.pointee.operations == 0 else { return }
        let reason = connection.pointee.reason
        let isHolding =
            !connection.pointee.request.queue.isEmpty || !connection.pointee.response.queue.isEmpty
            || connection.pointee.request.pipeBytes > 0 || connection.pointee.response.pipeBytes > 0
        for way in [Way.request, .response] {
            dropHeld(index, way)
            releasePipe(index, way)
        }
        while let id = details[Int(index)].inspected.popFirst(in: streamBuffers) {
            streamBuffers.give(id)
        }
        details[Int(index)].clientTLS?.free()
        dropEndpointHandshake(index)
        if connection.pointee.client >= 0 {
            close(connection.pointee.client, withReset: reason.resetsClient(isHolding: isHolding))
        }
        if connection.pointee.endpoint >= 0 {
            close(
                connection.pointee.endpoint,
                withReset: reason.resetsEndpoint(isHolding: isHolding))
        }
        let isClient = connection.pointee.listener != Connection.noListener
        counters.add(.bytesFromClients, Int(connection.pointee.request.bytes))
        counters.add(.bytesFromEndpoints, Int(connection.pointee.response.bytes))
        leaveRoster(index)
        connections.release(index)
        counters.set(.connectionsLive, connections.count - streamCount)
        if isClient { handle.budget.give() }
        if timers.isSet(acceptTimer) { resumeAccepting() }
    }

    /// Gives up the connection's part in its listener and its cluster; either may have been waiting
    /// for its last connection.
    private mutating func leaveRoster(_ index: UInt32) {
        let listener = connections[index].pointee.listener
        if listener != Connection.noListener {
            let owner = roster.listeners[UInt32(listener)]
            owner.pointee.count -= 1
            owner.pointee.limit?.give()
            roster.releaseListener(UInt32(listener))
        }
        let detail = details + Int(index)
        detail.pointee.endpoint?._withUnsafeGuaranteedRef { $0.give() }
        let cluster = detail.pointee.cluster
        guard cluster != ConnectionDetails.noCluster else { return }
        roster.clusters[cluster].pointee.endpoints.limits?.give(&detail.pointee.claim)
        roster.releaseCluster(cluster)
    }

    private mutating func close(_ socket: Descriptor, withReset: Bool) {
        if withReset {
            reset(socket)
        } else {
            _ = ring.close(socket)
        }
    }
}

extension TerminationReason {
    /// Whether the client is told by a reset, so that it does not take the end for a clean one.
    func resetsClient(isHolding: Bool) -> Bool {
        switch self {
        case .clientClosed, .endpointClosed, .flowAnswered, .answered: false
        case .clientReset, .clientFailed: false
        case .proxyHeaderMalformed, .proxyHeaderMissing, .inspectionTimedOut, .helloMissing,
            .notTLS, .helloMalformed, .helloTooLong, .serverNameMissing, .serverUnknown,
            .serverUnserved, .handshakeFailed, .handshakeTimedOut, .clientCertificateRefused,
            .clientRecordsFailed, .requestMalformed:
            false
        case .idleTimedOut, .endpointDown, .failedBack: isHolding
        case .clientDenied, .endpointReset, .endpointFailed, .connectFailed, .connectTimedOut,
            .endpointHandshakeFailed, .endpointRecordsFailed, .noEndpoint, .noRoute, .listenerLimit,
            .totalLimit, .clusterLimit, .pendingLimit,
            .endpointLimit, .sourceLimit, .sourceRate, .flowEvicted, .outOfDescriptors,
            .outOfBuffers, .outOfMemory, .drainTimedOut, .listenerRemoved:
            true
        }
    }

    /// Whether the endpoint is told by a reset.
    func resetsEndpoint(isHolding: Bool) -> Bool {
        switch self {
        case .clientClosed, .endpointClosed, .flowAnswered, .answered: false
        case .endpointReset, .endpointFailed, .endpointRecordsFailed: false
        case .idleTimedOut, .endpointDown, .failedBack: isHolding
        case .clientReset, .clientFailed, .clientDenied, .connectFailed, .connectTimedOut,
            .endpointHandshakeFailed,
            .noEndpoint, .noRoute, .listenerLimit, .totalLimit, .clusterLimit, .pendingLimit,
            .endpointLimit, .sourceLimit, .sourceRate, .flowEvicted, .outOfDescriptors,
            .outOfBuffers, .outOfMemory, .drainTimedOut, .listenerRemoved, .proxyHeaderMalformed,
            .proxyHeaderMissing, .inspectionTimedOut, .helloMissing, .notTLS, .helloMalformed,
            .helloTooLong, .serverNameMissing, .serverUnknown, .serverUnserved, .handshakeFailed,
            .handshakeTimedOut, .clientCertificateRefused, .clientRecordsFailed,
            .requestMalformed:
            true
        }
    }
}
