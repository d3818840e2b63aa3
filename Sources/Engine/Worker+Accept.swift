import CLinux
import Kernel
import Primitives
import Routing

/// From the listening socket to a slot.
extension Worker where R: ~Copyable {
    // MARK: - Accepting

    mutating func armAccept(_ index: UInt32) {
        let socket = roster.sockets[index]
        guard !socket.pointee.isArmed else { return }
        socket.pointee.isArmed = true
        ring.accept(on: socket.pointee.descriptor, token: socketToken(.accept, index))
    }

    mutating func accepted(_ completion: Completion) {
        let index = completion.token.index
        let socket = roster.sockets[index]
        if !completion.hasMore { socket.pointee.isArmed = false }
        if completion.result >= 0 {
            admit(completion.result, socket: index)
        } else {
            acceptFailed(completion.result, socket: index)
        }
        if service == .draining || socket.pointee.isLeaving {
            closeDrained(index)
        } else if !socket.pointee.isPaused {
            armAccept(index)
        }
    }

    private mutating func acceptFailed(_ result: Int32, socket index: UInt32) {
        switch -result {
        case ECANCELED:
            break
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            counters.add(.acceptFailures)
            pauseAccept(index)
        default:
            // The client went away while it waited (`accept(2)`, error handling).
            counters.add(.acceptFailures)
        }
    }

    /// Leaves further clients in the accept queue until there is room or some time has passed.
    private mutating func pauseAccept(_ index: UInt32) {
        let socket = roster.sockets[index]
        if !socket.pointee.isPaused {
            counters.add(.acceptPauses)
            socket.pointee.isPaused = true
        }
        if socket.pointee.isArmed {
            ring.cancel(socketToken(.accept, index))
        }
        if !timers.isSet(acceptTimer) {
            timers.set(acceptTimer, deadline: tick + Self.acceptRetryTicks)
        }
    }

    mutating func resumeAccepting() {
        timers.cancel(acceptTimer)
        guard service == .serving else { return }
        var next: UInt32 = 0
        while let index = roster.sockets.firstLive(from: next) {
            next = index + 1
            let socket = roster.sockets[index]
            guard socket.pointee.isPaused, !socket.pointee.isDatagram, !socket.pointee.isLeaving
            else { continue }
            socket.pointee.isPaused = false
            armAccept(index)
        }
    }

    // MARK: - Admission

    /// Gives a new client a slot, or refuses it with a reason.
    private mutating func admit(_ client: Descriptor, socket index: UInt32) {
        counters.add(.connectionsAccepted)
        guard !isPastDeadline else { return refuse(client, .drainTimedOut) }
        let listenerIndex = roster.sockets[index].pointee.listener
        let listener = roster.listeners[UInt32(listenerIndex)]
        guard handle.budget.take() else {
            refuse(client, .totalLimit)
            return pauseAccept(index)
        }
        if let limit = listener.pointee.limit, !limit.take() {
            handle.budget.give()
            return refuse(client, .listenerLimit)
        }
        guard let slot = connections.claim() else {
            handle.budget.give()
            listener.pointee.limit?.give()
            refuse(client, .totalLimit)
            return pauseAccept(index)
        }
        listener.pointee.count += 1
        counters.set(.connectionsLive, connections.count - streamCount)
        let channel = Channel(direction: Direction(canSplice: ring.features.contains(.splice)))
        connections[slot].pointee = Connection(
            client: client, listener: listenerIndex, lastActivity: tick, request: channel,
            response: channel)
        (details + Int(slot)).initialize(to: ConnectionDetails(listener))
        if listener.pointee.tcp.proxyHeader == .none && !listener.pointee.readsHello {
            serve(slot)
        } else {
            inspect(slot)
        }
    }

    private mutating func refuse(_ client: Descriptor, _ reason: TerminationReason) {
        counters.add(reason)
        reset(client)
    }

    /// Closes so that the peer sees a reset (`socket(7)`, SO_LINGER).
    mutating func reset(_ socket: Descriptor) {
        var now = linger(l_onoff: 1, l_linger: 0)
        _ = ring.setOption(
            socket, level: SOL_SOCKET, name: SO_LINGER, value: &now,
            length: MemoryLayout<linger>.size)
        _ = ring.close(socket)
    }

    // MARK: - Drain

    mutating func drain(deadline: UInt64) {
        guard service == .serving || service == .awaitingPlan else { return }
        service = .draining
        timers.set(drainTimer, deadline: Tick.at(nanoseconds: deadline) + 1)
        timers.cancel(acceptTimer)
        hastenFlows()
        endIdle()
        var next: UInt32 = 0
        while let index = roster.sockets.firstLive(from: next) {
            next = index + 1
            if !roster.sockets[index].pointee.isDatagram { drainAccept(index) }
        }
    }

    /// Stops accepting for good.
    mutating func drainAccept(_ index: UInt32) {
        if roster.sockets[index].pointee.isArmed {
            ring.cancel(socketToken(.accept, index))
        } else {
            closeDrained(index)
        }
    }

    /// Takes what waits in the accept queue, so that nobody who was let in is turned away, and
    /// closes the socket, once no accept is in the kernel.
    private mutating func closeDrained(_ index: UInt32) {
        let socket = roster.sockets[index]
        guard !socket.pointee.isArmed else { return }
        for _ in 0..<Self.acceptQueueMax {
            let client = ring.acceptNow(socket.pointee.descriptor)
            guard client >= 0 else { break }
            admit(client, socket: index)
        }
        closeSocket(index)
    }

    /// - Precondition: nothing of it is in the kernel, and no flow is on it.
    mutating func closeSocket(_ index: UInt32) {
        _ = ring.close(roster.sockets[index].pointee.descriptor)
        roster.removeSocket(index)
        if roster.leavingCount == 0 { handle.noteSettled(plansServed) }
    }

    func socketToken(_ kind: OperationKind, _ index: UInt32) -> Token {
        Token(kind, generation: roster.sockets.generation(of: index), index: index)
    }

    /// Ends everything now.
    mutating func cutOff(_ reason: TerminationReason) {
        if service != .draining { drain(deadline: now) }
        isPastDeadline = true
        var next: UInt32 = 0
        while let index = connections.firstLive(from: next) {
            if connections[index].pointee.phase != .closing {
                isCutOff = true
                terminate(index, reason)
            }
            next = index + 1
        }
        endFlows(reason)
    }

    /// The worker ends when nothing lives any more.
    mutating func finishDrain() {
        guard service == .draining, connections.count == 0, flows.count == 0 else { return }
        var next: UInt32 = 0
        while let index = roster.sockets.firstLive(from: next) {
            next = index + 1
            if roster.sockets[index].pointee.isDatagram { closeDatagramSocket(index) }
        }
        guard roster.sockets.count == 0 else { return }
        pipes.trim(countKept: 0, ring: &ring)
        timers.cancel(drainTimer)
        service = .ended
    }

    private static var acceptQueueMax: Int { 65_536 }
    private static var acceptRetryTicks: UInt64 { 12 }
}
