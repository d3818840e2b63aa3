import CLinux
import Discovery
import Kernel
import Primitives
import Routing
import TLS
import Wire

/// From a client to a connected endpoint: a cluster by weight, an endpoint by turn, and on failure
/// the next one, all within one budget of time, before the client notices.
extension Worker where R: ~Copyable {
    /// - Parameter route: its place among the listener's.
    mutating func lead(_ index: UInt32, to route: Int) {
        guard let cluster = choose(index, route) else { return }
        hold(cluster, by: index)
        enter(index)
    }

    /// The cluster whose turn it is for a client that the route lets in; nil = the connection has
    /// ended.
    mutating func choose(_ index: UInt32, _ route: Int) -> UInt32? {
        let listener = roster.listeners[UInt32(connections[index].pointee.listener)]
        if listener.pointee.isRestricted(route) {
            guard case .known(let client) = clientAddress(index) else {
                terminate(index, .clientReset)
                return nil
            }
            guard listener.pointee.allows(client, route) else {
                terminate(index, .clientDenied)
                return nil
            }
        }
        switch listener.pointee.pick(route) {
        case .refusal(let reason):
            terminate(index, reason)
            return nil
        case .cluster(let number):
            return number
        }
    }

    /// From here on what is taken of the cluster is given back with the connection.
    mutating func hold(_ number: UInt32, by index: UInt32) {
        let cluster = roster.clusters[number]
        cluster.pointee.references += 1
        details[Int(index)].cluster = number
    }

    /// Takes a place in the connection's cluster and at one of its endpoints, and dials it.
    mutating func enter(_ index: UInt32) {
        connections[index].pointee.phase = .dialing
        let detail = details + Int(index)
        let cluster = roster.clusters[detail.pointee.cluster]
        var client: IPAddress?
        if cluster.pointee.needsClients {
            guard case .known(let address) = clientAddress(index) else {
                return terminate(index, .clientReset)
            }
            client = address
        }
        if let limits = cluster.pointee.endpoints.limits,
            let refusal = limits.admit(
                &detail.pointee.claim, client: client, isPending: true, now: now)
        {
            return terminate(index, TerminationReason(refusal))
        }
        guard let picked = cluster.pointee.pick(for: client) else {
            return terminate(index, .noEndpoint)
        }
        guard let endpoint = cluster.pointee.endpoints.take(picked) else {
            return terminate(index, .endpointLimit)
        }
        detail.pointee.endpoint = endpoint
        detail.pointee.dialDeadline = tick + cluster.pointee.connectTicks
        tryEndpoint(index)
    }

    /// A client is known by the address that its PROXY header names, else by its socket's.
    mutating func clientAddress(_ index: UInt32) -> ClientAddress {
        let index = carrier(of: index)
        guard connections[index].pointee.phase == .exchanging else { return findClient(index) }
        let peer = peers + Int(index)
        if let client = peer.pointee.client { return client }
        let client = findClient(index)
        peer.pointee.client = client
        return client
    }

    private mutating func findClient(_ index: UInt32) -> ClientAddress {
        if let header = details[Int(index)].header, header.command == .proxy,
            header.source != .unspecified
        {
            if case .ip(let address, _) = header.source { return .known(address) }
            return .known(nil)
        }
        var name = RawSocketAddress()
        guard ring.peerName(connections[index].pointee.client, into: &name) == 0 else {
            return .gone
        }
        return .known(name.ip?.address)
    }

    mutating func tryEndpoint(_ index: UInt32) {
        let connection = connections[index]
        let detail = details + Int(index)
        let cluster = roster.clusters[detail.pointee.cluster]
        guard let endpoint = detail.pointee.endpoint else {
            fatalError("who is dialed was led to")
        }
        let address = endpoint._withUnsafeGuaranteedRef { $0.address }
        counters.add(.dialAttempts)
        let socket = ring.socket(family: address.pointee.family, type: Int32(SOCK_STREAM.rawValue))
        guard socket >= 0 else {
            counters.add(.dialFailures)
            return terminate(index, .outOfDescriptors)
        }
        if address.pointee.family != AF_UNIX {
            setTCPOptions(socket, cluster.pointee.plan.keepalive)
        }
        connection.pointee.endpoint = socket
        connection.pointee.operations += 1
        detail.pointee.dialStep = .connecting
        ring.connect(socket, to: address, token: token(.dial, index))
        // What time is left is shared among the endpoints that are left, so that one that never
        // answers does not use up the others' share.
        let left = detail.pointee.dialDeadline > tick ? detail.pointee.dialDeadline - tick : 0
        let attemptsLeft = UInt64(max(1, attemptsMax(cluster) - detail.pointee.tried.count))
        timers.set(index, deadline: tick + max(1, left / attemptsLeft))
    }

    private func attemptsMax(_ cluster: UnsafeMutablePointer<ClusterState>) -> Int {
        min(cluster.pointee.endpoints.count, TriedEndpoints.countMax)
    }

    private mutating func setTCPOptions(_ socket: Descriptor, _ keepalive: TCPKeepalive?) {
        _ = ring.setOption(socket, level: Int32(IPPROTO_TCP), name: TCP_NODELAY, 1)
        guard let keepalive else { return }
        _ = ring.setOption(socket, level: SOL_SOCKET, name: SO_KEEPALIVE, 1)
        setKeepalive(socket, keepalive)
    }

    mutating func setKeepalive(_ socket: Descriptor, _ keepalive: TCPKeepalive) {
        let settings = [
            (TCP_KEEPCNT, keepalive.probes), (TCP_KEEPIDLE, keepalive.idleSeconds),
            (TCP_KEEPINTVL, keepalive.intervalSeconds),
        ]
        for case (let name, let value?) in settings {
            _ = ring.setOption(
                socket, level: Int32(IPPROTO_TCP), name: name, Int32(clamping: value))
        }
    }

    mutating func dialed(_ completion: Completion) {
        let index = completion.token.index
        guard let connection = connections.find(index, generation: completion.token.generation)
        else { return dropStale(completion) }
        connection.pointee.operations -= 1
        guard connection.pointee.phase == .dialing else {
            return releaseCarried(completion, of: index)
        }
        switch details[Int(index)].dialStep {
        case .connecting where completion.result == 0: connected(index)
        case .connecting:
            let isTimeout = completion.result == -ECANCELED || completion.result == -ETIMEDOUT
            attemptFailed(index, isTimeout ? .connectTimedOut : .connectFailed)
        case .receiving: endpointHandshakeReceived(completion, index)
        case .sending: endpointHandshakeSent(completion, index)
        case .abandoned:
            if completion.hasBuffer { returnBuffer(completion.bufferID) }
            attemptFailed(index, .connectTimedOut)
        case .awaitingTurn, .starved: fatalError("nothing was in flight")
        }
    }

    /// The attempt's share of the time is over.
    mutating func dialTimedOut(_ index: UInt32) {
        let detail = details + Int(index)
        switch detail.pointee.dialStep {
        case .connecting: ring.cancel(token(.dial, index))
        case .receiving, .sending:
            detail.pointee.dialStep = .abandoned
            ring.cancel(token(.dial, index))
        case .awaitingTurn, .starved: attemptFailed(index, .connectTimedOut)
        case .abandoned: break
        }
    }

    /// On to the next endpoint, or to the end.
    /// - Parameter reason: of that end.
    /// - Precondition: nothing of the attempt is in the kernel.
    mutating func attemptFailed(_ index: UInt32, _ reason: TerminationReason) {
        timers.cancel(index)
        counters.add(.dialFailures)
        dropEndpointHandshake(index)
        dropHeld(index, .request)
        let connection = connections[index]
        _ = ring.close(connection.pointee.endpoint)
        connection.pointee.endpoint = -1
        if leadOn(index) { return tryEndpoint(index) }
        terminate(index, reason)
    }

    /// From an endpoint that could not be connected to, to the next; false = there is none, or no
    /// time for it.
    private mutating func leadOn(_ index: UInt32) -> Bool {
        let detail = details + Int(index)
        let endpoints = roster.clusters[detail.pointee.cluster].pointee.endpoints
        guard let failed = detail.pointee.endpoint else { fatalError("who failed was led to") }
        let next = failed._withUnsafeGuaranteedRef { failed in
            endpoints.noteFailure(of: failed)
            detail.pointee.tried.insert(failed)
            let isLast =
                detail.pointee.tried.count == TriedEndpoints.countMax
                || tick >= detail.pointee.dialDeadline
            return isLast ? nil : endpoints.takeNext(after: failed, tried: detail.pointee.tried)
        }
        guard let next else { return false }
        // Found by its endpoint's number, where others wait for it.
        let isOffered =
            connections[index].pointee.listener == Connection.noListener
            && peers[Int(index)].isIdle
        if isOffered { unpark(index) }
        defer { if isOffered { offer(index) } }
        failed._withUnsafeGuaranteedRef { $0.give() }
        detail.pointee.endpoint = next
        return true
    }

    // MARK: - Connected

    private mutating func connected(_ index: UInt32) {
        let isSecured =
            details[Int(index)].endpoint?._withUnsafeGuaranteedRef { $0.tls != nil } ?? false
        guard isSecured else { return endpointReady(index) }
        // It may have answered just when its time was over.
        guard timers.isSet(index) else { return attemptFailed(index, .connectTimedOut) }
        secureEndpoint(index)
    }

    /// The endpoint is connected to, and TLS is agreed on where it is spoken.
    mutating func endpointReady(_ index: UInt32) {
        timers.cancel(index)
        let detail = details + Int(index)
        let cluster = roster.clusters[detail.pointee.cluster]
        detail.pointee.endpoint?._withUnsafeGuaranteedRef { endpoint in
            cluster.pointee.endpoints.noteSuccess(of: endpoint)
        }
        cluster.pointee.endpoints.limits?.settle(&detail.pointee.claim)
        if connections[index].pointee.listener == Connection.noListener { return called(index) }
        relay(index, header: cluster.pointee.plan.proxyHeader)
    }

    /// - Parameter header: sent first, unless it went before the handshake.
    private mutating func relay(_ index: UInt32, header: ClusterPlan.ProxyHeader) {
        let connection = connections[index]
        let detail = details + Int(index)
        connection.pointee.phase = .relaying
        connection.pointee.lastActivity = tick
        let idle = detail.pointee.idleTicks
        if idle > 0 { timers.set(index, deadline: tick + idle) }
        scheduleTrim()
        if !connection.pointee.secured.isEmpty {
            // Records have to pass through here.
            connection.pointee.request.direction = Direction(canSplice: false)
            connection.pointee.response.direction = Direction(canSplice: false)
        }
        if connection.pointee.secured.contains(.endpoint) { return relaySecured(index) }
        perform(connection.pointee.response.direction.on(.start), index, .response)
        guard header != .none || !detail.pointee.inspected.isEmpty else {
            return perform(connection.pointee.request.direction.on(.start), index, .request)
        }
        _ = connection.pointee.request.direction.on(.startLoaded)
        if header != .none {
            guard let id = writeProxyHeader(header, index) else {
                return terminate(index, .outOfBuffers)
            }
            inject(id, index)
        }
        injectInspected(index)
    }

    /// Both ways may begin with bytes that are here, and what comes by one may be answered by the
    /// other.
    private mutating func relaySecured(_ index: UInt32) {
        let connection = connections[index]
        let detail = details + Int(index)
        _ = connection.pointee.request.direction.on(.startLoaded)
        _ = connection.pointee.response.direction.on(.startLoaded)
        let id = detail.pointee.endpointInput
        if id != BufferPool.none {
            detail.pointee.endpointInput = BufferPool.none
            relayRecords(id, isLast: false, index, .response)
            guard connection.pointee.phase == .relaying else { return }
        }
        if connection.pointee.response.direction.isUnstarted {
            perform(connection.pointee.response.direction.on(.resume), index, .response)
        }
        injectInspected(index)
    }

    /// What came behind the client's PROXY header, or was looked at, goes on.
    private mutating func injectInspected(_ index: UInt32) {
        let connection = connections[index]
        while connection.pointee.phase == .relaying,
            let id = details[Int(index)].inspected.popFirst(in: streamBuffers)
        {
            let load = streamBuffers.load(id)
            if load.pointee.start < load.pointee.end {
                if !connection.pointee.secured.isEmpty {
                    relayRecords(id, isLast: false, index, .request)
                } else {
                    inject(id, index)
                }
            } else {
                streamBuffers.give(id)
            }
        }
        guard connection.pointee.phase == .relaying else { return }
        if connection.pointee.request.direction.isUnstarted {
            perform(connection.pointee.request.direction.on(.resume), index, .request)
        }
    }

    /// Treats a buffer of ours as if the client had just sent it.
    private mutating func inject(_ id: UInt16, _ index: UInt32) {
        let event = Direction.Event.received(isFull: false, isLast: false)
        let connection = connections[index]
        move(id, connection.pointee.request.direction.on(event), index, .request)
    }

    /// Whose connection it is, or for whom it was dialed.
    private func client(of index: UInt32) -> UInt32 {
        guard connections[index].pointee.listener == Connection.noListener,
            peers[Int(index)].exchange != Exchange.none
        else { return index }
        return carrier(of: exchanges[peers[Int(index)].exchange].pointee.client)
    }

    mutating func writeProxyHeader(
        _ kind: ClusterPlan.ProxyHeader, _ index: UInt32
    ) -> UInt16? {
        guard let id = streamBuffers.take() else { return nil }
        let client = client(of: index)
        let connection = connections[client]
        let detail = details + Int(client)
        var received = UnsafeRawBufferPointer(start: nil, count: 0)
        var header: ProxyHeader
        if let inspected = detail.pointee.header, inspected.command == .proxy,
            inspected.source != .unspecified
        {
            header = inspected
            let whole = detail.pointee.inspected.head
            received = UnsafeRawBufferPointer(
                start: streamBuffers.address(whole),
                count: Int(streamBuffers.load(whole).pointee.start))
        } else {
            header = ProxyHeader(version: .v2)
            var address = RawSocketAddress()
            if ring.peerName(connection.pointee.client, into: &address) == 0 {
                header.source = ProxyEndpoint(address)
            }
            if ring.localName(connection.pointee.client, into: &address) == 0 {
                header.destination = ProxyEndpoint(address)
            }
        }
        let writer = ProxyHeaderWriter(version: kind == .v1 ? .v1 : .v2)
        let memory = UnsafeMutableRawBufferPointer(
            start: streamBuffers.address(id), count: BufferSize.stream)
        let tls = detail.pointee.clientTLS.map(Self.description)
        // A received header that is very long leaves no room for what is to be added.
        let count =
            writer.write(header, received: received.bytes, tls: tls, into: memory)
            ?? writer.write(header, received: received.bytes, into: memory)
        guard let count else {
            streamBuffers.give(id)
            return nil
        }
        streamBuffers.load(id).pointee.start = 0
        streamBuffers.load(id).pointee.end = UInt32(count)
        return id
    }

    /// What an endpoint is told of the TLS that ended here.
    private static func description(of session: TLSSession) -> ProxyTLS {
        var tls = ProxyTLS(version: session.versionName)
        tls.protocolName = session.protocolName
        if let name = session.serverName { tls.serverName = name }
        if let certificate = session.peerCertificate {
            tls.certificate =
                certificate.isResumed
                ? .resumed(isVerified: certificate.isVerified)
                : .shown(isVerified: certificate.isVerified)
        }
        return tls
    }
}
