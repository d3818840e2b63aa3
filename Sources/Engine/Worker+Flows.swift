import CLinux
import Discovery
import Kernel
import Primitives
import Routing

/// UDP flows: a client gets an endpoint and a connected socket to it when its first datagram comes,
/// and keeps them until it is silent, answered, or has to make room.
extension Worker where R: ~Copyable {
    // MARK: - Finding and making

    /// The flow of a datagram, an old one or a new one; nil: the datagram is dropped.
    @inline(__always)
    mutating func flow(for record: DatagramRecord, local: IPAddress?, socket: UInt32) -> UInt32? {
        guard let (client, port) = Self.sender(record) else { return nil }
        let key = FlowKey(
            client: client, port: port, socket: UInt16(socket), local: local ?? .anyIPv6)
        if let index = flows.find(key) { return index }
        return makeFlow(key, record)
    }

    @inline(__always)
    private static func sender(_ record: DatagramRecord) -> (IPAddress, UInt16)? {
        let name = record.name
        guard name.count >= MemoryLayout<sockaddr_in>.size else { return nil }
        let family = Int32(name.loadUnaligned(as: sa_family_t.self))
        let port = UInt16(bigEndian: name.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        if family == AF_INET {
            let address = name.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
            return (IPAddress(v4: UInt32(bigEndian: address)), port)
        }
        guard family == AF_INET6, name.count >= MemoryLayout<sockaddr_in6>.size else { return nil }
        let high = name.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        let low = name.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        return (IPAddress(v6High: UInt64(bigEndian: high), low: UInt64(bigEndian: low)), port)
    }

    private mutating func makeFlow(_ key: FlowKey, _ record: DatagramRecord) -> UInt32? {
        let socket = roster.sockets[UInt32(key.socket)]
        guard service == .serving, !socket.pointee.isLeaving else { return nil }
        let listenerIndex = socket.pointee.listener
        let listener = roster.listeners[UInt32(listenerIndex)]
        guard listener.pointee.allows(key.client, ListenerState.onlyRoute) else {
            counters.add(.flowsAccepted)
            return refuseFlow(.clientDenied)
        }
        let perSourceMax = listener.pointee.udp.flowsPerSourceMax
        guard flows.countOfSource(key.client) < perSourceMax else { return nil }
        counters.add(.flowsAccepted)
        let cluster: UInt32
        switch listener.pointee.pick(ListenerState.onlyRoute) {
        case .refusal(let reason): return refuseFlow(reason)
        case .cluster(let number): cluster = number
        }
        let state = roster.clusters[cluster]
        var claim = ClusterLimits.Claim()
        let limits = state.pointee.endpoints.limits
        if let refusal = limits?.admit(&claim, client: key.client, isPending: false, now: now) {
            return refuseFlow(TerminationReason(refusal))
        }
        guard let picked = state.pointee.pick(for: key.client) else {
            limits?.give(&claim)
            return refuseFlow(.noEndpoint)
        }
        guard let leader = state.pointee.endpoints.take(picked) else {
            limits?.give(&claim)
            return refuseFlow(.endpointLimit)
        }
        guard let endpoint = openFlow(to: leader, of: listenerIndex) else {
            leader._withUnsafeGuaranteedRef { $0.give() }
            limits?.give(&claim)
            return nil
        }
        let flow = Flow(
            key: key, name: ClientName(record.name), endpoint: endpoint, listener: listenerIndex,
            cluster: cluster, leader: leader, claim: claim,
            isDoubtful: leader._withUnsafeGuaranteedRef { $0.failuresInRow > 0 },
            lastActivity: tick)
        guard let index = flows.insert(flow) else {
            _ = ring.close(endpoint)
            handle.budget.give()
            leader._withUnsafeGuaranteedRef { $0.give() }
            limits?.give(&claim)
            return refuseFlow(.totalLimit)
        }
        listener.pointee.count += 1
        socket.pointee.flowCount += 1
        state.pointee.references += 1
        counters.set(.flowsLive, flows.count)
        timers.set(flowTimer(index), deadline: tick + state.pointee.flowIdleTicks)
        armFlow(index)
        return index
    }

    /// A socket to the endpoint, within the listener's maximum and the budget of all workers; nil =
    /// there is none, which is counted.
    private mutating func openFlow(
        to leader: Unmanaged<Endpoint>, of listenerIndex: UInt16
    ) -> Descriptor? {
        // Only now: who is refused must not have cost another its flow.
        let listener = roster.listeners[UInt32(listenerIndex)]
        if listener.pointee.count >= Int(listener.pointee.udp.flowsMax) {
            guard evictOldest(of: listenerIndex) else {
                counters.add(.listenerLimit)
                return nil
            }
        }
        if !handle.budget.take() {
            guard evictOldest(of: nil), handle.budget.take() else {
                counters.add(.totalLimit)
                return nil
            }
        }
        if let endpoint = openEndpoint(leader) { return endpoint }
        handle.budget.give()
        counters.add(.outOfDescriptors)
        return nil
    }

    private mutating func refuseFlow(_ reason: TerminationReason) -> UInt32? {
        counters.add(reason)
        return nil
    }

    private mutating func openEndpoint(_ leader: Unmanaged<Endpoint>) -> Descriptor? {
        let address = leader._withUnsafeGuaranteedRef { $0.address }
        guard address.pointee.family != AF_UNIX else { return nil }
        let socket = ring.socket(family: address.pointee.family, type: Int32(SOCK_DGRAM.rawValue))
        guard socket >= 0 else { return nil }
        if ring.features.contains(.udpReceiveOffload) {
            _ = ring.setOption(socket, level: Int32(IPPROTO_UDP), name: UDP_GRO, 1)
        }
        // An unreachable network is told by the first send as well, and may come back.
        _ = ring.connectNow(socket, to: address)
        return socket
    }

    mutating func armFlow(_ index: UInt32) {
        flows[index].pointee.isArmed = true
        ring.receiveMessages(
            on: flows[index].pointee.endpoint, header: datagrams.flowHeader,
            group: BufferSize.datagramGroup,
            token: Token(.flowDatagrams, generation: flows.generation(of: index), index: index))
    }

    // MARK: - Refusals

    /// The endpoint's host said that nobody listens there (ICMP port unreachable): the flow goes on
    /// with the next endpoint, or tries the only one anew.
    mutating func flowRefused(_ index: UInt32) {
        counters.add(.endpointRefusals)
        let flow = flows[index]
        flow.pointee.isDoubtful = true
        let endpoints = roster.clusters[flow.pointee.cluster].pointee.endpoints
        let next = flow.pointee.leader._withUnsafeGuaranteedRef { refusing in
            endpoints.noteFailure(of: refusing)
            var tried = TriedEndpoints()
            tried.insert(refusing)
            // The socket has a family.
            return endpoints.takeNext(after: refusing, tried: tried, family: refusing.family)
        }
        if let next { move(index, to: next) }
    }

    /// The flow goes on with another endpoint; its client notices nothing. The socket has a family,
    /// so one of another family gets a flow of its own, with the client's next datagram.
    /// - Parameter next: taken.
    mutating func move(_ index: UInt32, to next: Unmanaged<Endpoint>) {
        let flow = flows[index]
        let family = flow.pointee.leader._withUnsafeGuaranteedRef { $0.family }
        guard next._withUnsafeGuaranteedRef({ $0.family }) == family else {
            next._withUnsafeGuaranteedRef { $0.give() }
            return endFlow(index, .endpointDown)
        }
        flow.pointee.leader._withUnsafeGuaranteedRef { $0.give() }
        flow.pointee.leader = next
        let address = next._withUnsafeGuaranteedRef { $0.address }
        _ = ring.connectNow(flow.pointee.endpoint, to: address)
    }

    // MARK: - Ending

    mutating func flowTimedOut(_ index: UInt32) {
        let flow = flows[index]
        guard flow.pointee.isLive else { return }
        let deadline = flow.pointee.lastActivity + idleTicks(of: flow.pointee)
        if deadline <= tick {
            endFlow(index, .idleTimedOut)
        } else {
            timers.set(flowTimer(index), deadline: deadline)
        }
    }

    /// A flow has no end of its own, so a drain does not wait for its whole time-out.
    private func idleTicks(of flow: Flow) -> UInt64 {
        let ticks = roster.clusters[flow.cluster].pointee.flowIdleTicks
        return service == .draining ? min(ticks, Self.drainIdleTicks) : ticks
    }

    private static var drainIdleTicks: UInt64 { 120 }

    mutating func endFlow(_ index: UInt32, _ reason: TerminationReason) {
        switch datagrams.batch.target {
        case .client(index), .endpoint(index): datagramFlush()
        default: break
        }
        let flow = flows[index]
        flow.pointee.reason = reason
        counters.add(reason)
        timers.cancel(flowTimer(index))
        flows.hide(index)
        if flow.pointee.isArmed {
            ring.cancel(
                Token(.flowDatagrams, generation: flows.generation(of: index), index: index))
        }
        closeFlowIfJoined(index)
    }

    mutating func closeFlowIfJoined(_ index: UInt32) {
        let flow = flows[index]
        guard !flow.pointee.isLive, !flow.pointee.isArmed else { return }
        _ = ring.close(flow.pointee.endpoint)
        let (socket, listener) = (UInt32(flow.pointee.key.socket), flow.pointee.listener)
        let (cluster, leader) = (flow.pointee.cluster, flow.pointee.leader)
        roster.clusters[cluster].pointee.endpoints.limits?.give(&flow.pointee.claim)
        flows.release(index)
        leader._withUnsafeGuaranteedRef { $0.give() }
        let owner = roster.listeners[UInt32(listener)]
        owner.pointee.count -= 1
        roster.releaseListener(UInt32(listener))
        roster.releaseCluster(cluster)
        let place = roster.sockets[socket]
        place.pointee.flowCount -= 1
        closeIfDeparted(socket)
        counters.set(.flowsLive, flows.count)
        handle.budget.give()
        if timers.isSet(acceptTimer) { resumeAccepting() }
    }

    /// Makes room: the flow that was silent the longest goes, of a listener or of all.
    private mutating func evictOldest(of listener: UInt16?) -> Bool {
        var index = flows.oldest
        for _ in 0..<Self.evictionSearchMax where index != Flow.none {
            if listener == nil || flows[index].pointee.listener == listener {
                endFlow(index, .flowEvicted)
                return true
            }
            index = flows[index].pointee.newer
        }
        return false
    }

    private static var evictionSearchMax: Int { 64 }

    mutating func endFlows(_ reason: TerminationReason) {
        while flows.oldest != Flow.none { endFlow(flows.oldest, reason) }
    }

    /// A drain begins: flows that are silent already need not be waited for.
    mutating func hastenFlows() {
        var index = flows.oldest
        while index != Flow.none {
            timers.set(flowTimer(index), deadline: tick + Self.drainIdleTicks)
            index = flows[index].pointee.newer
        }
    }
}
