import CLinux
import Primitives

public typealias Descriptor = Int32

/// Numbers a ring of provided buffers within one `Ring` (`io_uring_register_buf_ring(3)`).
public typealias BufferGroup = UInt16

/// The kernel as a worker sees it: operations that are queued, submitted together and complete
/// later, and system calls that answer at once. `IOUring` is the real one; `SimulatedKernel` is a
/// seeded fake. Used by one thread only.
///
/// Results follow `io_uring`: zero or more is success, less is -errno. What a queued operation
/// points to (an address, a message header with its vectors) must stay valid until the next
/// `submitAndWait` or `submit` returns (IORING_FEAT_SUBMIT_STABLE), except `receiveMessages`,
/// whose header must live as long as the operation.
public protocol Ring: ~Copyable {
    var features: KernelFeatures { get }

    // MARK: Time

    /// CLOCK_MONOTONIC in nanoseconds.
    func now() -> UInt64

    // MARK: Operations: queued now, submitted together, completed later

    /// Accepts connections until cancelled (or one, without `multishotAccept`); each completion
    /// carries a new descriptor, non-blocking and close-on-exec.
    mutating func accept(on listener: Descriptor, token: Token)
    mutating func connect(
        _ socket: Descriptor, to address: UnsafePointer<RawSocketAddress>, token: Token)
    /// Receives into buffers of `group`, once, or until the stream ends, fails, is cancelled or
    /// the buffers run out (-ENOBUFS).
    /// - Parameter pollFirst: data is not expected yet, so do not try before waiting
    ///   (IORING_RECVSEND_POLL_FIRST).
    mutating func receive(
        on socket: Descriptor, group: BufferGroup, multishot: Bool, pollFirst: Bool, token: Token)
    /// Receives datagrams as `io_uring_recvmsg_out` records into buffers of `group`; multishot if
    /// the kernel can.
    mutating func receiveMessages(
        on socket: Descriptor, header: UnsafeMutablePointer<msghdr>, group: BufferGroup,
        token: Token)
    /// `sendmsg(2)` that waits for room; may be short.
    mutating func sendMessage(
        on socket: Descriptor, header: UnsafePointer<msghdr>, token: Token)
    /// One-shot `poll(2)`; the result is the events seen.
    mutating func poll(_ descriptor: Descriptor, events: Int32, token: Token)
    /// Completes once when `wake()` was called on this ring's wake-up descriptor since the last
    /// time.
    mutating func awaitWakeup(token: Token)
    /// Asks that the operation with `target` be ended; it then completes with -ECANCELED, or as it
    /// would have. The cancel itself completes silently or with `Token.none`.
    mutating func cancel(_ target: Token)

    // MARK: Completions

    /// Shows the kernel what was queued without waiting.
    mutating func submit()
    /// Submits, and waits for `minimum` completions or the time-out.
    /// - Parameters:
    ///   - minimum: 0 returns at once with what is there.
    ///   - batchMicroseconds: with `minimumWait`: after this time one completion is enough.
    ///   - timeoutNanoseconds: nil waits for ever.
    mutating func submitAndWait(
        minimum: UInt32, batchMicroseconds: UInt32, timeoutNanoseconds: UInt64?)
    /// True when a completion can be had without sleeping; a cheap look at shared memory.
    var hasPending: Bool { get }
    /// Moves completions into `batch`, oldest first; returns how many.
    mutating func takeCompletions(into batch: UnsafeMutableBufferPointer<Completion>) -> Int

    // MARK: Provided buffers

    /// Makes buffer group `group` with room for `entries` (a power of two) posted buffers.
    mutating func registerBufferGroup(_ group: BufferGroup, entries: UInt32) -> Int32
    /// Stages a buffer for the kernel to fill; `publishBuffers` hands over all staged ones.
    mutating func provideBuffer(
        _ id: UInt16, at address: UnsafeMutableRawPointer, length: UInt32, group: BufferGroup)
    mutating func publishBuffers(group: BufferGroup)

    // MARK: System calls that answer at once

    /// A non-blocking close-on-exec socket.
    mutating func socket(family: Int32, type: Int32) -> Int32
    /// `connect(2)` at once: for datagram sockets, which never wait.
    mutating func connectNow(
        _ socket: Descriptor, to address: UnsafePointer<RawSocketAddress>
    ) -> Int32
    mutating func acceptNow(_ listener: Descriptor) -> Int32
    mutating func send(_ socket: Descriptor, _ data: UnsafeRawPointer, count: Int) -> Int
    mutating func sendMessageNow(_ socket: Descriptor, header: UnsafePointer<msghdr>) -> Int
    /// One datagram to an address, given as the kernel gives it (`sendto(2)`).
    mutating func sendTo(
        _ socket: Descriptor, _ data: UnsafeRawPointer, count: Int, name: UnsafeRawPointer,
        nameLength: UInt32
    ) -> Int
    /// `splice(2)`, never blocking; one of the two descriptors is a pipe.
    mutating func splice(from source: Descriptor, to sink: Descriptor, count: Int) -> Int
    /// A non-blocking pipe and the capacity that was got, which may be less than asked for.
    mutating func makePipe(capacity: Int) -> Result<Pipe, Errno>
    mutating func setOption(
        _ socket: Descriptor, level: Int32, name: Int32, value: UnsafeRawPointer, length: Int
    ) -> Int32
    mutating func peerName(_ socket: Descriptor, into address: inout RawSocketAddress) -> Int32
    mutating func localName(_ socket: Descriptor, into address: inout RawSocketAddress) -> Int32
    mutating func shutdownWrite(_ socket: Descriptor) -> Int32
    mutating func close(_ descriptor: Descriptor) -> Int32
}

extension Ring where Self: ~Copyable {
    /// By `sendMessageNow`, for rings that have no shorter way.
    public mutating func sendTo(
        _ socket: Descriptor, _ data: UnsafeRawPointer, count: Int, name: UnsafeRawPointer,
        nameLength: UInt32
    ) -> Int {
        var vector = iovec(iov_base: UnsafeMutableRawPointer(mutating: data), iov_len: count)
        return withUnsafeMutablePointer(to: &vector) { vector in
            var message = msghdr()
            message.msg_name = UnsafeMutableRawPointer(mutating: name)
            message.msg_namelen = nameLength
            message.msg_iov = vector
            message.msg_iovlen = 1
            return sendMessageNow(socket, header: &message)
        }
    }

    @inlinable
    public mutating func setOption(
        _ socket: Descriptor, level: Int32, name: Int32, _ value: Int32
    ) -> Int32 {
        var value = value
        return setOption(
            socket, level: level, name: name, value: &value, length: MemoryLayout<Int32>.size)
    }
}

/// Both ends of a pipe, and how many bytes it holds.
public struct Pipe: BitwiseCopyable, Sendable {
    public let readEnd: Descriptor
    public let writeEnd: Descriptor
    public let capacity: Int

    public init(readEnd: Descriptor, writeEnd: Descriptor, capacity: Int) {
        self.readEnd = readEnd
        self.writeEnd = writeEnd
        self.capacity = capacity
    }
}
