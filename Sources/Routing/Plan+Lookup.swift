import Primitives

extension Plan {
    /// The listener that takes a connection, or a datagram, to an address: as the kernel chooses
    /// among listening sockets, the one that is bound to it, else the one of the family's wildcard,
    /// else `::`, which takes both families. Nil = nobody listens there.
    public func listener(at destination: SocketAddress, isDatagram: Bool = false) -> Int? {
        var best: (listener: Int, rank: Int)?
        for (index, listener) in listeners.enumerated() {
            guard listener.isDatagram == isDatagram else { continue }
            for address in listener.addresses {
                let rank = address.rank(for: destination)
                if rank > best?.rank ?? 0 { best = (index, rank) }
            }
        }
        return best?.listener
    }
}

extension ListenerPlan {
    /// A UDP listener.
    public var isDatagram: Bool {
        if case .udp = transport { true } else { false }
    }
}

extension SocketAddress {
    /// How well a socket bound to this address fits a destination; 0 = not at all.
    fileprivate func rank(for destination: SocketAddress) -> Int {
        switch (self, destination) {
        case (.unix(let path), .unix(let other)): return path == other ? 3 : 0
        case (.ip(let bound, let port), .ip(let address, let other)) where port == other:
            let (bound, address) = (bound.unmapped, address.unmapped)
            if bound == address { return 3 }
            guard bound.isAny else { return 0 }
            if bound.isIPv4 == address.isIPv4 { return 2 }
            return address.isIPv4 ? 1 : 0
        case (.ip, _), (.unix, _): return 0
        }
    }
}
