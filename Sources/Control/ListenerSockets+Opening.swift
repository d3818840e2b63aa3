import CLinux
import Engine
import Kernel
import Primitives
import Routing

/// From an address to sockets that listen there.
extension ListenerSockets {
    /// Opens sockets for the slots that keep none; those whose address fails stay without.
    mutating func open(
        _ slots: inout [Slot], of plan: Plan, stopsAtFailure: Bool
    ) -> [ListenerFailure] {
        var failures: [ListenerFailure] = []
        var addresses: [SocketAddress?] = Array(repeating: nil, count: slots.count)
        let taken = Self.taken(slots, of: plan)
        let ports = portsHeld
        // All are probed before any is bound, because a plan may have a wildcard and one address of
        // the host on the same port.
        for index in slots.indices where slots[index].kept == nil {
            let listener = plan.listeners[slots[index].listener]
            do throws(ListenerFailure) {
                if let failure = taken[index] { throw failure }
                addresses[index] = try probe(listener, slots[index].address, ports)
            } catch {
                failures.append(error)
                if stopsAtFailure { return failures }
            }
        }
        for index in slots.indices {
            guard let address = addresses[index] else { continue }
            do throws(ListenerFailure) {
                try bind(&slots[index], plan.listeners[slots[index].listener], address)
            } catch {
                failures.append(error)
                if stopsAtFailure { return failures }
            }
        }
        return failures
    }

    /// Two listeners on one address would share its clients by chance, without an error: so the
    /// second does without.
    private static func taken(_ slots: [Slot], of plan: Plan) -> [Int: ListenerFailure] {
        var owners: [Place: String] = [:]
        var failures: [Int: ListenerFailure] = [:]
        let inOrder =
            slots.indices.filter { slots[$0].kept != nil }
            + slots.indices.filter { slots[$0].kept == nil }
        for index in inOrder {
            if case .ip(_, port: 0) = slots[index].address { continue }
            let listener = plan.listeners[slots[index].listener]
            let place = Place(listener, slots[index].address)
            if let owner = owners[place] {
                failures[index] = ListenerFailure(
                    listener, slots[index].address, .takenBy(listener: owner))
            } else {
                owners[place] = listener.name
            }
        }
        return failures
    }

    /// With SO_REUSEPORT another process of the same user would share the port in silence: so a
    /// socket without it finds out first whether the address is free.
    /// - Returns: where to listen.
    private func probe(
        _ listener: ListenerPlan, _ address: SocketAddress, _ portsHeld: Set<Port>
    ) throws(ListenerFailure) -> SocketAddress {
        guard case .ip(let host, let port) = address else {
            guard listener.network == .tcp else {
                throw ListenerFailure(listener, address, .unixDatagrams)
            }
            return address
        }
        do throws(Errno) {
            let isOwn = Port(listener.network, address).map(portsHeld.contains) ?? false
            let socket = try ListenerSocket(listener.network, host, port, sharesPort: isOwn)
            return try socket.localAddress
        } catch {
            let isMissing = error.rawValue == EAFNOSUPPORT || error.rawValue == EADDRNOTAVAIL
            if isMissing, host == .anyIPv6 {
                return try probe(listener, .ip(.anyIPv4, port: port), portsHeld)
            }
            throw ListenerFailure(listener, address, .system(error))
        }
    }

    /// Makes one socket for each worker, or none.
    private mutating func bind(
        _ slot: inout Slot, _ listener: ListenerPlan, _ address: SocketAddress
    ) throws(ListenerFailure) {
        var file: UnixSocketFile?
        do throws(Errno) {
            switch address {
            case .ip(let host, let port):
                for _ in 0..<workerCount {
                    var socket = try ListenerSocket(listener.network, host, port, sharesPort: true)
                    try socket.prepare(for: listener.transport, features)
                    slot.descriptors.append(socket.take())
                }
            case .unix(let path):
                guard try UnixSocketFile.isFree(path) else {
                    throw Errno(rawValue: EADDRINUSE)
                }
                var socket = try ListenerSocket(unixPath: path)
                file = UnixSocketFile(path)
                try socket.prepare(for: listener.transport, features)
                for _ in 1..<workerCount { slot.descriptors.append(try socket.duplicate()) }
                slot.descriptors.append(socket.take())
            }
        } catch {
            for descriptor in slot.descriptors { _ = apus_close(descriptor) }
            slot.descriptors = []
            file?.remove()
            let isForeign = error.rawValue == ENOTSOCK
            throw ListenerFailure(listener, address, isForeign ? .noSocket : .system(error))
        }
        let place = Place(listener, slot.address)
        let (number, isAgain) = number(for: place)
        slot.isAgain = isAgain
        slot.bound = Bound(place: place, number: number, address: address, file: file)
    }
}

extension ListenerPlan {
    var network: ListenerFailure.Network {
        switch transport {
        case .tcp: .tcp
        case .udp: .udp
        }
    }
}

extension ListenerFailure {
    init(_ listener: ListenerPlan, _ address: SocketAddress, _ cause: Cause) {
        self.init(
            listener: listener.name, network: listener.network, address: address, cause: cause)
    }
}
