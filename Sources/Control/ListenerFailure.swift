import CLinux
import Primitives
import Routing

/// Why a listener cannot listen, with what the operator can do about it.
struct ListenerFailure: Error, Hashable {
    enum Cause: Hashable {
        case system(Errno)
        /// Another listener of the same plan has the address.
        case takenBy(listener: String)
        /// Something at the path is no socket; it is not for us to remove.
        case noSocket
        /// A Unix socket carries streams only here.
        case unixDatagrams
    }

    enum Network: Hashable {
        case tcp, udp
    }

    /// As the plan names it: `namespace/gateway/listener`.
    var listener: String
    var network: Network
    var address: SocketAddress
    var cause: Cause

    var startFailure: StartFailure {
        let kind = network == .tcp ? "TCP" : "UDP"
        let place =
            switch address {
            case .ip: "\(kind) \(address)"
            case .unix: "\(address)"
            }
        return StartFailure("listener \(listener) cannot listen on \(place): \(reason)")
    }

    var reason: String {
        switch cause {
        case .takenBy(let other):
            "listener \(other) has the same address: give one of them another address or port"
        case .noSocket:
            "there is something at the path that is no socket: remove it or take another path"
        case .unixDatagrams:
            "a UDP listener needs an IP address: give its Gateway one in spec.addresses"
        case .system(let error):
            switch address {
            case .ip(let address, let port): ipReason(error, address, port)
            case .unix(let path): unixReason(error, path)
            }
        }
    }

    private func ipReason(_ error: Errno, _ address: IPAddress, _ port: UInt16) -> String {
        let option = network == .tcp ? "-ltnp" : "-lunp"
        return switch error.rawValue {
        case EADDRINUSE:
            "another process uses the port; find it with `ss \(option) 'sport = :\(port)'` "
                + "and stop it, or choose another port"
        case EACCES, EPERM:
            "ports this low are for privileged processes: "
                + "`setcap cap_net_bind_service=+ep` on the apus binary "
                + "(AmbientCapabilities=CAP_NET_BIND_SERVICE in a systemd unit), "
                + "or `sysctl -w net.ipv4.ip_unprivileged_port_start=\(port)`"
        case EADDRNOTAVAIL:
            "no interface of this host has the address; `ip address` shows those there are"
        case EAFNOSUPPORT:
            "this host has no IPv6 (ipv6.disable=1?): use an IPv4 address"
        case EINVAL where !address.isIPv4:
            "link-local addresses (fe80::/10) belong to one interface each and cannot be used"
        default: common(error)
        }
    }

    private func unixReason(_ error: Errno, _ path: String) -> String {
        switch error.rawValue {
        case EADDRINUSE:
            "another process listens there; find it with `ss -lxp` and stop it, "
                + "or choose another path"
        case ENOENT: "the directory of the path does not exist: make it with `mkdir -p`"
        case ENOTDIR: "a part of the path is no directory: choose another path"
        case EACCES, EPERM: "no permission to make a socket there: see `namei -l \(path)`"
        case EROFS: "the file system is read-only: choose a path below /run"
        default: common(error)
        }
    }

    private func common(_ error: Errno) -> String {
        switch error.rawValue {
        case EMFILE: "out of descriptors: raise `ulimit -n` or use fewer --workers"
        case ENFILE: "the system is out of files: raise `sysctl fs.file-max`"
        case ENOMEM, ENOBUFS: "the kernel has no memory for it: free some"
        default: "\(error)"
        }
    }
}
