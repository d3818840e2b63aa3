import CLinux
import Primitives

/// The calls that answer at once: one system call each, non-blocking, -errno on failure.
extension IOUring {
    @inline(__always)
    public func now() -> UInt64 {
        apus_monotonic()
    }

    public mutating func socket(family: Int32, type: Int32) -> Int32 {
        apus_socket(family, type | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }

    public mutating func connectNow(
        _ socket: Descriptor, to address: UnsafePointer<RawSocketAddress>
    ) -> Int32 {
        apus_connect(socket, address, address.pointee.length)
    }

    public mutating func acceptNow(_ listener: Descriptor) -> Int32 {
        apus_accept(listener, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
    }

    @inline(__always)
    public mutating func send(_ socket: Descriptor, _ data: UnsafeRawPointer, count: Int) -> Int {
        apus_send(socket, data, count, Self.sendFlags)
    }

    @inline(__always)
    public mutating func sendMessageNow(
        _ socket: Descriptor, header: UnsafePointer<msghdr>
    ) -> Int {
        apus_sendmsg(socket, header, Self.sendFlags)
    }

    @inline(__always)
    public mutating func sendTo(
        _ socket: Descriptor, _ data: UnsafeRawPointer, count: Int, name: UnsafeRawPointer,
        nameLength: UInt32
    ) -> Int {
        apus_sendto(socket, data, count, Self.sendFlags, name, nameLength)
    }

    private static var sendFlags: Int32 {
        Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
    }

    /// The sockets are O_NONBLOCK, which is what keeps `splice(2)` from waiting for them; the flag
    /// only speaks of the pipe.
    @inline(__always)
    public mutating func splice(from source: Descriptor, to sink: Descriptor, count: Int) -> Int {
        apus_splice(source, sink, count, UInt32(SPLICE_F_NONBLOCK) | UInt32(SPLICE_F_MOVE))
    }

    public mutating func makePipe(capacity: Int) -> Result<Pipe, Errno> {
        var ends: [Int32] = [-1, -1]
        let result = apus_pipe(&ends, O_NONBLOCK | O_CLOEXEC)
        if let error = Errno(result: Int(result)) { return .failure(error) }
        // Past `pipe-user-pages-soft` the kernel refuses large pipes (`pipe(7)`), and may have made
        // this one smaller than the usual 64 KiB.
        for attempt in [capacity, capacity / 4] {
            let got = apus_fcntl(ends[1], F_SETPIPE_SZ, attempt)
            if got > 0 {
                return .success(Pipe(readEnd: ends[0], writeEnd: ends[1], capacity: Int(got)))
            }
        }
        let size = Int(apus_fcntl(ends[1], F_GETPIPE_SZ, 0))
        precondition(size > 0, "a pipe has a size")
        return .success(Pipe(readEnd: ends[0], writeEnd: ends[1], capacity: size))
    }

    public mutating func setOption(
        _ socket: Descriptor, level: Int32, name: Int32, value: UnsafeRawPointer, length: Int
    ) -> Int32 {
        apus_setsockopt(socket, level, name, value, UInt32(length))
    }

    public mutating func peerName(
        _ socket: Descriptor, into address: inout RawSocketAddress
    ) -> Int32 {
        address.length = RawSocketAddress.capacity
        return apus_getpeername(socket, &address.storage, &address.length)
    }

    public mutating func localName(
        _ socket: Descriptor, into address: inout RawSocketAddress
    ) -> Int32 {
        address.length = RawSocketAddress.capacity
        return apus_getsockname(socket, &address.storage, &address.length)
    }

    public mutating func shutdownWrite(_ socket: Descriptor) -> Int32 {
        apus_shutdown(socket, Int32(SHUT_WR))
    }

    public mutating func close(_ descriptor: Descriptor) -> Int32 {
        apus_close(descriptor)
    }
}
