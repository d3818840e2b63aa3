import CLinux
import Kernel
import Primitives

/// One datagram, or several of one size that are carried together (`UDP_GRO`).
struct Datagram {
    var bytes: [UInt8]
    var source: SocketAddress
    var segmentSize: Int?

    /// The datagrams that it stands for.
    var segments: [[UInt8]] {
        guard let segmentSize, segmentSize > 0, bytes.count > segmentSize else { return [bytes] }
        return stride(from: 0, to: bytes.count, by: segmentSize).map {
            Array(bytes[$0..<min($0 + segmentSize, bytes.count)])
        }
    }
}

/// A UDP socket of the worker: bound, for a listener, or connected, for a flow's upstream side.
/// Stands in the descriptor table.
final class DatagramSocket: SimulatedFile {
    let family: Int32
    var localAddress: SocketAddress?
    var peerAddress: SocketAddress?
    private var queue: [Datagram] = []
    private var bytesQueued = 0
    private var bytesQueuedMax = 212_992
    private var pendingError: Int32 = 0
    private var takesMerged = false
    private var sendBlockedUntil: UInt64 = 0

    static let payloadMax = 65_507
    static let segmentsMax = 64

    init(kernel: SimulatedKernel, family: Int32) {
        self.family = family
        super.init(kernel: kernel, name: "UDP socket")
    }

    override var readiness: Int32 {
        var events: Int32 = kernel.clock >= sendBlockedUntil ? POLLOUT : 0
        if !queue.isEmpty { events |= POLLIN }
        if pendingError != 0 { events |= POLLERR | POLLIN | POLLOUT }
        return events
    }

    override var bytesReadable: Int { bytesQueued }

    // MARK: - Arrival

    func arrive(_ datagram: Datagram) {
        if datagram.segmentSize != nil, !takesMerged {
            for segment in datagram.segments {
                arrive(Datagram(bytes: segment, source: datagram.source))
            }
            return
        }
        // Each datagram is charged for its buffer too; a full queue drops it (`udp(7)`).
        guard bytesQueued + datagram.bytes.count + 512 <= bytesQueuedMax else {
            kernel.datagramsDropped += datagram.segments.count
            return
        }
        bytesQueued += datagram.bytes.count + 512
        queue.append(datagram)
        notify()
    }

    /// An ICMP error about something that was sent (`udp(7)`: told once to a connected socket).
    func fail(_ error: Int32) {
        guard peerAddress != nil else { return }
        pendingError = error
        notify()
    }

    private func takeError() -> Int32? {
        defer { pendingError = 0 }
        return pendingError == 0 ? nil : pendingError
    }

    private func take() -> Datagram {
        let datagram = queue.removeFirst()
        bytesQueued -= datagram.bytes.count + 512
        return datagram
    }

    override func receive(into target: UnsafeMutableRawPointer, capacity: Int) -> Int {
        if let error = takeError() { return Int(-error) }
        guard !queue.isEmpty else { return Int(-EAGAIN) }
        let datagram = take()
        let count = min(datagram.bytes.count, capacity)
        datagram.bytes.withUnsafeBytes {
            if count > 0 { target.copyMemory(from: $0.baseAddress!, byteCount: count) }
        }
        return count
    }

    /// Fills a buffer as `io_recvmsg_multishot` does: the record's head, room for the name, room
    /// for control messages, then the payload.
    /// - Returns: the bytes of the record, or -errno; and whether the operation ends, which it also
    ///   does after an empty datagram.
    func receiveMessage(
        into target: UnsafeMutableRawPointer, capacity: Int, header: msghdr
    ) -> (result: Int, ends: Bool) {
        if let error = takeError() { return (Int(-error), true) }
        guard !queue.isEmpty else { return (Int(-EAGAIN), false) }
        let nameRoom = Int(header.msg_namelen)
        let controlRoom = Int(header.msg_controllen)
        let headBytes = 16
        let payloadStart = headBytes + nameRoom + controlRoom
        guard capacity >= payloadStart else { return (Int(-EFAULT), true) }
        let datagram = take()
        var name = datagram.source.raw(family: family)
        let nameLength = Int(name.length)
        withUnsafeBytes(of: &name.storage) {
            (target + headBytes).copyMemory(
                from: $0.baseAddress!, byteCount: min(nameLength, nameRoom))
        }
        let controlLength = writeControl(
            datagram, at: target + headBytes + nameRoom, room: controlRoom)
        let count = min(datagram.bytes.count, capacity - payloadStart)
        datagram.bytes.withUnsafeBytes {
            if count > 0 {
                (target + payloadStart).copyMemory(from: $0.baseAddress!, byteCount: count)
            }
        }
        let isTruncated = count < datagram.bytes.count
        let head: [UInt32] = [
            UInt32(nameLength), UInt32(controlLength), UInt32(count),
            isTruncated ? UInt32(MSG_TRUNC) : 0,
        ]
        head.withUnsafeBytes { target.copyMemory(from: $0.baseAddress!, byteCount: headBytes) }
        return (payloadStart + count, datagram.bytes.isEmpty)
    }

    private func writeControl(
        _ datagram: Datagram, at target: UnsafeMutableRawPointer, room: Int
    ) -> Int {
        let bytes = apus_cmsg_space(MemoryLayout<Int32>.size)
        guard let size = datagram.segmentSize, room >= bytes else { return 0 }
        let control = target.bindMemory(to: cmsghdr.self, capacity: 1)
        control.pointee.cmsg_len = apus_cmsg_length(MemoryLayout<Int32>.size)
        control.pointee.cmsg_level = SOL_UDP
        control.pointee.cmsg_type = UDP_GRO
        apus_cmsg_data(control).storeBytes(of: Int32(size), as: Int32.self)
        return bytes
    }

    // MARK: - Sending

    override func send(_ message: OutgoingMessage) -> Int {
        if let error = takeError() { return Int(-error) }
        guard let destination = message.destination ?? peerAddress else {
            return Int(-EDESTADDRREQ)
        }
        let count = message.count
        if count > Self.payloadMax { return Int(-EMSGSIZE) }
        if let size = message.segmentSize {
            if size == 0 || count > size * Self.segmentsMax { return Int(-EINVAL) }
            if kernel.chance(kernel.faults.segmentationRefused) {
                return Int(kernel.random(0...1) == 0 ? -EIO : -EINVAL)
            }
        }
        if kernel.clock < sendBlockedUntil { return Int(-EAGAIN) }
        if kernel.chance(kernel.faults.sendWouldBlock) {
            let delay = UInt64(kernel.random(1_000...100_000))
            sendBlockedUntil = kernel.clock + delay
            kernel.after(delay) { [self] in notify() }
            return Int(-EAGAIN)
        }
        kernel.datagramSendsCount += 1
        let bytes = message.vectors.reduce(into: [UInt8]()) { $0.append(contentsOf: $1) }
        let source = kernel.bindSource(of: self)
        kernel.carryOut(
            Datagram(bytes: bytes, source: source, segmentSize: message.segmentSize),
            to: destination, sender: self)
        return count
    }

    override func setOption(level: Int32, name: Int32, value: UnsafeRawBufferPointer) -> Int32 {
        if level == SOL_UDP, name == UDP_GRO {
            if kernel.chance(kernel.faults.optionRefused) { return -ENOPROTOOPT }
            takesMerged = value.loadUnaligned(as: Int32.self) != 0
        }
        if level == SOL_SOCKET, name == SO_RCVBUF {
            bytesQueuedMax = min(Int(value.loadUnaligned(as: Int32.self)), 212_992) * 2
        }
        return 0
    }

    override func release() {
        kernel.forget(self)
    }
}

/// A UDP client or server outside, with an address of its own. Owned by the test.
public final class DatagramPeer {
    public let address: SocketAddress
    unowned let kernel: SimulatedKernel
    public private(set) var datagramsReceived = 0
    /// Called with each datagram that arrives and where it came from.
    public var onDatagram: ((_ bytes: [UInt8], _ source: SocketAddress) -> Void)?
    /// Called when nobody listened where a datagram went.
    public var onRefused: (() -> Void)?

    init(kernel: SimulatedKernel, address: SocketAddress) {
        self.kernel = kernel
        self.address = address
    }

    /// - Parameter segmentSize: the bytes are several datagrams of this size, the last perhaps
    ///   smaller, which may arrive together where the receiver asked for it.
    public func send(_ bytes: [UInt8], to destination: SocketAddress, segmentSize: Int? = nil) {
        let datagram = Datagram(bytes: bytes, source: address, segmentSize: segmentSize)
        kernel.carryIn(datagram, to: destination, sender: self)
    }

    func arrive(_ datagram: Datagram) {
        for segment in datagram.segments {
            datagramsReceived += 1
            onDatagram?(segment, datagram.source)
        }
    }
}
