import Primitives
import Testing
import Traffic

@testable import Wire

@Suite struct ClientHelloTests {
    /// What a verdict comes to, as text.
    private static func verdict(_ bytes: [UInt8], bytesMax: Int = 32_768) -> String {
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: bytesMax, alignment: 1)
        defer { scratch.deallocate() }
        return bytes.withUnsafeBytes { raw in
            switch ClientHelloParser(bytesMax: bytesMax).parse(raw, scratch: scratch) {
            case .needMore: return "more"
            case .notTLS: return "no TLS"
            case .malformed(let fault): return "\(fault)"
            case .match(let hello):
                let name = hello.serverName.map { String(decoding: $0, as: UTF8.self) } ?? "-"
                let protocols = hello.protocols.map { String(decoding: $0, as: UTF8.self) }
                return "\(name) \(protocols.joined(separator: ",")) "
                    + String(hello.versionMax, radix: 16)
                    + (hello.hasEncryptedHello ? " ech" : "")
            }
        }
    }

    private static func fault(_ fault: ClientHelloFault) -> String { "\(fault)" }

    // MARK: - What programs send

    @Test(
        "hellos of OpenSSL's, curl's and Python's clients are read, wherever they are cut",
        arguments: [
            ("curl", "web.example.com h2,http/1.1 304"), ("openssl", "b.example.com  304"),
            ("openssl-noname", "-  304"), ("openssl-alpn-dot", "c.example.com h2 304"),
            ("openssl-address", "-  304"), ("python-none", "-  304"),
            ("python-name-alpn", "shop.example.com h2,http/1.1 304"),
            ("python-tls12", "a.example.com  303"),
        ])
    func captured(name: String, expected: String) throws {
        let bytes = try Corpus.bytes("ClientHello/corpus/\(name)")
        #expect(Self.verdict(bytes) == expected)
        for count in 0..<bytes.count {
            #expect(Self.verdict(Array(bytes[..<count])) == "more", "cut at \(count)")
        }
        #expect(Self.verdict(bytes + [1, 2, 3]) == expected, "what follows is not looked at")
        for size in [1, 2, 3, 4, 5, 100] {
            let records = HelloBytes.records(Array(bytes[5...]), of: size)
            #expect(Self.verdict(records) == expected, "records of \(size)")
            for count in 0..<records.count where count % 7 == 0 {
                #expect(Self.verdict(Array(records[..<count])) == "more")
            }
        }
    }

    @Test("whatever single byte is changed, the answer is an answer, and final")
    func mutations() throws {
        var random = SeededRandom(seed: 7)
        let bytes = try Corpus.bytes("ClientHello/corpus/curl")
        for place in 0..<bytes.count {
            for value in [0, 1, 0xff, UInt8(truncatingIfNeeded: random.next())] {
                var changed = bytes
                changed[place] = value
                let whole = Self.verdict(changed)
                let part = Self.verdict(Array(changed[..<(bytes.count / 2)]))
                #expect(part == "more" || part == whole)
            }
        }
    }

    // MARK: - Records

    @Test("what is no TLS is told by its first bytes")
    func notTLS() {
        #expect(Self.verdict([]) == "more")
        #expect(Self.verdict(Array("GET / HTTP/1.1\r\n".utf8)) == "no TLS")
        #expect(Self.verdict([0x80]) == "no TLS", "a hello of SSL 2")
        #expect(Self.verdict([22]) == "more")
        #expect(Self.verdict([22, 2]) == "no TLS")
        #expect(Self.verdict([21, 3, 1, 0, 2, 1, 0]) == "no TLS", "an alert is no hello")
    }

    @Test("records are of one kind, and neither empty nor too long")
    func records() {
        #expect(Self.verdict([22, 3, 1, 0, 0]) == Self.fault(.recordLength))
        #expect(Self.verdict([22, 3, 1, 0x40, 1]) == Self.fault(.recordLength))
        #expect(Self.verdict([22, 3, 1, 0x40, 0]) == "more")
        #expect(Self.verdict([22, 3, 1, 0, 1, 1, 23]) == Self.fault(.recordInterrupted))
        #expect(Self.verdict([22, 3, 1, 0, 1, 1, 22, 2]) == Self.fault(.recordInterrupted))
        #expect(Self.verdict([22, 3, 1, 0, 4, 2]) == Self.fault(.otherMessage))
    }

    @Test("a hello of 16 KiB is read, one that says that it is longer than the limit is not")
    func lengths() {
        var hello = HelloBytes()
        hello.extensions = [.padding(16_300), .serverName("a.b")]
        #expect(hello.message.count > 16_350)
        #expect(Self.verdict(hello.records()) == "a.b  303")
        hello.extensions?.insert(.padding(2_000), at: 0)
        #expect(Self.verdict(hello.records()) == "a.b  303", "in two records")
        #expect(Self.verdict(hello.records(), bytesMax: hello.message.count) == "a.b  303")
        let fault = Self.fault(.tooLong)
        #expect(Self.verdict(hello.records(), bytesMax: hello.message.count - 1) == fault)
        #expect(Self.verdict([22, 3, 1, 0x40, 0, 1, 0, 0x7f, 0xfd]) == fault, "at once")
        #expect(Self.verdict([22, 3, 1, 0x40, 0, 1, 0, 0x7f, 0xfc]) == "more")
    }

    // MARK: - Fields

    @Test("a hello without extensions, as TLS 1.2 has it, asks for no name")
    func bare() {
        var hello = HelloBytes()
        hello.extensions = nil
        #expect(Self.verdict(hello.records()) == "-  303")
        hello.extensions = []
        #expect(Self.verdict(hello.records()) == "-  303")
    }

    @Test("grease disturbs nothing, and an encrypted hello is noticed beside its outer name")
    func grease() {
        var hello = HelloBytes()
        hello.suites = [0x0a, 0x0a, 0x13, 0x01]
        hello.extensions = [
            .init(0x1a1a, [0]), .serverName("outer.example.com"),
            .init(43, HelloBytes.vector8([0x2a, 0x2a, 3, 4, 3, 3])), .init(0xfe0d, [0, 1, 2, 3]),
            .protocols("h2", "http/1.1"), .init(0x3a3a, []),
        ]
        #expect(Self.verdict(hello.records()) == "outer.example.com h2,http/1.1 304 ech")
        hello.extensions?[2].body = HelloBytes.vector8([0x2a, 0x2a])
        #expect(Self.verdict(hello.records()) == "outer.example.com h2,http/1.1 303 ech")
    }

    @Test("fields of wrong lengths are refused, each for its reason")
    func faults() {
        func expect(
            _ fault: ClientHelloFault, _ change: (inout HelloBytes) -> Void,
            _ location: SourceLocation = #_sourceLocation
        ) {
            var hello = HelloBytes()
            change(&hello)
            #expect(Self.verdict(hello.records()) == "\(fault)", sourceLocation: location)
        }
        expect(.listLength) { $0.sessionID = Array(repeating: 0, count: 33) }
        expect(.listLength) { $0.suites = [] }
        expect(.listLength) { $0.suites = [1, 2, 3] }
        expect(.listLength) { $0.compression = [] }
        expect(.surplus) { $0.surplus = [0] }
        expect(.truncated) { ($0.extensions, $0.surplus) = (nil, [0, 1]) }
        expect(.truncated) { $0.extensions = [.init(0, [0, 9, 0])] }
        expect(.surplus) { $0.extensions = [.init(16, [0, 2, 1, 65, 0])] }
        expect(.listLength) { $0.extensions = [.init(16, [0, 0])] }
        expect(.listLength) { $0.extensions = [.init(16, [0, 1, 0])] }
        expect(.listLength) { $0.extensions = [.init(43, [0])] }
        expect(.truncated) { $0.extensions = [.init(43, [1, 3])] }
        expect(.listLength) { $0.extensions = [.init(0, [0, 0])] }
        expect(.repeatedExtension) {
            $0.extensions = [.serverName("a"), .serverName("a")]
        }
        expect(.serverName) { $0.extensions = [.init(0, [0, 3, 0, 0, 0])] }
        expect(.serverName) { $0.extensions = [.init(0, [0, 8, 0, 0, 1, 97, 0, 0, 1, 98])] }
        for name in [
            "a b", "ä", "a\0b", "a/b", "a%b", "*.a", String(repeating: "a", count: 256), ".",
        ] {
            expect(.serverName) { $0.extensions = [.serverName(name)] }
        }
    }

    @Test(
        "an address is no name; a dot at the end is left out",
        arguments: [
            ("10.0.0.1", "-"), ("::1", "-"), ("2001:db8::a", "-"), ("1", "-"),
            ("a.example.com.", "a.example.com"), ("A-1_b.Example", "A-1_b.Example"),
            ("1.a", "1.a"), ("a.1b", "a.1b"), (String(repeating: "a", count: 255), nil),
        ])
    func names(written: String, understood: String?) {
        var hello = HelloBytes()
        hello.extensions = [.serverName(written)]
        #expect(Self.verdict(hello.records()) == "\(understood ?? written)  303")
    }

    @Test("an alert is one record that every client reads")
    func alert() {
        let bytes = withUnsafeBytes(of: TLSAlert.unrecognizedName.record) { Array($0) }
        #expect(bytes == [21, 3, 3, 0, 2, 2, 112])
    }
}
