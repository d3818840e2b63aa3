import Kernel
import Primitives

/// Deadlines. Timers are numbered: connections by their slots, then flows and exchanges by theirs,
/// then the worker's own. An idle timer is not moved when bytes pass; when it fires it looks at the
/// last activity and sets itself again.
extension Worker where R: ~Copyable {
    static var ownTimers: Int { 5 }
    /// Of exchanges.
    var exchangeTimersStart: UInt32 { UInt32(connections.capacity + flows.capacity) }
    private var ownTimersStart: UInt32 { exchangeTimersStart + UInt32(exchanges.capacity) }
    /// Accepting was paused and is tried again.
    var acceptTimer: UInt32 { ownTimersStart }
    /// The drain's deadline.
    var drainTimer: UInt32 { ownTimersStart + 1 }
    /// Memory that is no longer needed goes back to the system.
    var trimTimer: UInt32 { ownTimersStart + 2 }

    /// The time of what a new plan gave up is over.
    var departureTimer: UInt32 { ownTimersStart + 3 }

    /// The next part of the search for clients of endpoints that they are to leave.
    var searchTimer: UInt32 { ownTimersStart + 4 }

    func flowTimer(_ index: UInt32) -> UInt32 { UInt32(connections.capacity) + index }

    mutating func expireTimers() {
        tickExpired = tick
        while let id = timers.popExpired(now: tick) {
            if Int(id) < connections.capacity {
                connectionTimedOut(id)
            } else if id < exchangeTimersStart {
                flowTimedOut(id - UInt32(connections.capacity))
            } else if id < ownTimersStart {
                exchangeTimedOut(id - exchangeTimersStart)
            } else if id == acceptTimer {
                resumeAccepting()
            } else if id == trimTimer {
                trim()
            } else if id == departureTimer {
                endDepartures()
            } else if id == searchTimer {
                searchOn()
            } else {
                cutOff(.drainTimedOut)
            }
        }
    }

    private mutating func connectionTimedOut(_ index: UInt32) {
        let connection = connections[index]
        switch connection.pointee.phase {
        case .inspecting:
            inspectionTimedOut(index)
        case .securing:
            terminate(index, .handshakeTimedOut)
        case .dialing:
            dialTimedOut(index)
        case .relaying:
            let idle = details[Int(index)].idleTicks
            let deadline = connection.pointee.lastActivity + idle
            if deadline <= tick {
                terminate(index, .idleTimedOut)
            } else {
                timers.set(index, deadline: deadline)
            }
        case .exchanging:
            peerTimedOut(index)
        case .closing:
            break
        }
    }

    /// Gives back memory of a peak, a little at a time, for as long as there was one.
    private mutating func trim() {
        streamBuffers.trim(buffersMax: 256)
        pipes.trim(countKept: 8, ring: &ring)
        counters.set(.buffersHeld, streamBuffers.count - streamBuffers.freeCount)
        scheduleTrim()
    }

    /// The timer runs only while something lives, so that an idle process sleeps.
    mutating func scheduleTrim() {
        guard !timers.isSet(trimTimer), connections.count > 0 || pipes.idleCount > 8 else { return }
        timers.set(trimTimer, deadline: tick + Self.trimTicks)
    }

    private static var trimTicks: UInt64 { 128 }

    func token(_ kind: OperationKind, _ index: UInt32) -> Token {
        Token(kind, generation: connections.generation(of: index), index: index)
    }
}
