import CLinux
import Primitives

/// What `receiveMessages` leaves in a buffer: a head of four words, the sender's name, control
/// messages and the payload, the first two in as much room as the operation's header asked for
/// (`struct io_uring_recvmsg_out`, `io_uring_prep_recvmsg_multishot(3)`). Points into the buffer.
public struct DatagramRecord {
    public static let headBytes = 16

    public let name: UnsafeRawBufferPointer
    public let control: UnsafeRawBufferPointer
    public let payload: UnsafeRawBufferPointer
    /// The datagram was longer than the buffer (MSG_TRUNC).
    public let isTruncated: Bool

    /// - Parameters:
    ///   - count: the completion's result.
    ///   - nameBytes: `msg_namelen` of the operation's header.
    ///   - controlBytes: its `msg_controllen`.
    @inline(__always)
    public init(_ buffer: UnsafeRawPointer, count: Int, nameBytes: Int, controlBytes: Int) {
        let start = Self.headBytes + nameBytes + controlBytes
        precondition(count >= start, "the kernel leaves the whole head")
        let nameLength = Int(buffer.load(fromByteOffset: 0, as: UInt32.self))
        let controlLength = Int(buffer.load(fromByteOffset: 4, as: UInt32.self))
        let flags = buffer.load(fromByteOffset: 12, as: UInt32.self)
        name = UnsafeRawBufferPointer(
            start: buffer + Self.headBytes, count: min(nameLength, nameBytes))
        control = UnsafeRawBufferPointer(
            start: buffer + Self.headBytes + nameBytes, count: min(controlLength, controlBytes))
        payload = UnsafeRawBufferPointer(start: buffer + start, count: count - start)
        isTruncated = flags & UInt32(MSG_TRUNC) != 0
    }

    /// The control messages that matter here.
    public struct Control {
        /// Bytes of each datagram that the kernel put together (UDP_GRO); nil = one datagram.
        public var segmentBytes: Int?
        /// The address that the datagram was sent to (IP_PKTINFO, IPV6_PKTINFO).
        public var local: IPAddress?

        public init() {}
    }

    /// Reads the control messages (`cmsg(3)`).
    public func readControl() -> Control {
        var result = Control()
        var offset = 0
        let headBytes = MemoryLayout<cmsghdr>.size
        while offset + headBytes <= control.count {
            let head = control.loadUnaligned(fromByteOffset: offset, as: cmsghdr.self)
            let length = Int(head.cmsg_len)
            guard length >= headBytes, offset + length <= control.count else { break }
            let data = UnsafeRawBufferPointer(
                rebasing: control[(offset + headBytes)..<(offset + length)])
            read(head, data, into: &result)
            offset += (length + 7) & ~7
        }
        return result
    }

    private func read(
        _ head: cmsghdr, _ data: UnsafeRawBufferPointer, into result: inout Control
    ) {
        switch (head.cmsg_level, head.cmsg_type) {
        case (Int32(IPPROTO_UDP), UDP_GRO) where data.count >= 4:
            result.segmentBytes = Int(data.loadUnaligned(as: Int32.self))
        case (Int32(IPPROTO_IP), IP_PKTINFO) where data.count >= MemoryLayout<in_pktinfo>.size:
            let info = data.loadUnaligned(as: in_pktinfo.self)
            result.local = IPAddress(v4: UInt32(bigEndian: info.ipi_addr.s_addr))
        case (Int32(IPPROTO_IPV6), IPV6_PKTINFO) where data.count >= MemoryLayout<in6_pktinfo>.size:
            let high = data.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
            let low = data.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            result.local = IPAddress(v6High: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
        default:
            break
        }
    }
}
