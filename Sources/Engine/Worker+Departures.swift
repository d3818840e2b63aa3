import CLinux
import Discovery
import Kernel
import Primitives

/// Clients leave endpoints that were left out, went, or stood in for others that are back: flows
/// move to another endpoint, connections are ended where their Backend's policy says so.
extension Worker where R: ~Copyable {
    mutating func beginDepartures() {
        departing.begin()
        if !timers.isSet(searchTimer) { timers.set(searchTimer, deadline: tick + 1) }
    }

    /// Looks at the next few slots.
    mutating func searchOn() {
        guard let start = departing.next else { return }
        let connectionsEnd = UInt32(connections.capacity)
        let limit = start + DepartureSearch.slotsPerTurn
        var slot = start
        while slot < min(limit, connectionsEnd) {
            guard let index = connections.firstLive(from: slot) else {
                slot = connectionsEnd
                break
            }
            slot = index + 1
            leaveEndpoint(index)
        }
        while slot >= connectionsEnd, slot < limit {
            guard let index = flows.firstLive(from: slot - connectionsEnd) else {
                departing.finish()
                if departing.next != nil { timers.set(searchTimer, deadline: tick + 1) }
                return
            }
            slot = connectionsEnd + index + 1
            leaveLeader(index)
        }
        departing.advance(to: slot)
        timers.set(searchTimer, deadline: tick + 1)
    }

    private mutating func leaveEndpoint(_ index: UInt32) {
        guard let endpoint = details[Int(index)].endpoint else { return }
        switch connections[index].pointee.phase {
        case .relaying: break
        case .exchanging:
            // One that serves an exchange ends after it.
            let standing = endpoint._withUnsafeGuaranteedRef { $0.standing }
            if peers[Int(index)].isIdle, standing != .serving { terminate(index, .answered) }
            return
        case .inspecting, .securing, .dialing, .closing: return
        }
        let endpoints = roster.clusters[details[Int(index)].cluster].pointee.endpoints
        let (pace, reason): (Pace, TerminationReason)
        switch endpoint._withUnsafeGuaranteedRef({ $0.standing }) {
        // One that went serves those who are there to their end.
        case .serving, .gone: return
        case .down: (pace, reason) = (endpoints.departures, .endpointDown)
        case .relieved: (pace, reason) = (endpoints.failbacks, .failedBack)
        }
        switch pace.take(now: now) {
        case .never: break
        case .later: departing.noteWaiting()
        case .now: terminate(index, reason)
        }
    }

    private mutating func leaveLeader(_ index: UInt32) {
        let flow = flows[index]
        guard flow.pointee.isLive else { return }
        let state = roster.clusters[flow.pointee.cluster]
        switch flow.pointee.leader._withUnsafeGuaranteedRef({ $0.standing }) {
        case .serving: return
        case .down, .gone: break
        case .relieved:
            switch state.pointee.endpoints.failbacks.take(now: now) {
            case .never: return
            case .later: return departing.noteWaiting()
            case .now: break
            }
        }
        guard let picked = state.pointee.pick(for: flow.pointee.key.client),
            let next = state.pointee.endpoints.take(picked)
        else { return }
        // What is gathered was meant for the one before.
        datagramFlush()
        move(index, to: next)
    }
}
