import Testing
import Traffic

@testable import Wire

@Suite("What a hello tells of its client")
struct HelloFingerprintTests {
    static func fingerprint(_ hello: HelloBytes) -> HelloFingerprint? {
        fingerprint(of: hello.records())
    }

    static func fingerprint(of records: [UInt8]) -> HelloFingerprint? {
        withUnsafeTemporaryAllocation(byteCount: 32_768, alignment: 1) { scratch in
            records.withUnsafeBytes { bytes in
                guard case .match(let hello) = ClientHelloParser().parse(bytes, scratch: scratch)
                else { return nil }
                return HelloFingerprint(hello)
            }
        }
    }

    @Test("JA3's text has version, suites, extensions, groups and formats in their order")
    func ja3() throws {
        let fingerprint = try #require(Self.fingerprint(.ja3Example))
        #expect(
            fingerprint.ja3Text
                == "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0")
        #expect(
            try #require(Self.fingerprint(.ja3ExampleBare)).ja3Text
                == "769,4-5-10-9-100-98-3-6-19-18-99,,,")
    }

    @Test("JA4's text is sorted, without grease, name and protocol, but for the signatures")
    func ja4() throws {
        let fingerprint = try #require(Self.fingerprint(.ja4Example))
        #expect(
            fingerprint.ja4Text.raw
                == "t13d1516h2_"
                + "002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_"
                + "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_"
                + "0403,0804,0401,0503,0805,0501,0806,0601")
        #expect(fingerprint.extensions.count == 16)
        #expect(fingerprint.groups == [0x001d, 0x0017, 0x0018], "without grease")
    }

    @Test(
        "the first protocol is told by its ends, in hex where they are no characters",
        arguments: [
            ("h2", "h2"), ("http/1.1", "h1"), ("x", "xx"), ("\u{1}", "01"), ("0\u{2}", "32"),
            (" ", "20"), ("a ", "60"), ("0-1", "01"),
        ])
    func protocols(_ name: String, _ expected: String) throws {
        let hello = HelloBytes(.protocols(name, "other"))
        #expect(try #require(Self.fingerprint(hello)).ja4Text.summary == "t12i0101\(expected)")
    }

    @Test("the version is the highest that is offered, and else the message's")
    func versions() throws {
        let rows: [(UInt16, [UInt8]?, String)] = [
            (0x0303, nil, "12"), (0x0302, nil, "11"), (0x0301, nil, "10"), (0x0300, nil, "s3"),
            (0x0305, nil, "00"), (0x0303, [0xaa, 0xaa, 3, 4, 3, 3], "13"), (0x0303, [3, 2], "11"),
            (0x0303, [0x7f, 0x12], "00"),
        ]
        for (version, offers, expected) in rows {
            var hello = HelloBytes()
            hello.version = version
            if let offers { hello.extensions = [.init(43, HelloBytes.vector8(offers))] }
            let summary = try #require(Self.fingerprint(hello)).ja4Text.summary
            #expect(summary.dropFirst().prefix(2) == expected)
        }
    }

    @Test("a hello without extensions, or with nothing that sorts, has an empty part")
    func empty() throws {
        var hello = HelloBytes()
        hello.extensions = nil
        #expect(try #require(Self.fingerprint(hello)).ja4Text.raw == "t12i010000_1301_")
        hello.extensions = [.serverName("a.example"), .protocols("h2")]
        #expect(try #require(Self.fingerprint(hello)).ja4Text.raw == "t12d0102h2_1301_")
        hello.extensions = [.padding(1)]
        #expect(try #require(Self.fingerprint(hello)).ja4Text.raw == "t12i010100_1301_0015")
    }

    @Test("more than 99 suites or extensions are 99")
    func many() throws {
        var hello = HelloBytes()
        hello.suites = (0..<150).flatMap { [0xc0, UInt8($0)] }
        hello.extensions = (0..<120).map { .init(UInt16(0x1000 + $0), []) }
        #expect(try #require(Self.fingerprint(hello)).ja4Text.summary == "t12i999900")
    }

    @Test("of lists that are cut short, what is whole counts, wherever they are cut")
    func lists() throws {
        let rows: [(UInt16, [UInt8], [UInt16])] = [
            (10, [], []), (10, [0], []), (10, [0, 0], []), (10, [0, 9, 0, 29], [29]),
            (10, [0, 3, 0, 29, 0], [29]), (10, [0, 2, 0, 29, 0, 23], [29]),
            (13, [0, 4, 4, 3], [0x0403]), (13, [0xff, 0xff], []),
        ]
        for (type, body, expected) in rows {
            let found = try #require(Self.fingerprint(HelloBytes(.init(type, body))))
            #expect((type == 10 ? found.groups : found.signatures) == expected, "\(body)")
        }
        let formats = try #require(Self.fingerprint(HelloBytes(.init(11, [5, 0, 1]))))
        #expect(formats.pointFormats == [0, 1])
    }
}
