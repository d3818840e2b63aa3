import CLinux
import Primitives
import Synchronization

/// A call on a test peer's socket that failed, and where.
public struct SocketFailure: Error, CustomStringConvertible {
    public let call: String
    public let errno: Errno

    public var description: String { "\(call): \(errno)" }

    /// `SO_RCVTIMEO` ran out: whatever was waited for never came.
    public var isSilence: Bool { errno.rawValue == EAGAIN }
}

/// A blocking socket of a test peer, closed with its last reference. Waits end after
/// `silenceSeconds`, so that a lost byte is a failure and not a test that hangs.
public final class Socket: Sendable {
    public let descriptor: Int32
    private let isOpen = Atomic<Bool>(true)

    public static let silenceSeconds = 60

    init(descriptor: Int32) throws {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: Self.silenceSeconds, tv_usec: 0)
        try set(SOL_SOCKET, SO_RCVTIMEO, &limit)
        try set(SOL_SOCKET, SO_SNDTIMEO, &limit)
    }

    deinit { close() }

    // MARK: Making

    public convenience init(family: Int32, type: Int32) throws {
        let result = apus_socket(family, type | Int32(SOCK_CLOEXEC.rawValue), 0)
        try self.init(descriptor: Int32(Self.check(Int(result), "socket")))
    }

    /// A listening socket; port 0 lets the kernel choose (`localAddress` tells).
    public static func listening(on address: SocketAddress, backlog: Int32 = 1024) throws -> Socket
    {
        let socket = try Socket(family: address.raw.family, type: streamType)
        try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
        try socket.bind(address)
        try check(Int(apus_listen(socket.descriptor, backlog)), "listen")
        return socket
    }

    /// - Parameter receiveBuffer: `SO_RCVBUF`, which must stand before the connection does.
    public static func connected(
        to address: SocketAddress, from source: SocketAddress? = nil, receiveBuffer: Int32? = nil
    ) throws -> Socket {
        let socket = try Socket(family: address.raw.family, type: streamType)
        if let receiveBuffer { try socket.set(SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
        if let source { try socket.bind(source) }
        try socket.connect(to: address)
        return socket
    }

    /// A UDP socket bound to `address`.
    public static func datagrams(on address: SocketAddress) throws -> Socket {
        let socket = try Socket(family: address.raw.family, type: Int32(SOCK_DGRAM.rawValue))
        try socket.set(SOL_SOCKET, SO_RCVBUF, 4 << 20)
        try socket.bind(address)
        return socket
    }

    public static let streamType = Int32(SOCK_STREAM.rawValue)

    public func bind(_ address: SocketAddress) throws {
        var raw = address.raw
        let length = raw.length
        try Self.check(Int(apus_bind(descriptor, &raw.storage, length)), "bind to \(address)")
    }

    public func connect(to address: SocketAddress) throws {
        var raw = address.raw
        let length = raw.length
        try Self.check(
            Int(apus_connect(descriptor, &raw.storage, length)), "connect to \(address)")
    }

    public func accept() throws -> Socket {
        let flags = Int32(SOCK_CLOEXEC.rawValue)
        return try Socket(
            descriptor: Int32(Self.check(Int(apus_accept(descriptor, flags)), "accept")))
    }

    /// - Precondition: an IP socket.
    public var localAddress: SocketAddress {
        get throws {
            var raw = RawSocketAddress()
            raw.length = RawSocketAddress.capacity
            try Self.check(
                Int(apus_getsockname(descriptor, &raw.storage, &raw.length)), "getsockname")
            guard let ip = raw.ip else { preconditionFailure("no IP socket") }
            return .ip(ip.address, port: ip.port)
        }
    }

    // MARK: Options

    public func set(_ level: Int32, _ name: Int32, _ value: Int32) throws {
        var value = value
        try set(level, name, &value)
    }

    private func set<Value: BitwiseCopyable>(
        _ level: Int32, _ name: Int32, _ value: inout Value
    ) throws {
        try Self.check(
            Int(
                apus_setsockopt(
                    descriptor, level, name, &value, socklen_t(MemoryLayout<Value>.size))),
            "setsockopt \(name)")
    }

    /// Ends waits after `seconds` instead of `silenceSeconds`.
    public func limitWaits(seconds: Int) throws {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        try set(SOL_SOCKET, SO_RCVTIMEO, &limit)
    }

    // MARK: Ending

    public func shutdownWrite() throws {
        try Self.check(Int(apus_shutdown(descriptor, Int32(SHUT_WR))), "shutdown")
    }

    /// Wakes a thread that waits in `accept` or `read`.
    public func shutdownBoth() {
        _ = apus_shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Ends the connection by RST instead of FIN (`SO_LINGER` with time 0, `socket(7)`).
    public func reset() throws {
        var option = linger(l_onoff: 1, l_linger: 0)
        try set(SOL_SOCKET, SO_LINGER, &option)
        close()
    }

    public func close() {
        if isOpen.exchange(false, ordering: .relaxed) { _ = apus_close(descriptor) }
    }

    @discardableResult
    static func check(_ result: Int, _ call: @autoclosure () -> String) throws -> Int {
        if let errno = Errno(result: result) { throw SocketFailure(call: call(), errno: errno) }
        return result
    }
}
