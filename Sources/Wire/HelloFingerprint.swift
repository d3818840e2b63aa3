/// What a ClientHello tells of the program that it comes from: its offers, and the texts that JA3
/// (Salesforce, github.com/salesforce/ja3) and JA4 (FoxIO, `technical_details/JA4.md`) hash. A
/// value, made when somebody asks, and it allocates. The hashes themselves are in `TLS`.
///
/// Values that are only there to be ignored (GREASE, RFC 8701) are left out. Where a list within an
/// extension is cut short, what is whole of it counts: the hello was read before, but nobody has
/// looked into these.
public struct HelloFingerprint: Hashable, Sendable {
    /// `legacy_version` of the message.
    public private(set) var version: UInt16 = 0
    public private(set) var suites: [UInt16] = []
    /// Types, in their order.
    public private(set) var extensions: [UInt16] = []
    /// supported_groups, ec_point_formats (RFC 8422 section 5.1), signature_algorithms and
    /// supported_versions (RFC 8446 section 4.2).
    public private(set) var groups: [UInt16] = []
    public private(set) var pointFormats: [UInt8] = []
    public private(set) var signatures: [UInt16] = []
    public private(set) var versions: [UInt16] = []
    /// The first that the client offers by ALPN; empty = none.
    public private(set) var firstProtocol: [UInt8] = []

    public init(_ hello: ClientHello) {
        firstProtocol = hello.protocols.first { _ in true }.map(Array.init) ?? []
        // What the parser let through has no faults where this looks; otherwise the rest is empty.
        do throws(ClientHelloFault) {
            try read(hello.message.bytes, hello.message.count)
        } catch {
            assertionFailure("the hello was read before: \(error)")
        }
    }

    private mutating func read(_ bytes: RawSpan, _ count: Int) throws(ClientHelloFault) {
        var rest = VectorReader(ClientHelloParser.messageHeadBytes..<count)
        version = try rest.integer(in: bytes)
        try rest.skip(32)
        _ = try rest.vector(UInt8.self, in: bytes)
        suites = Self.numbers(try rest.vector(UInt16.self, in: bytes), bytes)
        _ = try rest.vector(UInt8.self, in: bytes)
        guard !rest.isEmpty else { return }
        var list = VectorReader(try rest.vector(UInt16.self, in: bytes))
        while !list.isEmpty {
            let type: UInt16 = try list.integer(in: bytes)
            let body = try list.vector(UInt16.self, in: bytes)
            if Self.isGrease(type) { continue }
            extensions.append(type)
            switch type {
            case 10: groups = Self.numbers(Self.inner(body, UInt16.self, bytes), bytes)
            case 11: pointFormats = Self.inner(body, UInt8.self, bytes).map { bytes.byte(at: $0) }
            case 13: signatures = Self.numbers(Self.inner(body, UInt16.self, bytes), bytes)
            case 43: versions = Self.numbers(Self.inner(body, UInt8.self, bytes), bytes)
            default: break
            }
        }
    }

    /// The list that an extension consists of, as far as it is there.
    private static func inner<Length: FixedWidthInteger & BitwiseCopyable>(
        _ body: Range<Int>, _ length: Length.Type, _ bytes: RawSpan
    ) -> Range<Int> {
        let head = MemoryLayout<Length>.size
        guard body.count >= head else { return body.upperBound..<body.upperBound }
        let count = Int(bytes.bigEndian(length, at: body.lowerBound))
        return (body.lowerBound + head)..<min(body.lowerBound + head + count, body.upperBound)
    }

    private static func numbers(_ range: Range<Int>, _ bytes: RawSpan) -> [UInt16] {
        stride(from: range.lowerBound, to: range.upperBound - 1, by: 2)
            .map { bytes.bigEndian(UInt16.self, at: $0) }
            .filter { !isGrease($0) }
    }

    /// RFC 8701 section 2: both bytes alike, and ending in ten.
    private static func isGrease(_ value: UInt16) -> Bool {
        value >> 8 == value & 0xff && value & 0xf == 0xa
    }
}

// MARK: - JA3

extension HelloFingerprint {
    /// Version, suites, extensions, groups and point formats, each a decimal number.
    public var ja3Text: String {
        func list(_ values: [some FixedWidthInteger]) -> String {
            values.map { "\($0)" }.joined(separator: "-")
        }
        return [
            "\(version)", list(suites), list(extensions), list(groups), list(pointFormats),
        ].joined(separator: ",")
    }
}

// MARK: - JA4

extension HelloFingerprint {
    /// The three parts of a JA4: the first stands as it is, of the others the beginning of SHA-256,
    /// or zeros where they are empty.
    public struct JA4Text: Hashable, Sendable {
        /// As in `t13d1516h2`: TCP, version, whether a name is asked for, how many suites and
        /// extensions, and the first and last of the first protocol.
        public let summary: String
        /// In hex, sorted.
        public let suites: String
        /// Extensions, sorted, without those of name and protocol; behind `_` the signature
        /// algorithms as they come.
        public let extensions: String

        /// What JA4_r is.
        public var raw: String { "\(summary)_\(suites)_\(extensions)" }
    }

    public var ja4Text: JA4Text {
        let sorted = extensions.filter { $0 != 0 && $0 != 16 }.sorted()
        let tail = sorted.isEmpty || signatures.isEmpty ? "" : "_" + Self.hex(signatures)
        let name = extensions.contains(0) ? "d" : "i"
        return JA4Text(
            summary: "t\(versionText)\(name)\(Self.count(suites))\(Self.count(extensions))"
                + protocolText,
            suites: Self.hex(suites.sorted()), extensions: Self.hex(sorted) + tail)
    }

    private var versionText: String {
        switch versions.max() ?? version {
        case 0x0304: "13"
        case 0x0303: "12"
        case 0x0302: "11"
        case 0x0301: "10"
        case 0x0300: "s3"
        default: "00"
        }
    }

    /// Its first and last byte as characters, or where one of them is none, the first and last
    /// digit of all of it in hex.
    private var protocolText: String {
        guard let first = firstProtocol.first, let last = firstProtocol.last else { return "00" }
        if Self.isAlphanumeric(first) && Self.isAlphanumeric(last) {
            return String(decoding: [first, last], as: UTF8.self)
        }
        return String(first >> 4, radix: 16) + String(last & 0xf, radix: 16)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    private static func count(_ values: [UInt16]) -> String {
        values.count < 10 ? "0\(values.count)" : "\(min(values.count, 99))"
    }

    private static func hex(_ values: [UInt16]) -> String {
        values.map { value in
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 4 - digits.count) + digits
        }.joined(separator: ",")
    }
}
