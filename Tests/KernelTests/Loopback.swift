import CLinux
import Kernel
import Primitives

/// Sockets that go no further than this machine, for tests; who makes one closes it.
enum Loopback {
    static func checked(_ result: Int32) throws -> Int32 {
        if let error = Errno(result: Int(result)) { throw error }
        return result
    }

    /// A socket of 127.0.0.1 and the port that the kernel chose.
    static func bound(
        _ type: Int32, at address: IPAddress = .loopbackIPv4
    ) throws -> (socket: Descriptor, address: RawSocketAddress) {
        let family = address.isIPv4 ? AF_INET : AF_INET6
        let socket = try checked(apus_socket(family, type | nonblocking, 0))
        var name = RawSocketAddress(address, port: 0)
        _ = try checked(apus_bind(socket, &name.storage, name.length))
        name.length = RawSocketAddress.capacity
        _ = try checked(apus_getsockname(socket, &name.storage, &name.length))
        return (socket, name)
    }

    static func listener() throws -> (socket: Descriptor, address: RawSocketAddress) {
        let result = try bound(stream)
        _ = try checked(apus_listen(result.socket, 16))
        return result
    }

    /// Two connected stream sockets of no network.
    static func pair() throws -> (near: Descriptor, far: Descriptor) {
        var ends: [Int32] = [-1, -1]
        let result = apus_result(Int(socketpair(AF_UNIX, stream | nonblocking, 0, &ends)))
        if let error = Errno(result: result) { throw error }
        return (ends[0], ends[1])
    }

    static func close(_ descriptors: Descriptor...) {
        for descriptor in descriptors { _ = apus_close(descriptor) }
    }

    static func write(_ text: String, to socket: Descriptor) throws {
        let bytes = Array(text.utf8)
        let count = apus_write(socket, bytes, bytes.count)
        if let error = Errno(result: count) { throw error }
        precondition(count == bytes.count, "a few bytes fit into an empty socket")
    }

    static func read(from socket: Descriptor) throws -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = apus_read(socket, &bytes, bytes.count)
        if let error = Errno(result: count) { throw error }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    static var stream: Int32 { Int32(SOCK_STREAM.rawValue) }
    static var datagram: Int32 { Int32(SOCK_DGRAM.rawValue) }
    private static var nonblocking: Int32 { Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue) }
}
