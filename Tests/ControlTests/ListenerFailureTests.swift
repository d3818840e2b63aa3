import CLinux
import Primitives
import Testing

@testable import Control

@Suite("Listener failures")
struct ListenerFailureTests {
    private static let low = SocketAddress.ip(.loopbackIPv4, port: 80)
    private static let v6 = SocketAddress.ip(.loopbackIPv6, port: 8080)
    private static let path = SocketAddress.unix(path: "/run/apus/in.sock")

    private func sentence(
        _ network: ListenerFailure.Network, _ address: SocketAddress, _ number: Int32
    ) -> String {
        ListenerFailure(
            listener: "default/edge/web", network: network, address: address,
            cause: .system(Errno(rawValue: number))
        ).startFailure.description
    }

    @Test(
        "each error on an IP address names its fix",
        arguments: [
            (EADDRINUSE, "ss -ltnp 'sport = :80'"),
            (EACCES, "cap_net_bind_service"),
            (EACCES, "net.ipv4.ip_unprivileged_port_start=80"),
            (EADDRNOTAVAIL, "ip address"),
            (EMFILE, "ulimit -n"),
            (ENFILE, "fs.file-max"),
            (ENOBUFS, "memory"),
            (EIO, "EIO"),
        ])
    func ip(number: Int32, expected: String) {
        let text = sentence(.tcp, Self.low, number)
        #expect(text.hasPrefix("listener default/edge/web cannot listen on TCP 127.0.0.1:80: "))
        #expect(text.contains(expected))
    }

    @Test("a UDP port in use is looked for among UDP sockets")
    func udp() {
        #expect(sentence(.udp, Self.low, EADDRINUSE).contains("ss -lunp 'sport = :80'"))
        #expect(sentence(.udp, Self.low, EADDRINUSE).contains("UDP 127.0.0.1:80"))
    }

    @Test(
        "errors that only IPv6 addresses have are told as such",
        arguments: [
            (EAFNOSUPPORT, "no IPv6"), (EINVAL, "fe80::/10"),
        ])
    func ipv6(number: Int32, expected: String) {
        #expect(sentence(.tcp, Self.v6, number).contains(expected))
    }

    @Test(
        "each error on a path names its fix",
        arguments: [
            (EADDRINUSE, "ss -lxp"), (ENOENT, "mkdir -p"), (ENOTDIR, "no directory"),
            (EACCES, "namei -l /run/apus/in.sock"), (EROFS, "read-only"), (EMFILE, "ulimit -n"),
            (EIO, "EIO"),
        ])
    func unix(number: Int32, expected: String) {
        let text = sentence(.tcp, Self.path, number)
        #expect(text.contains("unix:/run/apus/in.sock: "))
        #expect(text.contains(expected))
    }
}
