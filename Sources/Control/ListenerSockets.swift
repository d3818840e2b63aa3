import CLinux
import Engine
import Kernel
import Primitives
import Routing

/// The listening sockets of a plan, for all workers: bound by the control thread before a worker
/// sees the plan, so that every error surfaces at start. Each worker gets sockets of its own: with
/// SO_REUSEPORT the kernel spreads clients over them (`socket(7)`), and of a Unix socket, which
/// has no such option, each gets a duplicate.
///
/// The descriptors become the workers' with the plan; the files of Unix sockets stay this type's,
/// and are removed with it.
struct ListenerSockets: ~Copyable {
    /// `workers[w].sockets[i]` are those of `plan.listeners[i]`.
    private(set) var workers: [WorkerPlan] = []
    /// Where they listen in fact: with the port that the system chose for port 0, and 0.0.0.0
    /// for `::` on a host without IPv6. In the order of the plan.
    private(set) var addresses: [[SocketAddress]] = []
    private var files: [UnixSocketFile] = []

    /// On failure every socket that was made is closed and every file removed.
    init(plan: Plan, workers count: Int, features: KernelFeatures) throws(ListenerFailure) {
        precondition(count > 0)
        try Self.checkDistinct(plan)
        for listener in plan.listeners {
            var places: [SocketAddress] = []
            for address in listener.addresses { places.append(try Self.probe(listener, address)) }
            addresses.append(places)
        }
        // By worker, listener and address.
        var sockets: [[[Descriptor]]] = Array(repeating: [], count: count)
        do throws(ListenerFailure) {
            for (listener, places) in zip(plan.listeners, addresses) {
                for worker in 0..<count { sockets[worker].append([]) }
                for place in places {
                    try bind(listener, place, features, into: &sockets)
                }
            }
        } catch {
            for descriptor in sockets.joined().joined() { _ = apus_close(descriptor) }
            removeFiles()
            throw error
        }
        let limits = WorkerPlan.limits(of: plan)
        workers = sockets.map { WorkerPlan(plan: plan, sockets: $0, limits: limits) }
    }

    /// Two listeners on one address would share its clients by chance, without an error.
    private static func checkDistinct(_ plan: Plan) throws(ListenerFailure) {
        var owners: [[SocketAddress: String]] = [[:], [:]]
        for listener in plan.listeners {
            let network = listener.network
            for address in listener.addresses {
                if case .ip(_, port: 0) = address { continue }
                let place = network == .tcp ? 0 : 1
                if let owner = owners[place].updateValue(listener.name, forKey: address) {
                    throw ListenerFailure(listener, address, .takenBy(listener: owner))
                }
            }
        }
    }

    // MARK: - Probing

    /// With SO_REUSEPORT another process of the same user would share the port in silence: so a
    /// socket without it finds out first whether the address is free. All are probed before any is
    /// bound, because a plan may have a wildcard and one address of the host on the same port.
    /// - Returns: where to listen.
    private static func probe(
        _ listener: ListenerPlan, _ address: SocketAddress
    ) throws(ListenerFailure) -> SocketAddress {
        guard case .ip(let host, let port) = address else {
            guard listener.network == .tcp else {
                throw ListenerFailure(listener, address, .unixDatagrams)
            }
            return address
        }
        do throws(Errno) {
            let socket = try ListenerSocket(listener.network, host, port, sharesPort: false)
            return try socket.localAddress
        } catch {
            let isMissing = error.rawValue == EAFNOSUPPORT || error.rawValue == EADDRNOTAVAIL
            if isMissing, host == .anyIPv6 {
                return try probe(listener, .ip(.anyIPv4, port: port))
            }
            throw ListenerFailure(listener, address, .system(error))
        }
    }

    // MARK: - Binding

    private mutating func bind(
        _ listener: ListenerPlan, _ address: SocketAddress, _ features: KernelFeatures,
        into sockets: inout [[[Descriptor]]]
    ) throws(ListenerFailure) {
        let place = sockets[0].count - 1
        do throws(Errno) {
            switch address {
            case .ip(let host, let port):
                for worker in sockets.indices {
                    var socket = try ListenerSocket(listener.network, host, port, sharesPort: true)
                    try socket.prepare(for: listener.transport, features)
                    sockets[worker][place].append(socket.take())
                }
            case .unix(let path):
                guard try UnixSocketFile.isFree(path) else {
                    throw Errno(rawValue: EADDRINUSE)
                }
                var socket = try ListenerSocket(unixPath: path)
                if let file = UnixSocketFile(path) { files.append(file) }
                try socket.prepare(for: listener.transport, features)
                for worker in sockets.indices.dropFirst() {
                    sockets[worker][place].append(try socket.duplicate())
                }
                sockets[0][place].append(socket.take())
            }
        } catch {
            let isForeign = error.rawValue == ENOTSOCK
            throw ListenerFailure(listener, address, isForeign ? .noSocket : .system(error))
        }
    }

    // MARK: - The end

    /// Removes the files of Unix sockets.
    mutating func removeFiles() {
        for file in files { file.remove() }
        files = []
    }

    deinit {
        for file in files { file.remove() }
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
