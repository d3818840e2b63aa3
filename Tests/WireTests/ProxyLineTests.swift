import Primitives
import Testing

@testable import Wire

@Suite("PROXY protocol version 1, received")
struct ProxyLineTests {
    private static let good: [(line: String, source: ProxyEndpoint, destination: ProxyEndpoint)] = [
        (
            "PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n",
            .ip("192.0.2.1", 4660), .ip("198.51.100.2", 443)
        ),
        (
            "PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n",
            .ip("255.255.255.255", 65535), .ip("0.0.0.0", 0)
        ),
        (
            "PROXY TCP6 2001:db8::1 2001:DB8::2 4660 443\r\n",
            .ip("2001:db8::1", 4660), .ip("2001:db8::2", 443)
        ),
        ("PROXY TCP6 :: ::1 1 2\r\n", .ip("::", 1), .ip("::1", 2)),
        ("PROXY TCP6 1:: 1:2:3:4:5:6:7:: 1 2\r\n", .ip("1::", 1), .ip("1:2:3:4:5:6:7:0", 2)),
        ("PROXY TCP6 ::2:3:4:5:6:7:8 0:0::0:0 1 2\r\n", .ip("0:2:3:4:5:6:7:8", 1), .ip("::", 2)),
        (
            "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
                + " 0001:0002:0003:0004:0005:0006:0007:0008 65535 65535\r\n",
            .ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535), .ip("1:2:3:4:5:6:7:8", 65535)
        ),
        (
            "PROXY TCP6 ::ffff:192.0.2.1 64:ff9b::198.51.100.2 1 2\r\n",
            .ip("192.0.2.1", 1), .ip("64:ff9b::c633:6402", 2)
        ),
        (
            "PROXY TCP6 1:2:3:4:5:6:1.2.3.4 ::1 1 2\r\n", .ip("1:2:3:4:5:6:102:304", 1),
            .ip("::1", 2)
        ),
        ("PROXY UNKNOWN\r\n", .unspecified, .unspecified),
        ("PROXY UNKNOWN \r\n", .unspecified, .unspecified),
        ("PROXY UNKNOWN 1.2.3 nonsense  here\r\n", .unspecified, .unspecified),
        (
            "PROXY UNKNOWN " + String(repeating: "f", count: 91) + "\r\n",
            .unspecified, .unspecified
        ),
    ]

    @Test("a line of the specification is understood", arguments: good.indices)
    func accepted(index: Int) {
        let (line, source, destination) = Self.good[index]
        let isKnown = source != .unspecified
        #expect(line.utf8.count <= 107)
        #expect(
            ProxyHeaderParser.ordinary.parse(line + "GET / HTTP/1.1\r\n")
                == .match(
                    ProxyHeader(
                        version: .v1, transport: isKnown ? .stream : .unspecified,
                        source: source, destination: destination),
                    length: line.utf8.count),
            "\(line)")
    }

    @Test("a line cut anywhere needs more", arguments: good.indices)
    func split(index: Int) {
        let line = Array(Self.good[index].line.utf8)
        for count in 0..<line.count {
            #expect(ProxyHeaderParser.ordinary.parse(Array(line[..<count])) == .needMore)
        }
    }

    private static let bad: [(line: String, fault: ProxyFault)] = [
        ("PROXY TCP9 192.0.2.1 192.0.2.2 1 2\r\n", .unknownProtocol),
        ("PROXY TCP 192.0.2.1 192.0.2.2 1 2\r\n", .unknownProtocol),
        ("PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n", .unknownProtocol),
        ("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", .unknownProtocol),
        ("PROXY UNKNOWNS\r\n", .unknownProtocol),
        ("PROXY UNKNOW\r\n", .unknownProtocol),
        ("PROXY \r\n", .unknownProtocol),
        ("PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n", .unknownProtocol),
        ("PROXY TCP4\r\n", .fieldMissing),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", .fieldMissing),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", .fieldSurplus),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", .fieldSurplus),
        ("PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n", .fieldSurplus),
        ("PROXY TCP4  192.0.2.2 1 2\r\n", .badSourceAddress),
        ("PROXY TCP4 2001:db8::1 192.0.2.2 1 2\r\n", .badSourceAddress),
        ("PROXY TCP4 192.0.2.1 2001:db8::1 1 2\r\n", .badDestinationAddress),
        ("PROXY TCP6 192.0.2.1 2001:db8::1 1 2\r\n", .badSourceAddress),
        ("PROXY TCP6 2001:db8::1 192.0.2.1 1 2\r\n", .badDestinationAddress),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n", .badSourcePort),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 99999\r\n", .badDestinationPort),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 100000\r\n", .badDestinationPort),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", .badSourcePort),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 00\r\n", .badDestinationPort),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n", .badSourcePort),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n", .badSourcePort),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 0x2\r\n", .badDestinationPort),
        ("PROXY TCP4 192.0.2.1 192.0.2.2  2\r\n", .badSourcePort),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n", .badDestinationPort),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", .loneLineBreak),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r", .loneLineBreak),  // with a byte after it
        ("PROXY TCP4 192.0.2.1\n192.0.2.2 1 2\r\n", .loneLineBreak),
        ("PROXY TCP4 192.0.2.1\r192.0.2.2 1 2\r\n", .loneLineBreak),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\r\n", .loneLineBreak),
        ("PROXY UNKNOWN a\nb\r\n", .loneLineBreak),
        ("PROXY UNKNOWN " + String(repeating: "f", count: 92) + "\r\n", .lineTooLong),
        ("PROXY " + String(repeating: "f", count: 101), .lineTooLong),
    ]

    @Test("a line that is wrong anywhere is refused for the right reason", arguments: bad.indices)
    func refused(index: Int) {
        let (line, fault) = Self.bad[index]
        #expect(
            ProxyHeaderParser.ordinary.parse(line + "x") == .malformed(fault),
            "\(line.debugDescription)")
    }

    @Test("a refusal never comes before its cause nor changes after it", arguments: bad.indices)
    func refusalIsFinal(index: Int) {
        let (line, fault) = Self.bad[index]
        let bytes = Array((line + "xyz").utf8)
        var isRefused = false
        for count in 0...bytes.count {
            let verdict = ProxyHeaderParser.ordinary.parse(Array(bytes[..<count]))
            if isRefused || verdict != .needMore {
                isRefused = true
                #expect(verdict == .malformed(fault), "after \(count) bytes of \(line)")
            }
        }
        #expect(isRefused)
    }

    private static let notIPv4 = [
        "", ".", "1", "1.2", "1.2.3", "1.2.3.", ".1.2.3", "1.2.3.4.5", "1.2.3.4.", "1..3.4",
        "256.1.1.1", "1.1.1.256", "01.2.3.4", "1.2.3.04", "00.0.0.0", "1.2.3.4a", "a.2.3.4",
        "0x1.2.3.4", "1.2.3.-4", "1000.2.3.4", "16909060", "::1.2.3.4",
    ]

    @Test("no other spelling of an IPv4 address is taken", arguments: notIPv4)
    func badIPv4(text: String) {
        #expect(
            ProxyHeaderParser.ordinary.parse("PROXY TCP4 \(text) 192.0.2.2 1 2\r\n")
                == .malformed(.badSourceAddress))
        #expect(
            ProxyHeaderParser.ordinary.parse("PROXY TCP4 192.0.2.2 \(text) 1 2\r\n")
                == .malformed(.badDestinationAddress))
    }

    private static let notIPv6 = [
        "", ":", ":::", "1", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", ":2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3", "1:::2", "::1:",
        "12345::", "g::", "::1%lo", "[::1]", "::1.2.3", "::1.2.3.4.5", "::01.2.3.4", "::1.2.3.256",
        "1.2.3.4", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4",
        "1:2:3:4::5:6:7:8", "::-1", "0x1::",
    ]

    @Test("no other spelling of an IPv6 address is taken", arguments: notIPv6)
    func badIPv6(text: String) {
        #expect(
            ProxyHeaderParser.ordinary.parse("PROXY TCP6 \(text) ::1 1 2\r\n")
                == .malformed(.badSourceAddress))
    }

    @Test("the address reader agrees with inet_pton(3) on seeded mutations of addresses")
    func agreesWithLibrary() {
        var random = SeededRandom(seed: 7)
        let alphabet = Array("0123456789abF:.".utf8)
        var accepted = 0
        for _ in 0..<200_000 {
            let address = IPAddress(
                v6High: random.next() & random.next() & random.next(),
                low: random.next() & random.next())
            let v4 = IPAddress(v4: UInt32(truncatingIfNeeded: random.next()))
            let original = Bool.random(using: &random) ? address : v4
            var text = Array(original.description.utf8)
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: text[place] = alphabet.randomElement(using: &random)!
                case 1: text.insert(alphabet.randomElement(using: &random)!, at: place)
                default: if text.count > 1 { text.remove(at: place) }
                }
            }
            let string = String(decoding: text, as: UTF8.self)
            let isIPv4 = !text.contains(UInt8(ascii: ":"))
            let read = AddressText.parse(text.span.bytes, 0..<text.count, isIPv4: isIPv4)
            #expect(read == IPAddress(string)?.unmapped, "\(string)")
            accepted += read == nil ? 0 : 1
        }
        #expect(accepted > 50_000 && accepted < 190_000, "\(accepted): both outcomes are met")
    }
}
