import CLiburing
import CLinux
import Primitives

/// The kernel's own ring (`io_uring(7)`). Made on the thread that uses it, because with
/// DEFER_TASKRUN completions only appear inside that thread's `io_uring_enter(2)`.
public struct IOUring: Ring, ~Copyable {
    // MARK: Immutable after start
    public let features: KernelFeatures
    private let ring: UnsafeMutablePointer<io_uring>
    private let wakeup: Wakeup
    private let wakeupValue: UnsafeMutablePointer<UInt64>
    private let groups: UnsafeMutablePointer<ProvidedBuffers>
    private let enterFlags: UInt32

    /// Buffer groups are numbered below this.
    public static let groupsMax = 4

    /// - Parameters:
    ///   - entries: operations that can be queued between two submissions; more go early.
    ///   - completions: results that the kernel can hold; what comes on top costs extra.
    ///   - allowed: features that may be used; those the kernel lacks are left out of `features`.
    public init(
        entries: UInt32 = 1024, completions: UInt32 = 8192, wakeup: Wakeup,
        allowed: KernelFeatures = .all
    ) throws(RingFailure) {
        let release = KernelRelease.running
        guard release.isAtLeast(6, 1) else { throw .kernelTooOld(release: release.text) }
        let ring = UnsafeMutablePointer<io_uring>.allocate(capacity: 1)
        ring.initialize(to: io_uring())
        var features = allowed
        do throws(RingFailure) {
            try Self.setUp(ring, entries, completions, &features)
        } catch {
            ring.deallocate()
            throw error
        }
        apus_sq_identity(ring)
        if features.contains(.registeredRing), io_uring_register_ring_fd(ring) != 1 {
            features.remove(.registeredRing)
        }
        if ring.pointee.features & APUS_IORING_FEAT_MIN_TIMEOUT_BIT == 0 {
            features.remove(.minimumWait)
        }
        self.ring = ring
        self.wakeup = wakeup
        self.features = features
        enterFlags =
            UInt32(IORING_ENTER_GETEVENTS) | UInt32(IORING_ENTER_EXT_ARG)
            | (features.contains(.registeredRing) ? UInt32(IORING_ENTER_REGISTERED_RING) : 0)
        wakeupValue = .allocate(capacity: 1)
        wakeupValue.initialize(to: 0)
        groups = .allocate(capacity: Self.groupsMax)
        groups.initialize(repeating: ProvidedBuffers(), count: Self.groupsMax)
    }

    deinit {
        io_uring_queue_exit(ring)
        for group in 0..<Self.groupsMax { groups[group].unmap() }
        groups.deallocate()
        wakeupValue.deallocate()
        ring.deallocate()
    }

    private static func setUp(
        _ ring: UnsafeMutablePointer<io_uring>, _ entries: UInt32, _ completions: UInt32,
        _ features: inout KernelFeatures
    ) throws(RingFailure) {
        let common = IORING_SETUP_CQSIZE | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG
        if features.contains(.deferTaskrun) {
            var parameters = io_uring_params()
            parameters.cq_entries = completions
            parameters.flags =
                IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN
                | IORING_SETUP_TASKRUN_FLAG
            let result = io_uring_queue_init_params(entries, ring, &parameters)
            if result == 0 { return try checkOperations(ring) }
            // A kernel that does not know the flag says EINVAL; anything else is the end.
            guard result == -EINVAL else { throw RingFailure(setup: Errno(rawValue: -result)) }
            features.remove(.deferTaskrun)
        }
        var parameters = io_uring_params()
        parameters.cq_entries = completions
        parameters.flags = common
        let result = io_uring_queue_init_params(entries, ring, &parameters)
        guard result == 0 else { throw RingFailure(setup: Errno(rawValue: -result)) }
        try checkOperations(ring)
    }

    private static let operationsNeeded: [(code: io_uring_op, name: String)] = [
        (IORING_OP_ACCEPT, "ACCEPT"), (IORING_OP_ASYNC_CANCEL, "ASYNC_CANCEL"),
        (IORING_OP_CONNECT, "CONNECT"), (IORING_OP_POLL_ADD, "POLL_ADD"), (IORING_OP_READ, "READ"),
        (IORING_OP_RECV, "RECV"), (IORING_OP_RECVMSG, "RECVMSG"), (IORING_OP_SENDMSG, "SENDMSG"),
    ]

    private static func checkOperations(
        _ ring: UnsafeMutablePointer<io_uring>
    ) throws(RingFailure) {
        guard let probe = io_uring_get_probe_ring(ring) else { return }
        defer { io_uring_free_probe(probe) }
        let missing = operationsNeeded.filter {
            io_uring_opcode_supported(probe, Int32($0.code.rawValue)) == 0
        }
        guard missing.isEmpty else {
            io_uring_queue_exit(ring)
            throw .missingOperations(missing.map(\.name))
        }
    }

    // MARK: - Operations

    @inline(__always)
    private mutating func nextEntry() -> UnsafeMutablePointer<io_uring_sqe> {
        if let entry = io_uring_get_sqe(ring) { return entry }
        submit()
        guard let entry = io_uring_get_sqe(ring) else {
            fatalError("the kernel took no submissions although it was asked to")
        }
        return entry
    }

    public mutating func accept(on listener: Descriptor, token: Token) {
        let entry = nextEntry()
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        if features.contains(.multishotAccept) {
            io_uring_prep_multishot_accept(entry, listener, nil, nil, flags)
        } else {
            io_uring_prep_accept(entry, listener, nil, nil, flags)
        }
        entry.pointee.user_data = token.rawValue
    }

    public mutating func connect(
        _ socket: Descriptor, to address: UnsafePointer<RawSocketAddress>, token: Token
    ) {
        let entry = nextEntry()
        let pointer = UnsafeRawPointer(address).assumingMemoryBound(to: sockaddr.self)
        io_uring_prep_connect(entry, socket, pointer, address.pointee.length)
        entry.pointee.user_data = token.rawValue
    }

    public mutating func receive(
        on socket: Descriptor, group: BufferGroup, multishot: Bool, pollFirst: Bool, token: Token
    ) {
        let entry = nextEntry()
        io_uring_prep_recv(entry, socket, nil, 0, 0)
        if multishot && features.contains(.multishotReceive) {
            entry.pointee.ioprio |= UInt16(IORING_RECV_MULTISHOT)
        }
        if pollFirst { entry.pointee.ioprio |= UInt16(IORING_RECVSEND_POLL_FIRST) }
        entry.pointee.flags |= Self.selectBuffer
        entry.pointee.buf_group = group
        entry.pointee.user_data = token.rawValue
    }

    public mutating func receiveMessages(
        on socket: Descriptor, header: UnsafeMutablePointer<msghdr>, group: BufferGroup,
        token: Token
    ) {
        let entry = nextEntry()
        // Without multishot the record's layout would be another one, so this operation is always
        // asked for (Linux 6.0); `multishotReceive` off re-arms after each datagram.
        io_uring_prep_recvmsg_multishot(entry, socket, header, 0)
        entry.pointee.flags |= Self.selectBuffer
        entry.pointee.buf_group = group
        entry.pointee.user_data = token.rawValue
    }

    public mutating func sendMessage(
        on socket: Descriptor, header: UnsafePointer<msghdr>, token: Token
    ) {
        let entry = nextEntry()
        io_uring_prep_sendmsg(entry, socket, header, UInt32(MSG_NOSIGNAL))
        entry.pointee.user_data = token.rawValue
    }

    public mutating func poll(_ descriptor: Descriptor, events: Int32, token: Token) {
        let entry = nextEntry()
        io_uring_prep_poll_add(entry, descriptor, UInt32(events))
        entry.pointee.user_data = token.rawValue
    }

    public mutating func awaitWakeup(token: Token) {
        let entry = nextEntry()
        io_uring_prep_read(
            entry, wakeup.descriptor, wakeupValue, UInt32(MemoryLayout<UInt64>.size), 0)
        entry.pointee.user_data = token.rawValue
    }

    public mutating func cancel(_ target: Token) {
        let entry = nextEntry()
        io_uring_prep_cancel64(entry, target.rawValue, 0)
        entry.pointee.flags |= Self.skipSuccess
        entry.pointee.user_data = Token.none.rawValue
    }

    private static let selectBuffer: UInt8 = 1 << 5  // IOSQE_BUFFER_SELECT
    private static let skipSuccess: UInt8 = 1 << 6  // IOSQE_CQE_SKIP_SUCCESS

    // MARK: - Completions

    public mutating func submit() {
        let count = apus_sq_publish(ring)
        guard count > 0 else { return }
        let flags = enterFlags & ~(UInt32(IORING_ENTER_GETEVENTS) | UInt32(IORING_ENTER_EXT_ARG))
        checkEnter(apus_enter(ring, count, 0, flags, nil, 0))
    }

    public mutating func submitAndWait(
        minimum: UInt32, batchMicroseconds: UInt32, timeoutNanoseconds: UInt64?
    ) {
        let count = apus_sq_publish(ring)
        var argument = apus_getevents_arg()
        var timeout = __kernel_timespec()
        if minimum > 1 && features.contains(.minimumWait) {
            argument.min_wait_usec = batchMicroseconds
        }
        let result = withUnsafeMutablePointer(to: &timeout) { timeout in
            if let timeoutNanoseconds {
                timeout.pointee.tv_sec = Int64(timeoutNanoseconds / 1_000_000_000)
                timeout.pointee.tv_nsec = Int64(timeoutNanoseconds % 1_000_000_000)
                argument.ts = UInt64(UInt(bitPattern: timeout))
            }
            return apus_enter(
                ring, count, minimum, enterFlags, &argument, MemoryLayout<apus_getevents_arg>.size)
        }
        checkEnter(result)
    }

    /// ETIME and EINTR are ordinary; EAGAIN and EBUSY say that completions must be taken first.
    private func checkEnter(_ result: Int32) {
        precondition(
            result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN
                || result == -EBUSY, "io_uring_enter answered an error of ours")
    }

    public var hasPending: Bool {
        apus_cq_tail(ring) != apus_cq_head(ring)
            || apus_sq_flags(ring) & (UInt32(IORING_SQ_TASKRUN) | UInt32(IORING_SQ_CQ_OVERFLOW))
                != 0
    }

    public mutating func takeCompletions(
        into batch: UnsafeMutableBufferPointer<Completion>
    ) -> Int {
        let head = apus_cq_head(ring)
        let count = min(Int(apus_cq_tail(ring) &- head), batch.count)
        for offset in 0..<count {
            let entry = apus_cqe_at(ring, head &+ UInt32(truncatingIfNeeded: offset))!
            batch[offset] = Completion(
                token: Token(rawValue: entry.pointee.user_data), result: entry.pointee.res,
                flags: entry.pointee.flags)
        }
        apus_cq_set_head(ring, head &+ UInt32(truncatingIfNeeded: count))
        return count
    }

    // MARK: - Provided buffers

    public mutating func registerBufferGroup(_ group: BufferGroup, entries: UInt32) -> Int32 {
        precondition(Int(group) < Self.groupsMax && entries.nonzeroBitCount == 1)
        return (groups + Int(group)).pointee.register(group, entries: entries, with: ring)
    }

    public mutating func provideBuffer(
        _ id: UInt16, at address: UnsafeMutableRawPointer, length: UInt32, group: BufferGroup
    ) {
        (groups + Int(group)).pointee.provide(id, at: address, length: length)
    }

    public mutating func publishBuffers(group: BufferGroup) {
        groups[Int(group)].publish()
    }
}

/// A ring of buffers that the kernel may fill (`io_uring_register_buf_ring(3)`). Trivial, because
/// it stands in a table of `IOUring`, which unmaps it.
struct ProvidedBuffers {
    private var entries: UnsafeMutablePointer<io_uring_buf_ring>?
    private var mask: UInt16 = 0
    private var tail: UInt16 = 0
    private var bytesMapped = 0

    mutating func register(
        _ group: BufferGroup, entries count: UInt32, with ring: UnsafeMutablePointer<io_uring>
    ) -> Int32 {
        precondition(entries == nil && count <= 32_768)
        let bytes = Int(count) * MemoryLayout<io_uring_buf>.size
        guard let memory = apus_map(bytes) else { return -ENOMEM }
        var registration = io_uring_buf_reg()
        registration.ring_addr = UInt64(UInt(bitPattern: memory))
        registration.ring_entries = count
        registration.bgid = group
        let result = io_uring_register_buf_ring(ring, &registration, 0)
        guard result == 0 else {
            apus_unmap(memory, bytes)
            return result
        }
        entries = memory.assumingMemoryBound(to: io_uring_buf_ring.self)
        mask = UInt16(truncatingIfNeeded: count - 1)
        bytesMapped = bytes
        return 0
    }

    @inline(__always)
    mutating func provide(_ id: UInt16, at address: UnsafeMutableRawPointer, length: UInt32) {
        apus_buf_ring_set(entries, UInt32(tail & mask), address, length, id)
        tail &+= 1
    }

    @inline(__always)
    func publish() {
        apus_buf_ring_publish(entries, tail)
    }

    func unmap() {
        if let entries { apus_unmap(entries, bytesMapped) }
    }
}
