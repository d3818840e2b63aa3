import CLinux
import Kernel
import Primitives
import Routing

/// From the listening socket to a slot.
extension Worker where R: ~Copyable {
    // MARK: - Serving and draining

    mutating func serve(_ plan: WorkerPlan) {
        precondition(service == .awaitingPlan, "a worker is given its plan once")
        roster = Roster(plan)
        service = .serving
        for index in 0..<roster.socketCount {
            if roster.sockets[index].isDatagram {
                openDatagramSocket(UInt32(index))
            } else {
                armAccept(UInt32(index))
            }
        }
    }

    mutating func armAccept(_ index: UInt32) {
        let socket = roster.sockets + Int(index)
        guard !socket.pointee.isArmed, !socket.pointee.isClosed else { return }
        socket.pointee.isArmed = true
        ring.accept(
            on: socket.pointee.descriptor, token: Token(.accept, generation: 0, index: index))
    }

    mutating func accepted(_ completion: Completion) {
        let index = completion.token.index
        let socket = roster.sockets + Int(index)
        if !completion.hasMore { socket.pointee.isArmed = false }
        if completion.result >= 0 {
            admit(completion.result, socket: index)
        } else {
            acceptFailed(completion.result, socket: index)
        }
        if service == .draining {
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
        let socket = roster.sockets + Int(index)
        if !socket.pointee.isPaused {
            counters.add(.acceptPauses)
            socket.pointee.isPaused = true
        }
        if socket.pointee.isArmed {
            ring.cancel(Token(.accept, generation: 0, index: index))
        }
        if !timers.isSet(acceptTimer) {
            timers.set(acceptTimer, deadline: tick + Self.acceptRetryTicks)
        }
    }

    mutating func resumeAccepting() {
        timers.cancel(acceptTimer)
        guard service == .serving else { return }
        for index in 0..<roster.socketCount where roster.sockets[index].isPaused {
            roster.sockets[index].isPaused = false
            armAccept(UInt32(index))
        }
    }

    // MARK: - Admission

    /// Gives a new client a slot, or refuses it with a reason.
    private mutating func admit(_ client: Descriptor, socket index: UInt32) {
        counters.add(.connectionsAccepted)
        guard !isPastDeadline else { return refuse(client, .drainTimedOut) }
        let listenerIndex = roster.sockets[Int(index)].listener
        let listener = roster.listeners + Int(listenerIndex)
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
        counters.set(.connectionsLive, connections.count)
        let channel = Channel(direction: Direction(canSplice: ring.features.contains(.splice)))
        connections[slot].pointee = Connection(
            client: client, listener: listenerIndex, lastActivity: tick, request: channel,
            response: channel)
        (details + Int(slot)).initialize(to: ConnectionDetails())
        if listener.pointee.tcp.proxyHeader == .none {
            dial(slot)
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
        for index in 0..<roster.socketCount where !roster.sockets[index].isDatagram {
            if roster.sockets[index].isArmed {
                ring.cancel(Token(.accept, generation: 0, index: UInt32(index)))
            } else {
                closeDrained(UInt32(index))
            }
        }
    }

    /// Takes what waits in the accept queue, so that nobody who was let in is turned away, and
    /// closes the socket, once no accept is in the kernel.
    private mutating func closeDrained(_ index: UInt32) {
        let socket = roster.sockets + Int(index)
        guard !socket.pointee.isArmed, !socket.pointee.isClosed else { return }
        for _ in 0..<Self.acceptQueueMax {
            let client = ring.acceptNow(socket.pointee.descriptor)
            guard client >= 0 else { break }
            admit(client, socket: index)
        }
        socket.pointee.isClosed = true
        _ = ring.close(socket.pointee.descriptor)
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
        for index in 0..<roster.socketCount where !roster.sockets[index].isClosed {
            guard roster.sockets[index].isDatagram else { return }
            closeDatagramSocket(UInt32(index))
            guard roster.sockets[index].isClosed else { return }
        }
        pipes.trim(countKept: 0, ring: &ring)
        timers.cancel(drainTimer)
        service = .ended
    }

    private static var acceptQueueMax: Int { 65_536 }
    private static var acceptRetryTicks: UInt64 { 12 }
}
