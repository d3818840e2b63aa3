import Primitives
import Testing
import Wire

@Suite("PROXY protocol version 2, received")
struct ProxyBinaryTests {
    private let parser = ProxyHeaderParser.ordinary

    private struct Sample: Sendable {
        let bytes: [UInt8]
        let header: ProxyHeader
    }

    private static func sample(
        _ kind: UInt8, _ addresses: [UInt8], _ transport: ProxyHeader.Transport,
        _ source: ProxyEndpoint, _ destination: ProxyEndpoint, tlvs: [UInt8] = []
    ) -> Sample {
        Sample(
            bytes: HeaderBytes.v2(kind: kind, body: addresses + tlvs),
            header: ProxyHeader(
                version: .v2, transport: transport, source: source, destination: destination,
                tlvs: 16 + addresses.count..<16 + addresses.count + tlvs.count))
    }

    private static let twoTLVs =
        HeaderBytes.tlv(0x02, Array("example.org".utf8)) + HeaderBytes.tlv(0x04, [])
    private static let v4 = (
        ProxyEndpoint.ip("192.0.2.1", 4660), ProxyEndpoint.ip("198.51.100.2", 443)
    )
    private static let v6 = (
        ProxyEndpoint.ip("2001:db8::1", 4660), ProxyEndpoint.ip("2001:db8::2", 443)
    )
    private static let unixPaths = HeaderBytes.unix("/run/a", "/run/b")

    private static let samples: [Sample] = [
        sample(0x11, HeaderBytes.ipv4, .stream, v4.0, v4.1),
        sample(0x12, HeaderBytes.ipv4, .datagram, v4.0, v4.1, tlvs: twoTLVs),
        sample(0x21, HeaderBytes.ipv6, .stream, v6.0, v6.1),
        sample(0x22, HeaderBytes.ipv6, .datagram, v6.0, v6.1, tlvs: twoTLVs),
        sample(0x31, unixPaths, .stream, .unix, .unix),
        sample(0x32, unixPaths, .datagram, .unix, .unix, tlvs: twoTLVs),
        sample(0x00, [], .unspecified, .unspecified, .unspecified),
        sample(0x00, [], .unspecified, .unspecified, .unspecified, tlvs: twoTLVs),
    ]

    @Test("every family and transport is understood", arguments: samples.indices)
    func accepted(index: Int) {
        let sample = Self.samples[index]
        #expect(
            parser.parse(sample.bytes + [0x16, 0x03])
                == .match(sample.header, length: sample.bytes.count))
    }

    @Test("a header cut anywhere needs more", arguments: samples.indices)
    func split(index: Int) {
        let bytes = Self.samples[index].bytes
        for count in 0..<bytes.count {
            #expect(parser.parse(Array(bytes[..<count])) == .needMore, "\(count) bytes")
        }
    }

    @Test("an IPv4-mapped address is given as IPv4")
    func unmapped() {
        let address = Array(repeating: UInt8(0), count: 10) + [0xff, 0xff, 192, 0, 2, 1]
        let verdict = parser.parse(
            HeaderBytes.v2(kind: 0x21, body: address + address + [0, 1, 0, 2]))
        #expect(verdict.header?.source == .ip("192.0.2.1", 1))
        #expect(verdict.header?.destination == .ip("192.0.2.1", 2))
    }

    @Test("a LOCAL header is skipped, whatever its family and body are")
    func local() {
        for kind in UInt8.min...UInt8.max {
            for body in [[], [1, 2, 3], HeaderBytes.ipv4, HeaderBytes.tlv(0x03, [1, 2, 3, 4])] {
                let bytes = HeaderBytes.v2(versionAndCommand: 0x20, kind: kind, body: body)
                let header = ProxyHeader(version: .v2, command: .local, transport: .unspecified)
                #expect(parser.parse(bytes) == .match(header, length: bytes.count))
            }
        }
    }

    @Test("the paths of Unix sockets stand where the header says")
    func unixPathRanges() {
        let bytes = HeaderBytes.v2(kind: 0x31, body: Self.unixPaths)
        #expect(bytes[ProxyHeader.unixSourcePath].prefix(7) == ArraySlice(Array("/run/a\0".utf8)))
        #expect(
            bytes[ProxyHeader.unixDestinationPath].prefix(7) == ArraySlice(Array("/run/b\0".utf8)))
        #expect(bytes.count == ProxyHeader.unixDestinationPath.upperBound)
    }

    @Test("any version but 2 and any command but LOCAL and PROXY is refused at the 13th byte")
    func versionsAndCommands() {
        for byte in UInt8.min...UInt8.max {
            let verdict = parser.parse(HeaderBytes.signature + [byte])
            switch (byte >> 4, byte & 0xf) {
            case (2, 0), (2, 1): #expect(verdict == .needMore)
            case (2, _): #expect(verdict == .malformed(.unknownCommand))
            default: #expect(verdict == .malformed(.unknownVersion))
            }
        }
    }

    @Test(
        "any family and transport that the specification does not list is refused at the 14th byte")
    func kinds() {
        for byte in UInt8.min...UInt8.max {
            let verdict = parser.parse(HeaderBytes.signature + [0x21, byte])
            switch (byte >> 4, byte & 0xf) {
            case (0, 0), (1...3, 1...2): #expect(verdict == .needMore)
            case (4..., _): #expect(verdict == .malformed(.unknownFamily))
            case (_, 3...): #expect(verdict == .malformed(.unknownTransport))
            default: #expect(verdict == .malformed(.familyWithoutTransport))
            }
        }
    }

    @Test("a length below the family's addresses is refused at the 16th byte")
    func lengths() {
        for (kind, least) in [(UInt8(0x11), 12), (0x22, 36), (0x31, 216)] {
            for length in 0...least {
                let head = HeaderBytes.v2(kind: kind, length: length, body: [])
                let expected: ProxyHeaderParser.Verdict =
                    length < least ? .malformed(.addressesTruncated) : .needMore
                #expect(parser.parse(head) == expected, "\(length) for \(kind)")
            }
        }
    }

    @Test("a header over the limit is refused at the 16th byte, one at the limit is taken")
    func limit() {
        let parser = ProxyHeaderParser(bytesMax: 300)
        for command in [UInt8(0x20), 0x21] {
            let over = HeaderBytes.v2(versionAndCommand: command, length: 285, body: [])
            #expect(parser.parse(over) == .malformed(.headerTooLong))
            let most = HeaderBytes.v2(
                versionAndCommand: command,
                body: HeaderBytes.ipv4 + HeaderBytes.tlv(0x04, Array(repeating: 0, count: 269)))
            #expect(most.count == 300)
            #expect(parser.parse(most).length == 300)
        }
    }

    @Test("the TLVs are walked in order")
    func walk() throws {
        let bytes = HeaderBytes.v2(body: HeaderBytes.ipv4 + Self.twoTLVs)
        let found = tlvs(of: try #require(parser.parse(bytes).header), in: bytes)
        #expect(found.map(\.type) == [0x02, 0x04])
        #expect(found.map(\.value) == [Array("example.org".utf8), []])
    }

    @Test("a TLV that does not end with the header is refused")
    func truncatedTLVs() {
        let whole = HeaderBytes.tlv(0x05, [1, 2, 3]) + HeaderBytes.tlv(0x02, [4, 5])
        for kind in [UInt8(0x11), 0x00] {
            let addresses = kind == 0 ? [] : HeaderBytes.ipv4
            for count in 0...whole.count {
                let verdict = parser.parse(
                    HeaderBytes.v2(kind: kind, body: addresses + whole[..<count]))
                if [0, 6, 11].contains(count) {
                    #expect(verdict.header != nil)
                } else {
                    #expect(verdict == .malformed(.tlvTruncated), "\(count) bytes of TLVs")
                }
            }
        }
    }

    /// The checksum was made by a bitwise program that shares nothing with the code under test.
    private func crc(_ bytes: [UInt8]) -> [UInt8] {
        var remainder = UInt32.max
        for byte in bytes {
            for bit in 0..<8 {
                let isOdd = (remainder ^ UInt32(byte >> UInt8(bit))) & 1 == 1
                remainder = remainder >> 1 ^ (isOdd ? 0x82f6_3b78 : 0)
            }
        }
        return withUnsafeBytes(of: (~remainder).bigEndian, Array.init)
    }

    @Test("a right checksum is taken, and one with any bit of the header changed is refused")
    func checksums() {
        let body =
            HeaderBytes.ipv4 + HeaderBytes.tlv(0x03, [0, 0, 0, 0]) + HeaderBytes.tlv(0x05, [7])
        var bytes = HeaderBytes.v2(body: body)
        bytes.replaceSubrange(31..<35, with: crc(bytes))
        #expect(parser.parse(bytes).length == bytes.count)
        for bit in 8 * 16..<8 * bytes.count {
            var changed = bytes
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            // Bytes 28 to 30 and 35 to 37 are the TLVs' own types and lengths.
            let isStructure = (28...30).contains(bit / 8) || (35...37).contains(bit / 8)
            if !isStructure {
                #expect(parser.parse(changed) == .malformed(.wrongChecksum), "bit \(bit)")
            }
        }
    }

    @Test("a checksum of another size, and a second one, are refused")
    func badChecksums() {
        for count in [0, 3, 5] {
            let tlv = HeaderBytes.tlv(0x03, Array(repeating: 0, count: count))
            #expect(
                parser.parse(HeaderBytes.v2(body: HeaderBytes.ipv4 + tlv))
                    == .malformed(.badChecksumLength))
        }
        let tlv = HeaderBytes.tlv(0x03, [0, 0, 0, 0])
        #expect(
            parser.parse(HeaderBytes.v2(body: HeaderBytes.ipv4 + tlv + tlv))
                == .malformed(.repeatedChecksum))
    }
}
