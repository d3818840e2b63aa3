import Primitives
import Testing

@Suite struct IPAddressTests {
    @Test("an address that is written as it should be is read and written the same")
    func canonical() {
        let texts = [
            "0.0.0.0", "127.0.0.1", "192.0.2.1", "255.255.255.255", "::", "::1", "1::",
            "2001:db8::1", "2001:db8:0:1:1:1:1:1", "2001:0:0:1::1", "fe80::1:2:3:4",
            "1:2:3:4:5:6:7:8", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:192.0.2.1",
        ]
        for text in texts {
            #expect(IPAddress(text)?.description == text)
        }
    }

    @Test("other spellings mean the same address")
    func spellings() {
        #expect(IPAddress("2001:DB8:0:0:0:0:0:1") == IPAddress("2001:db8::1"))
        #expect(IPAddress("0001::") == IPAddress("1::"))
        #expect(IPAddress("::FFFF:C000:0201") == IPAddress("::ffff:192.0.2.1"))
        #expect(IPAddress("x2001:db8::1".dropFirst()) == IPAddress("2001:db8::1"))
    }

    @Test("what is no address is refused")
    func refused() {
        let texts = [
            "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4",
            "1.2.3.4:80", "0x7f.0.0.1", "1.2.3.4\0", "127.0.0.1\0.example.org", "::1\0",
            ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::",
            "fe80::1%lo", "[::1]", "::1/128", "localhost", String(repeating: "1", count: 1000),
        ]
        for text in texts {
            #expect(IPAddress(text) == nil, "\(text.debugDescription)")
        }
    }

    @Test("bytes are in network order")
    func order() throws {
        let v4 = try #require(IPAddress("1.2.3.4"))
        #expect(v4.v4 == 0x0102_0304 && v4.isIPv4)
        #expect(v4.high == 0 && v4.low == 0x0000_ffff_0102_0304)
        let v6 = try #require(IPAddress("1:2:3:4:5:6:7:8"))
        #expect(v6.high == 0x0001_0002_0003_0004 && v6.low == 0x0005_0006_0007_0008)
        #expect(!v6.isIPv4)
    }

    @Test("only an IPv4-mapped address is unmapped, and the two forms are not equal")
    func unmapped() throws {
        let mapped = try #require(IPAddress("::ffff:192.0.2.1"))
        let v4 = try #require(IPAddress("192.0.2.1"))
        #expect(mapped.unmapped == v4)
        #expect(mapped != v4)
        for text in ["192.0.2.1", "::192.0.2.1", "::fffe:192.0.2.1", "1::ffff:192.0.2.1", "::"] {
            let address = try #require(IPAddress(text))
            #expect(address.unmapped == address)
        }
    }

    @Test("the well-known addresses are what they are called")
    func wellKnown() {
        #expect(IPAddress.anyIPv4.description == "0.0.0.0" && IPAddress.anyIPv4.isAny)
        #expect(IPAddress.anyIPv6.description == "::" && IPAddress.anyIPv6.isAny)
        #expect(IPAddress.loopbackIPv4.description == "127.0.0.1" && !IPAddress.loopbackIPv4.isAny)
        #expect(IPAddress.loopbackIPv6.description == "::1" && !IPAddress.loopbackIPv6.isAny)
        #expect(IPAddress("1::")?.isAny == false)
    }

    @Test("any address is read back from its text", arguments: [1, 2] as [UInt64])
    func roundTrip(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<20_000 {
            // Fewer bits in some addresses, so that runs of zeros are met.
            let thin = random.next() & random.next() & random.next()
            let v6 = IPAddress(v6High: random.next() & thin, low: random.next() & thin)
            let v4 = IPAddress(v4: UInt32(truncatingIfNeeded: random.next()))
            #expect(IPAddress(v6.description) == v6, "seed \(seed)")
            #expect(IPAddress(v4.description) == v4, "seed \(seed)")
        }
    }
}
