import Primitives
import Testing

@testable import Wire

@Suite("PROXY protocol, sent")
struct ProxyHeaderWriterTests {
    private func written(
        _ version: ProxyHeader.Version, _ source: ProxyEndpoint, _ destination: ProxyEndpoint,
        command: ProxyHeader.Command = .proxy, transport: ProxyHeader.Transport = .stream,
        hasChecksum: Bool = false
    ) -> [UInt8] {
        Array(unsafeUninitializedCapacity: ProxyHeaderWriter.bytesMax) { buffer, count in
            count = ProxyHeaderWriter(version: version, hasChecksum: hasChecksum).write(
                command: command, transport: transport, source: source, destination: destination,
                into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    private func rewritten(
        _ header: ProxyHeader, received: [UInt8], hasChecksum: Bool = false,
        version: ProxyHeader.Version = .v2, capacity: Int? = nil
    ) -> [UInt8]? {
        let capacity = capacity ?? ProxyHeaderWriter.bytesMax(tlvBytes: header.tlvs.count)
        var buffer = [UInt8](repeating: 0xee, count: capacity)
        let count = buffer.withUnsafeMutableBytes {
            ProxyHeaderWriter(version: version, hasChecksum: hasChecksum).write(
                header, received: received.span.bytes, into: $0)
        }
        return count.map { Array(buffer[..<$0]) }
    }

    private static let lines: [(source: ProxyEndpoint, destination: ProxyEndpoint, line: String)] =
        [
            (
                .ip("192.0.2.1", 4660), .ip("198.51.100.2", 443),
                "TCP4 192.0.2.1 198.51.100.2 4660 443"
            ),
            (
                .ip("0.0.0.0", 0), .ip("255.255.255.255", 65535),
                "TCP4 0.0.0.0 255.255.255.255 0 65535"
            ),
            (.ip("2001:db8::1", 1), .ip("::", 2), "TCP6 2001:db8::1 :: 1 2"),
            (.ip("192.0.2.1", 1), .ip("::1", 2), "TCP6 ::ffff:c000:201 ::1 1 2"),
            (.ip("::1", 1), .ip("192.0.2.1", 2), "TCP6 ::1 ::ffff:c000:201 1 2"),
            (.ip("::1", 1), .unspecified, "UNKNOWN"),
            (.unix, .unix, "UNKNOWN"),
            (.unix, .ip("::1", 1), "UNKNOWN"),
        ]

    @Test("version 1 is the line of the specification", arguments: lines.indices)
    func line(index: Int) {
        let (source, destination, line) = Self.lines[index]
        #expect(
            String(decoding: written(.v1, source, destination), as: UTF8.self)
                == "PROXY \(line)\r\n")
    }

    @Test("the text form cannot say datagrams or LOCAL")
    func unknownLines() {
        let (source, destination) = (ProxyEndpoint.ip("::1", 1), ProxyEndpoint.ip("::1", 2))
        let unknown = Array("PROXY UNKNOWN\r\n".utf8)
        #expect(written(.v1, source, destination, transport: .datagram) == unknown)
        #expect(written(.v1, source, destination, command: .local) == unknown)
    }

    @Test("the longest line has its 104 bytes")
    func longestLine() {
        let widest = ProxyEndpoint.ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535)
        #expect(written(.v1, widest, widest).count == 104)
    }

    @Test("IPv6 addresses are spelled as inet_ntop(3) spells them")
    func spelling() {
        var random = SeededRandom(seed: 11)
        for _ in 0..<50_000 {
            // Whole groups are blanked, so that runs of zeros of every length and place are met.
            var address = UInt128(random.next()) << 64 | UInt128(random.next())
            let mask = random.next()
            for group in 0..<8 where mask >> UInt64(group) & 1 == 0 {
                address &= ~(UInt128(0xffff) << UInt128(16 * group))
            }
            let ip = IPAddress(
                v6High: UInt64(truncatingIfNeeded: address >> 64),
                low: UInt64(truncatingIfNeeded: address))
            // glibc spells these with dots (RFC 4291 §2.5.5), which a PROXY line does not know.
            if ip.high == 0, ip.low >> 16 & 0xffff_0000_ffff == ip.low >> 16, ip.low > 0xffff {
                continue
            }
            if ip.unmapped.isIPv4 { continue }
            let line = written(.v1, .ip(ip, port: 1), .ip(.loopbackIPv6, port: 2))
            #expect(String(decoding: line, as: UTF8.self) == "PROXY TCP6 \(ip) ::1 1 2\r\n")
        }
    }

    @Test("version 2 has the bytes of the specification")
    func binary() {
        #expect(
            written(.v2, .ip("192.0.2.1", 4660), .ip("198.51.100.2", 443))
                == HeaderBytes.v2(kind: 0x11, body: HeaderBytes.ipv4))
        #expect(
            written(.v2, .ip("2001:db8::1", 4660), .ip("2001:db8::2", 443), transport: .datagram)
                == HeaderBytes.v2(kind: 0x22, body: HeaderBytes.ipv6))
        #expect(
            written(.v2, .unix, .unix)
                == HeaderBytes.v2(kind: 0x31, body: HeaderBytes.unix("", "")))
        #expect(written(.v2, .unspecified, .unspecified) == HeaderBytes.v2(kind: 0, body: []))
        #expect(written(.v2, .unspecified, .ip("::1", 1)) == HeaderBytes.v2(kind: 0, body: []))
        #expect(
            written(.v2, .ip("::1", 1), .ip("::1", 1), command: .local, hasChecksum: true)
                == HeaderBytes.v2(versionAndCommand: 0x20, kind: 0, body: []))
    }

    @Test("an IPv4 and an IPv6 address go together as IPv6, the first one mapped")
    func mixed() {
        let bytes = written(.v2, .ip("192.0.2.1", 1), .ip("2001:db8::2", 2))
        #expect(bytes[13] == 0x21)
        #expect(Array(bytes[16..<32]) == Array(repeating: 0, count: 10) + [255, 255, 192, 0, 2, 1])
        #expect(ProxyHeaderParser.ordinary.parse(bytes).header?.source == .ip("192.0.2.1", 1))
    }

    @Test("the checksum, when asked for, is the last TLV and is right")
    func checksum() throws {
        for (source, destination) in [
            (ProxyEndpoint.ip("192.0.2.1", 1), ProxyEndpoint.ip("192.0.2.2", 2)),
            (.unix, .unix), (.unspecified, .unspecified),
        ] {
            let bytes = written(.v2, source, destination, hasChecksum: true)
            // The parser refuses a wrong one, as its own tests show.
            let header = try #require(ProxyHeaderParser.ordinary.parse(bytes).header)
            #expect(tlvs(of: header, in: bytes).map(\.type) == [ProxyTLV.crc32c])
        }
        #expect(written(.v2, .unix, .unix, hasChecksum: true).count == ProxyHeaderWriter.bytesMax)
    }

    @Test("received TLVs are handed on without padding and without the old checksum")
    func handedOn() throws {
        let kept = HeaderBytes.tlv(0x02, Array("example.org".utf8)) + HeaderBytes.tlv(0xe0, [1])
        let received = rewritten(
            ProxyHeader(
                version: .v2, source: .ip("192.0.2.1", 1), destination: .ip("192.0.2.2", 2),
                tlvs: 0..<kept.count + 5),
            received: kept + HeaderBytes.tlv(0x04, [0, 0]), hasChecksum: true)
        let bytes = try #require(received)
        let header = try #require(ProxyHeaderParser.ordinary.parse(bytes).header)
        #expect(tlvs(of: header, in: bytes).map(\.type) == [0x02, 0xe0, 0x03])

        let again = try #require(rewritten(header, received: bytes))
        let reread = try #require(ProxyHeaderParser.ordinary.parse(again).header)
        #expect(tlvs(of: reread, in: again).map(\.type) == [0x02, 0xe0])
        #expect(Array(again[reread.tlvs]) == kept)

        let line = try #require(rewritten(header, received: bytes, version: .v1))
        #expect(String(decoding: line, as: UTF8.self) == "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")
    }

    @Test("TLVs that do not fit into the buffer or the length field are told, not cut")
    func doesNotFit() {
        let tlv = HeaderBytes.tlv(0xe0, Array(repeating: 1, count: 100))
        let header = ProxyHeader(version: .v2, tlvs: 0..<tlv.count)
        let least = ProxyHeaderWriter.bytesMax(tlvBytes: tlv.count)
        #expect(rewritten(header, received: tlv, capacity: least) != nil)
        #expect(rewritten(header, received: tlv, capacity: least - 1) == nil)

        let huge = HeaderBytes.tlv(0xe0, Array(repeating: 1, count: 65_400))
        #expect(
            rewritten(ProxyHeader(version: .v2, tlvs: 0..<huge.count), received: huge) == nil)
    }

    private func endpoint(_ random: inout SeededRandom, _ kind: Int) -> ProxyEndpoint {
        switch kind {
        case 0:
            .ip(
                IPAddress(v4: UInt32(truncatingIfNeeded: random.next())),
                port: .random(in: 0...65535, using: &random))
        case 1:
            .ip(
                IPAddress(v6High: random.next(), low: random.next()),
                port: .random(in: 0...65535, using: &random))
        case 2: .unix
        default: .unspecified
        }
    }

    @Test(
        "what is written is read back the same, for any addresses",
        arguments: [1, 2, 3] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<5_000 {
            let source = endpoint(&random, .random(in: 0...3, using: &random))
            let destination = endpoint(&random, .random(in: 0...3, using: &random))
            let transport: ProxyHeader.Transport = Bool.random(using: &random) ? .stream : .datagram
            let version: ProxyHeader.Version = Bool.random(using: &random) ? .v1 : .v2
            let bytes = written(
                version, source, destination, transport: transport,
                hasChecksum: .random(using: &random))
            let verdict = ProxyHeaderParser.ordinary.parse(bytes)
            #expect(verdict.length == bytes.count)
            let header = try #require(verdict.header, "seed \(seed)")
            let family = ProxyHeader(
                version: version, transport: transport, source: source, destination: destination
            ).family
            let isTold: Bool
            switch family {
            case .unspecified: isTold = false
            case .ipv4, .ipv6: isTold = version == .v2 || transport == .stream
            case .unix: isTold = version == .v2
            }
            #expect(header.version == version && header.command == .proxy)
            #expect(header.source == (isTold ? source : .unspecified))
            #expect(header.destination == (isTold ? destination : .unspecified))
            #expect(header.transport == (isTold ? transport : .unspecified))
        }
    }
}
