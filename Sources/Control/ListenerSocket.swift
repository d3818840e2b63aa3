import CLinux
import Kernel
import Primitives
import Routing

/// One socket of a listener while it is being made; closed unless it is taken. Control thread.
struct ListenerSocket: ~Copyable {
    private var descriptor: Descriptor?
    private let family: Int32
    private let isWildcard: Bool

    /// Connections that wait to be accepted; the kernel takes the lesser of it and
    /// `net.core.somaxconn` (`listen(2)`), which is 4096 since Linux 5.4.
    private static let backlog: Int32 = 4096
    /// A burst must fit while the worker is busy elsewhere.
    private static let datagramBufferBytes: Int32 = 4 << 20

    /// Bound, not yet listening.
    init(
        _ network: ListenerFailure.Network, _ host: IPAddress, _ port: UInt16, sharesPort: Bool
    ) throws(Errno) {
        family = host.isIPv4 ? AF_INET : AF_INET6
        isWildcard = host.isAny
        let kind = network == .tcp ? SOCK_STREAM : SOCK_DGRAM
        try open(kind)
        // For TCP it lets a port be taken again while old connections are in TIME_WAIT. For UDP it
        // would let any other socket with the same option share the port (`socket(7)`).
        if network == .tcp { try set(SOL_SOCKET, SO_REUSEADDR, 1) }
        if sharesPort { try set(SOL_SOCKET, SO_REUSEPORT, 1) }
        if family == AF_INET6 {
            // `::` means every address of both families.
            try set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, isWildcard ? 0 : 1)
        }
        try bind(.ip(host, port: port))
    }

    init(unixPath path: String) throws(Errno) {
        family = AF_UNIX
        isWildcard = false
        try open(SOCK_STREAM)
        try bind(.unix(path: path))
    }

    deinit {
        if let descriptor { _ = apus_close(descriptor) }
    }

    private mutating func open(_ kind: __socket_type) throws(Errno) {
        let flags = SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let result = apus_socket(family, Int32(kind.rawValue | flags), 0)
        if let error = Errno(result: Int(result)) { throw error }
        descriptor = result
    }

    private func bind(_ address: SocketAddress) throws(Errno) {
        var raw = address.raw
        let result = apus_bind(open, &raw.storage, raw.length)
        if let error = Errno(result: Int(result)) { throw error }
    }

    private var open: Descriptor {
        guard let descriptor else { fatalError("a socket is used before it is taken") }
        return descriptor
    }

    private func set(_ level: Int32, _ name: Int32, _ value: Int32) throws(Errno) {
        var value = value
        let result = apus_setsockopt(open, level, name, &value, UInt32(MemoryLayout<Int32>.size))
        if let error = Errno(result: Int(result)) { throw error }
    }

    /// For options that only make things faster.
    private func trySet(_ level: Int32, _ name: Int32, _ value: Int32) -> Bool {
        do throws(Errno) {
            try set(level, name, value)
            return true
        } catch {
            return false
        }
    }

    var localAddress: SocketAddress {
        get throws(Errno) {
            var raw = RawSocketAddress()
            raw.length = RawSocketAddress.capacity
            let result = apus_getsockname(open, &raw.storage, &raw.length)
            if let error = Errno(result: Int(result)) { throw error }
            guard let ip = raw.ip else { fatalError("only IP sockets are asked") }
            return .ip(ip.address, port: ip.port)
        }
    }

    // MARK: - Options

    /// Sets what the transport needs and, for TCP, starts to listen.
    mutating func prepare(
        for transport: ListenerPlan.Transport, _ features: KernelFeatures
    ) throws(Errno) {
        switch transport {
        case .tcp(let plan):
            if family != AF_UNIX { try prepareStream(plan) }
            let result = apus_listen(open, Self.backlog)
            if let error = Errno(result: Int(result)) { throw error }
        case .udp:
            try prepareDatagrams(features)
        }
    }

    /// Accepted sockets inherit these (`tcp_create_openreq_child` copies the listener's), which
    /// saves system calls for each connection.
    private func prepareStream(_ plan: TCPListenerPlan) throws(Errno) {
        let tcp = Int32(IPPROTO_TCP)
        try set(tcp, TCP_NODELAY, 1)
        guard let keepalive = plan.keepalive else { return }
        try set(SOL_SOCKET, SO_KEEPALIVE, 1)
        if let probes = keepalive.probes { try set(tcp, TCP_KEEPCNT, Int32(clamping: probes)) }
        if let idle = keepalive.idleSeconds { try set(tcp, TCP_KEEPIDLE, Int32(clamping: idle)) }
        if let interval = keepalive.intervalSeconds {
            try set(tcp, TCP_KEEPINTVL, Int32(clamping: interval))
        }
    }

    private func prepareDatagrams(_ features: KernelFeatures) throws(Errno) {
        // FORCE goes past net.core.rmem_max, but needs CAP_NET_ADMIN (`socket(7)`); without it the
        // plain option takes as much as is allowed.
        let bytes = Self.datagramBufferBytes
        if !trySet(SOL_SOCKET, SO_RCVBUFFORCE, bytes) { _ = trySet(SOL_SOCKET, SO_RCVBUF, bytes) }
        if !trySet(SOL_SOCKET, SO_SNDBUFFORCE, bytes) { _ = trySet(SOL_SOCKET, SO_SNDBUF, bytes) }
        if features.contains(.udpReceiveOffload) {
            _ = trySet(Int32(IPPROTO_UDP), UDP_GRO, 1)
        }
        guard isWildcard else { return }
        // An answer must come from the address that the request went to. A dual-stack socket
        // tells it for IPv4 too, as a mapped address.
        if family == AF_INET {
            try set(Int32(IPPROTO_IP), IP_PKTINFO, 1)
        } else {
            try set(Int32(IPPROTO_IPV6), IPV6_RECVPKTINFO, 1)
        }
    }

    // MARK: - Handing over

    func duplicate() throws(Errno) -> Descriptor {
        let result = apus_fcntl(open, F_DUPFD_CLOEXEC, 0)
        if let error = Errno(result: Int(result)) { throw error }
        return result
    }

    /// The caller closes it from now on.
    mutating func take() -> Descriptor {
        let taken = open
        descriptor = nil
        return taken
    }
}
