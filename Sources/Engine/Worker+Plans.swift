import CLinux
import Kernel
import Primitives
import Routing

/// From one plan to the next, between two turns of the loop: new clients are served by the new
/// one, those who are there keep what they have.
extension Worker where R: ~Copyable {
    mutating func serve(_ plan: WorkerPlan) {
        guard service == .awaitingPlan || service == .serving else { return discard(plan) }
        service = .serving
        plansServed += 1
        let change = roster.take(
            plan, departure: Tick.at(nanoseconds: plan.drainDeadline) + 1)
        for descriptor in change.superfluous { _ = ring.close(descriptor) }
        for index in change.retuned { tune(index) }
        for index in change.opened {
            if roster.sockets[index].pointee.isDatagram {
                openDatagramSocket(index)
            } else {
                armAccept(index)
            }
        }
        for index in change.leaving {
            if roster.sockets[index].pointee.isDatagram {
                closeIfDeparted(index)
            } else {
                drainAccept(index)
            }
        }
        endIdle()
        if roster.leavingCount == 0 { handle.noteSettled(plansServed) }
        scheduleDepartures()
    }

    /// A worker that ends has no use for a plan, and nobody else could close its sockets.
    private mutating func discard(_ plan: WorkerPlan) {
        for case .opened(let descriptor, _, _) in plan.listeners.flatMap(\.sockets) {
            _ = ring.close(descriptor)
        }
    }

    /// Accepted sockets inherit keepalive, so a listening socket that stays gets it anew.
    private mutating func tune(_ index: UInt32) {
        let socket = roster.sockets[index].pointee
        guard !socket.isDatagram, socket.isIP else { return }
        let keepalive = roster.listeners[UInt32(socket.listener)].pointee.tcp.keepalive
        _ = ring.setOption(
            socket.descriptor, level: SOL_SOCKET, name: SO_KEEPALIVE, keepalive == nil ? 0 : 1)
        if let keepalive { setKeepalive(socket.descriptor, keepalive) }
    }

    // MARK: - Departures

    /// A datagram socket stays as long as flows are on it, which answer through it.
    mutating func closeIfDeparted(_ index: UInt32) {
        let socket = roster.sockets[index]
        guard socket.pointee.isLeaving, socket.pointee.flowCount == 0 else { return }
        closeDatagramSocket(index)
    }

    private mutating func scheduleDepartures() {
        var earliest = UInt64.max
        forEachDeparture { earliest = min(earliest, $0) }
        if earliest < UInt64.max { timers.set(departureTimer, deadline: earliest) }
    }

    /// The deadlines that are still to come.
    private func forEachDeparture(_ body: (UInt64) -> Void) {
        var next: UInt32 = 0
        while let index = roster.listeners.first(from: next) {
            next = index + 1
            if let departure = roster.listeners[index].pointee.departure, departure > tick {
                body(departure)
            }
        }
        next = 0
        while let index = roster.sockets.firstLive(from: next) {
            next = index + 1
            let socket = roster.sockets[index]
            if socket.pointee.isLeaving, socket.pointee.departure > tick {
                body(socket.pointee.departure)
            }
        }
    }

    /// The time to drain is over for listeners that went: what still lives of them ends.
    mutating func endDepartures() {
        var next: UInt32 = 0
        while let index = connections.firstLive(from: next) {
            next = index + 1
            let connection = connections[index]
            guard connection.pointee.phase != .closing,
                connection.pointee.listener != Connection.noListener
            else { continue }
            let listener = roster.listeners[UInt32(connection.pointee.listener)]
            guard let departure = listener.pointee.departure, departure <= tick else { continue }
            terminate(index, .listenerRemoved)
        }
        var flow = flows.oldest
        while flow != Flow.none {
            let newer = flows[flow].pointee.newer
            let socket = roster.sockets[UInt32(flows[flow].pointee.key.socket)]
            if socket.pointee.isLeaving, socket.pointee.departure <= tick {
                endFlow(flow, .listenerRemoved)
            }
            flow = newer
        }
        scheduleDepartures()
    }
}
