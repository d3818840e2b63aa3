import CLinux
import Primitives
import Testing

@testable import Kernel

/// Datagrams on loopback, as the engine receives and sends them.
struct DatagramTests {
    private static let token = Token(kind: 9, generation: 1, index: 1)
    private static let nameBytes = 28
    private static let controlBytes = 128

    /// Sends bytes with one control message, as several datagrams of `segmentBytes`.
    private static func send(
        _ payload: [UInt8], segmentBytes: UInt16, from ring: inout IOUring, _ socket: Descriptor,
        to address: RawSocketAddress
    ) -> Int {
        var address = address
        var payload = payload
        return withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { control in
            payload.withUnsafeMutableBytes { bytes in
                var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var writer = ControlWriter(control.baseAddress!)
                    writer.add(Int32(IPPROTO_UDP), UDP_SEGMENT, segmentBytes)
                    return withUnsafeMutablePointer(to: &address.storage) { name in
                        var header = msghdr()
                        header.msg_name = UnsafeMutableRawPointer(name)
                        header.msg_namelen = address.length
                        header.msg_iov = vector
                        header.msg_iovlen = 1
                        header.msg_control = control.baseAddress
                        header.msg_controllen = writer.count
                        return ring.sendMessageNow(socket, header: &header)
                    }
                }
            }
        }
    }

    @Test(
        "datagrams sent as segments arrive together, with their size, sender and local address",
        arguments: [IPAddress.loopbackIPv4, .loopbackIPv6])
    func segments(local: IPAddress) throws {
        var bench = try RingBench()
        bench.post(4)
        let (receiver, address) = try Loopback.bound(Loopback.datagram, at: local)
        let (sender, senderAddress) = try Loopback.bound(Loopback.datagram, at: local)
        var header = msghdr()
        header.msg_namelen = UInt32(Self.nameBytes)
        header.msg_controllen = Self.controlBytes
        let options = [
            bench.ring.setOption(receiver, level: Int32(IPPROTO_UDP), name: UDP_GRO, 1),
            local.isIPv4
                ? bench.ring.setOption(receiver, level: Int32(IPPROTO_IP), name: IP_PKTINFO, 1)
                : bench.ring.setOption(
                    receiver, level: Int32(IPPROTO_IPV6), name: IPV6_RECVPKTINFO, 1),
        ]
        #expect(options == [0, 0])
        try withUnsafeMutablePointer(to: &header) { header in
            bench.ring.receiveMessages(
                on: receiver, header: header, group: RingBench.group, token: Self.token)
            let payload = (0..<1750).map { UInt8(truncatingIfNeeded: $0) }
            let sent = Self.send(
                payload, segmentBytes: 500, from: &bench.ring, sender, to: address)
            #expect(sent == payload.count)
            let completion = try bench.next(Self.token)
            #expect(completion.hasMore && completion.hasBuffer)
            let record = DatagramRecord(
                bench.pool.address(completion.bufferID), count: Int(completion.result),
                nameBytes: Self.nameBytes, controlBytes: Self.controlBytes)
            #expect(Array(record.payload) == payload)
            #expect(!record.isTruncated)
            #expect(record.readControl().segmentBytes == 500)
            #expect(record.readControl().local == local)
            var name = RawSocketAddress()
            name.length = UInt32(record.name.count)
            withUnsafeMutableBytes(of: &name.storage) { $0.copyMemory(from: record.name) }
            #expect(name.ip?.address == local && name.ip?.port == senderAddress.ip?.port)
            bench.pool.give(completion.bufferID)
            bench.ring.cancel(Self.token)
            let last = try bench.next(Self.token)
            #expect(last.result == -ECANCELED)
        }
        Loopback.close(receiver, sender)
    }

    @Test("a datagram longer than the buffer is marked as truncated")
    func truncation() throws {
        var bench = try RingBench()
        bench.post(2)
        let (receiver, address) = try Loopback.bound(Loopback.datagram)
        let (sender, _) = try Loopback.bound(Loopback.datagram)
        var header = msghdr()
        header.msg_namelen = UInt32(Self.nameBytes)
        try withUnsafeMutablePointer(to: &header) { header in
            bench.ring.receiveMessages(
                on: receiver, header: header, group: RingBench.group, token: Self.token)
            let payload = [UInt8](repeating: 1, count: 5000)
            var name = address
            let sent = bench.ring.sendTo(
                sender, payload, count: payload.count, name: &name.storage, nameLength: name.length)
            #expect(sent == payload.count)
            let completion = try bench.next(Self.token)
            let record = DatagramRecord(
                bench.pool.address(completion.bufferID), count: Int(completion.result),
                nameBytes: Self.nameBytes, controlBytes: 0)
            #expect(record.isTruncated)
            let roomBytes = bench.pool.size - DatagramRecord.headBytes - Self.nameBytes
            #expect(record.payload.count == roomBytes)
            bench.pool.give(completion.bufferID)
            bench.ring.cancel(Self.token)
            _ = try bench.next(Self.token)
        }
        Loopback.close(receiver, sender)
    }
}
