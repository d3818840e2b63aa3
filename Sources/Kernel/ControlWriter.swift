import CLinux
import Primitives

/// Writes control messages for `sendmsg(2)` one after the other (`cmsg(3)`). The memory is the
/// caller's, 8-byte aligned and large enough.
public struct ControlWriter {
    private let memory: UnsafeMutableRawPointer
    public private(set) var count = 0

    public init(_ memory: UnsafeMutableRawPointer) {
        self.memory = memory
    }

    public mutating func add(_ level: Int32, _ type: Int32, _ value: UInt16) {
        reserve(level, type, bytes: 2).storeBytes(of: value, as: UInt16.self)
    }

    /// The address to send from (`ip(7)` IP_PKTINFO, `ipv6(7)` IPV6_PKTINFO).
    public mutating func addLocal(_ address: IPAddress) {
        if address.isIPv4 {
            var info = in_pktinfo()
            info.ipi_spec_dst.s_addr = address.v4.bigEndian
            let data = reserve(
                Int32(IPPROTO_IP), Int32(IP_PKTINFO), bytes: MemoryLayout<in_pktinfo>.size)
            data.storeBytes(of: info, as: in_pktinfo.self)
        } else {
            // struct in6_pktinfo: the address, then the interface, 0 for any.
            let data = reserve(Int32(IPPROTO_IPV6), Int32(IPV6_PKTINFO), bytes: 20)
            data.storeBytes(of: address.high.bigEndian, as: UInt64.self)
            data.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            data.storeBytes(of: 0, toByteOffset: 16, as: UInt32.self)
        }
    }

    /// Writes the head of `struct cmsghdr`; returns where its data goes.
    private mutating func reserve(
        _ level: Int32, _ type: Int32, bytes: Int
    ) -> UnsafeMutableRawPointer {
        let start = memory + count
        start.storeBytes(of: apus_cmsg_length(bytes), as: Int.self)
        start.storeBytes(of: level, toByteOffset: 8, as: Int32.self)
        start.storeBytes(of: type, toByteOffset: 12, as: Int32.self)
        count += apus_cmsg_space(bytes)
        return start + 16
    }
}
