import CLinux
import Kernel
import Primitives

/// Sends datagrams back to where they came from, as they came: those that arrived together by
/// generic receive offload leave together by segmentation (`UDP_GRO`, `UDP_SEGMENT`, `udp(7)`).
/// Owned by the backend.
final class DatagramEcho {
    // MARK: Immutable after start
    let socket: Descriptor
    private let header: UnsafeMutablePointer<msghdr>
    private let vector: UnsafeMutablePointer<iovec>
    private let source: UnsafeMutablePointer<sockaddr_storage>
    private let payload: UnsafeMutableRawPointer
    private let control: UnsafeMutableRawPointer

    private static let payloadBytesMax = 65_536
    private static let controlBytesMax = 64

    init(port: UInt16, _ loop: inout Loop) {
        socket = loop.ring.socket(family: AF_INET, type: Int32(SOCK_DGRAM.rawValue))
        header = .allocate(capacity: 1)
        vector = .allocate(capacity: 1)
        source = .allocate(capacity: 1)
        payload = .allocate(byteCount: Self.payloadBytesMax, alignment: 4096)
        control = .allocate(byteCount: Self.controlBytesMax, alignment: 16)
        loop.option(socket, SOL_SOCKET, SO_REUSEADDR, 1)
        // Past net.core.rmem_max; the harness runs as root.
        loop.option(socket, SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        loop.option(socket, Int32(IPPROTO_UDP), UDP_GRO, 1)
        let address = RawSocketAddress(.loopbackIPv4, port: port)
        let result = withUnsafePointer(to: address.storage) {
            apus_bind(socket, $0, address.length)
        }
        guard result == 0 else { fail("port \(port): \(Errno(rawValue: -result))") }
    }

    deinit {
        header.deallocate()
        vector.deallocate()
        source.deallocate()
        payload.deallocate()
        control.deallocate()
    }

    func answer() {
        while true {
            vector.initialize(to: iovec(iov_base: payload, iov_len: Self.payloadBytesMax))
            header.initialize(to: msghdr())
            header.pointee.msg_name = UnsafeMutableRawPointer(source)
            header.pointee.msg_namelen = socklen_t(MemoryLayout<sockaddr_storage>.size)
            header.pointee.msg_iov = vector
            header.pointee.msg_iovlen = 1
            header.pointee.msg_control = control
            header.pointee.msg_controllen = Self.controlBytesMax
            let received = apus_recvmsg(socket, header, Int32(MSG_DONTWAIT))
            if received == -Int(EAGAIN) { return }
            // The refusal of an earlier answer is told once; the next call goes on.
            guard received > 0 else { continue }
            vector.pointee.iov_len = received
            setSegments(receivedSegmentBytes)
            _ = apus_sendmsg(socket, header, Int32(MSG_DONTWAIT))
        }
    }

    private var receivedSegmentBytes: UInt16? {
        guard let message = apus_cmsg_first(header), message.pointee.cmsg_level == SOL_UDP,
            message.pointee.cmsg_type == UDP_GRO
        else { return nil }
        let bytes = apus_cmsg_data(message)!.loadUnaligned(as: Int32.self)
        return UInt16(truncatingIfNeeded: bytes)
    }

    private func setSegments(_ bytes: UInt16?) {
        guard let bytes, Int(bytes) < vector.pointee.iov_len else {
            header.pointee.msg_control = nil
            header.pointee.msg_controllen = 0
            return
        }
        let size = MemoryLayout<UInt16>.size
        header.pointee.msg_controllen = apus_cmsg_space(size)
        guard let message = apus_cmsg_first(header) else { fail("no room for a control message") }
        message.pointee.cmsg_level = SOL_UDP
        message.pointee.cmsg_type = UDP_SEGMENT
        message.pointee.cmsg_len = apus_cmsg_length(size)
        apus_cmsg_data(message)!.storeBytes(of: bytes, as: UInt16.self)
    }
}
