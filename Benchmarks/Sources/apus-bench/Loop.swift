import CLinux
import Kernel
import Primitives

/// A ring of the engine's kind with receive buffers that are always posted: what a load or backend
/// receives is looked at and handed back at once. Owned by the one thread that runs it.
struct Loop: ~Copyable {
    static let group: BufferGroup = 0

    var ring: IOUring
    private let pool: BufferPool
    private let batch: UnsafeMutableBufferPointer<Completion>

    /// - Parameter buffers: a power of two.
    init(buffers: Int = 2048, bufferBytes: Int = 4096) {
        do {
            ring = try IOUring(wakeup: Wakeup())
        } catch {
            fail("no ring: \(error)")
        }
        pool = BufferPool(group: Self.group, count: buffers, size: bufferBytes)
        let result = ring.registerBufferGroup(Self.group, entries: UInt32(buffers))
        guard result == 0 else { fail("no buffers: \(Errno(rawValue: -result))") }
        for id in 0..<buffers {
            ring.provideBuffer(
                UInt16(id), at: pool.address(UInt16(id)), length: UInt32(bufferBytes),
                group: Self.group)
        }
        ring.publishBuffers(group: Self.group)
        batch = .allocate(capacity: 512)
    }

    deinit {
        batch.deallocate()
    }

    /// Submits what was queued and returns what was completed, at the latest at `deadline`. The
    /// completions stay valid until the next call.
    mutating func wait(until deadline: UInt64?) -> UnsafeBufferPointer<Completion> {
        var timeout: UInt64?
        if let deadline {
            let now = ring.now()
            timeout = deadline > now ? deadline - now : 0
        }
        ring.submitAndWait(
            minimum: timeout == 0 ? 0 : 1, batchMicroseconds: 0, timeoutNanoseconds: timeout)
        let count = ring.takeCompletions(into: batch)
        return UnsafeBufferPointer(start: batch.baseAddress, count: count)
    }

    /// What a receive brought; valid until `repost`.
    func bytes(of completion: Completion) -> UnsafeRawBufferPointer {
        precondition(completion.hasBuffer && completion.result > 0)
        return UnsafeRawBufferPointer(
            start: pool.address(completion.bufferID), count: Int(completion.result))
    }

    mutating func repost(_ completion: Completion) {
        guard completion.hasBuffer else { return }
        let id = completion.bufferID
        ring.provideBuffer(
            id, at: pool.address(id), length: UInt32(pool.size), group: Self.group)
        ring.publishBuffers(group: Self.group)
    }
}

extension Loop {
    mutating func option(_ socket: Descriptor, _ level: Int32, _ name: Int32, _ value: Int32) {
        let result = ring.setOption(socket, level: level, name: name, value)
        guard result == 0 else { fail("setsockopt \(name): \(Errno(rawValue: -result))") }
    }

    mutating func streamSocket() -> Descriptor {
        let socket = ring.socket(family: AF_INET, type: Int32(SOCK_STREAM.rawValue))
        guard socket >= 0 else { fail("socket: \(Errno(rawValue: -socket))") }
        option(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        return socket
    }

    /// Connects as many stream sockets as asked for, one after the other, and waits for each.
    mutating func connect(_ count: Int, to port: UInt16) -> [Descriptor] {
        let address = RawSocketAddress(.loopbackIPv4, port: port)
        return (0..<count).map { _ in
            let socket = streamSocket()
            var result = ring.connectNow(socket, to: [address])
            if result == -EINPROGRESS {
                var wanted = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
                _ = poll(&wanted, 1, 10_000)
                var length = socklen_t(MemoryLayout<Int32>.size)
                var error: Int32 = ETIMEDOUT
                _ = apus_getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length)
                result = -error
            }
            guard result == 0 else { fail("connect: \(Errno(rawValue: -result))") }
            return socket
        }
    }

    mutating func datagramSockets(
        _ count: Int, to port: UInt16, receiveOffload: Bool
    )
        -> [Descriptor]
    {
        let address = RawSocketAddress(.loopbackIPv4, port: port)
        return (0..<count).map { _ in
            let socket = ring.socket(family: AF_INET, type: Int32(SOCK_DGRAM.rawValue))
            guard socket >= 0 else { fail("socket: \(Errno(rawValue: -socket))") }
            option(socket, SOL_SOCKET, SO_RCVBUF, 4 << 20)
            if receiveOffload { option(socket, Int32(IPPROTO_UDP), UDP_GRO, 1) }
            let result = ring.connectNow(socket, to: [address])
            guard result == 0 else { fail("connect: \(Errno(rawValue: -result))") }
            return socket
        }
    }
}
