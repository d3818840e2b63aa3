import CLinux
import Primitives
import Testing

@testable import Kernel

/// Records laid out by hand, as `struct io_uring_recvmsg_out` and `cmsg(3)` say.
struct DatagramRecordTests {
    private static func words(_ values: UInt32...) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value) { Array($0) } }
    }

    /// One control message: its length in 8 bytes, level, type, data, and padding to 8 bytes.
    private static func message(_ level: Int32, _ type: Int32, _ data: [UInt8]) -> [UInt8] {
        let length = withUnsafeBytes(of: UInt64(16 + data.count)) { Array($0) }
        let padding = [UInt8](repeating: 0, count: (8 - data.count % 8) % 8)
        return length + words(UInt32(bitPattern: level), UInt32(bitPattern: type)) + data + padding
    }

    /// What a record with this control data says, when there is room for `controlBytes` of it.
    private static func control(
        _ bytes: [UInt8], controlBytes: Int? = nil
    ) -> DatagramRecord.Control {
        let room = controlBytes ?? bytes.count
        let record = words(0, UInt32(bytes.count), 0, 0) + bytes.prefix(room)
        return record.withUnsafeBytes { raw in
            DatagramRecord(
                raw.baseAddress!, count: raw.count, nameBytes: 0, controlBytes: room
            ).readControl()
        }
    }

    private static let gro = message(Int32(IPPROTO_UDP), UDP_GRO, words(1200))
    private static let v4 = message(
        Int32(IPPROTO_IP), IP_PKTINFO, words(1) + [127, 0, 0, 9] + [127, 0, 0, 2])
    private static let v6 = message(
        Int32(IPPROTO_IPV6), IPV6_PKTINFO,
        [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [7] + words(1))

    @Test("name, control and payload stand behind the head, in the room asked for")
    func layout() {
        var record = Self.words(4, 8, 3, 0)
        record += [1, 2, 3, 4, 0, 0, 0, 0]
        record += [9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0]
        record += [5, 6, 7]
        record.withUnsafeBytes { raw in
            let parsed = DatagramRecord(
                raw.baseAddress!, count: raw.count, nameBytes: 8, controlBytes: 16)
            #expect(Array(parsed.name) == [1, 2, 3, 4])
            #expect(Array(parsed.control) == [UInt8](repeating: 9, count: 8))
            #expect(Array(parsed.payload) == [5, 6, 7])
            #expect(!parsed.isTruncated)
        }
    }

    @Test("lengths larger than the room, and the flag of a cut datagram, are understood")
    func truncation() {
        let record = Self.words(110, 500, 9000, UInt32(MSG_TRUNC)) + [1, 2, 3, 4, 5, 6, 7, 8]
        record.withUnsafeBytes { raw in
            let parsed = DatagramRecord(
                raw.baseAddress!, count: raw.count, nameBytes: 4, controlBytes: 4)
            #expect(Array(parsed.name) == [1, 2, 3, 4])
            #expect(Array(parsed.control) == [5, 6, 7, 8])
            #expect(parsed.payload.isEmpty)
            #expect(parsed.isTruncated)
        }
    }

    @Test("a record shorter than its own head traps")
    func tooShort() async {
        await #expect(processExitsWith: .failure) {
            let bytes = [UInt8](repeating: 0, count: 32)
            bytes.withUnsafeBytes { raw in
                _ = DatagramRecord(raw.baseAddress!, count: 31, nameBytes: 8, controlBytes: 8)
            }
        }
    }

    @Test("segment size and local address are found, whatever stands before them")
    func control() {
        #expect(Self.control(Self.gro).segmentBytes == 1200)
        #expect(Self.control(Self.gro).local == nil)
        #expect(Self.control(Self.v4).local == IPAddress("127.0.0.2"), "where it was sent to")
        #expect(Self.control(Self.v6).local == IPAddress("2001:db8::7"))
        let stranger = Self.message(Int32(SOL_SOCKET), 77, [1, 2, 3])
        let all = Self.control(stranger + Self.v4 + Self.gro)
        #expect(all.segmentBytes == 1200 && all.local == IPAddress("127.0.0.2"))
        #expect(Self.control([]).segmentBytes == nil)
    }

    @Test("control data cut anywhere yields whole messages only, and never reads past its end")
    func cutControl() {
        let bytes = Self.gro + Self.v6
        for room in 0...bytes.count {
            let control = Self.control(bytes, controlBytes: room)
            // A message counts without its padding.
            #expect((control.segmentBytes != nil) == (room >= 20), "room for \(room)")
            #expect((control.local != nil) == (room >= 24 + 36), "room for \(room)")
        }
    }

    @Test("a message with less data than its type has is not believed")
    func shortMessages() {
        let half = Self.message(Int32(IPPROTO_UDP), UDP_GRO, [1, 2])
        #expect(Self.control(half).segmentBytes == nil)
        let short = [UInt8](repeating: 1, count: 11)
        #expect(Self.control(Self.message(Int32(IPPROTO_IP), IP_PKTINFO, short)).local == nil)
        #expect(Self.control(Self.message(Int32(IPPROTO_IPV6), IPV6_PKTINFO, short)).local == nil)
        var lying = Self.gro
        lying[0] = 15
        #expect(Self.control(lying + Self.v4).local == nil, "a head that is too short ends it")
    }

    @Test("what ControlWriter writes is what cmsg(3) reads")
    func written() {
        withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { memory in
            memory.initializeMemory(as: UInt8.self, repeating: 0)
            var writer = ControlWriter(memory.baseAddress!)
            writer.add(Int32(IPPROTO_UDP), UDP_SEGMENT, 0x1234)
            #expect(writer.count == 24)
            writer.addLocal(.loopbackIPv6)
            #expect(writer.count == 24 + 40)
            let bytes = Array(memory[..<writer.count])
            let segment = Self.message(Int32(IPPROTO_UDP), UDP_SEGMENT, [0x34, 0x12])
            #expect(bytes.prefix(18) == segment.prefix(18))
            #expect(Self.control(bytes).local == .loopbackIPv6)
        }
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { memory in
            memory.initializeMemory(as: UInt8.self, repeating: 0)
            var writer = ControlWriter(memory.baseAddress!)
            writer.addLocal(.loopbackIPv4)
            // To send from an address is asked in `ipi_spec_dst`, the second word.
            let wanted = Self.message(
                Int32(IPPROTO_IP), IP_PKTINFO, Self.words(0) + [127, 0, 0, 1] + Self.words(0))
            #expect(Array(memory[..<28]) == Array(wanted[..<28]))
            #expect(writer.count == wanted.count)
        }
    }
}
