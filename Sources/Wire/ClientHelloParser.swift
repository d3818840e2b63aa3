/// Reads the ClientHello at the beginning of a TLS connection, over however many records and
/// segments it is spread. Keeps nothing between calls: it is given all bytes received so far, each
/// time from the first. Allocates nothing.
///
/// A verdict other than `needMore` is final: more bytes never change it. What it cannot judge is
/// left to who speaks TLS: the hello's names are understood, its offers are not weighed.
public struct ClientHelloParser: Sendable {
    public enum Verdict {
        /// So far it may become a hello.
        case needMore
        case match(ClientHello)
        /// It is not TLS at all: told by the first byte that no hello has.
        case notTLS
        case malformed(ClientHelloFault)
    }

    /// Messages longer than this are refused. A hello has 0.5 to 2 KiB as a rule; no implementation
    /// is known that sends more than 16 KiB.
    public let bytesMax: Int

    public init(bytesMax: Int = 32_768) {
        self.bytesMax = bytesMax
    }

    static let recordHeadBytes = 5
    static let messageHeadBytes = 4
    private static let handshakeRecord: UInt8 = 22
    private static let recordBytesMax = 1 << 14

    /// - Parameter scratch: where a message of several records is put together, `bytesMax` bytes
    ///   or more; the hello then refers to it, else to `bytes`.
    public func parse(
        _ bytes: UnsafeRawBufferPointer, scratch: UnsafeMutableRawBufferPointer
    ) -> Verdict {
        precondition(scratch.count >= bytesMax)
        do throws(ClientHelloFault) {
            guard Self.isTLS(bytes) else { return .notTLS }
            guard let message = try gather(bytes, scratch) else { return .needMore }
            return .match(try read(message))
        } catch {
            return .malformed(error)
        }
    }

    /// The first record's type and the major version that all versions have.
    private static func isTLS(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if bytes.count > 0, bytes[0] != handshakeRecord { return false }
        return bytes.count < 2 || bytes[1] == 3
    }

    // MARK: - Records

    /// The first message, without the records that it came in; nil = it is not whole yet.
    private func gather(
        _ bytes: UnsafeRawBufferPointer, _ scratch: UnsafeMutableRawBufferPointer
    ) throws(ClientHelloFault) -> UnsafeRawBufferPointer? {
        var offset = 0
        var count = 0
        while let record = try nextRecord(bytes, at: offset) {
            offset = record.upperBound
            let part = UnsafeRawBufferPointer(
                rebasing: bytes[record.clamped(to: 0..<bytes.count)])
            if count == 0, let wanted = try wantedBytes(part), part.count >= wanted {
                return UnsafeRawBufferPointer(rebasing: part[..<wanted])
            }
            // A message that is refused for its length was so by its first bytes, so it fits.
            let taken = min(part.count, scratch.count - count)
            UnsafeMutableRawBufferPointer(rebasing: scratch[count..<(count + taken)])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: part[..<taken]))
            count += taken
            let whole = UnsafeRawBufferPointer(rebasing: scratch[..<count])
            if let wanted = try wantedBytes(whole), count >= wanted {
                return UnsafeRawBufferPointer(rebasing: whole[..<wanted])
            }
        }
        return nil
    }

    /// Where the contents of the record at an offset are, or will be; nil = its head is not there.
    private func nextRecord(
        _ bytes: UnsafeRawBufferPointer, at offset: Int
    ) throws(ClientHelloFault) -> Range<Int>? {
        guard offset < bytes.count else { return nil }
        guard bytes[offset] == Self.handshakeRecord else { throw .recordInterrupted }
        guard offset + 1 < bytes.count else { return nil }
        guard bytes[offset + 1] == 3 else { throw .recordInterrupted }
        let start = offset + Self.recordHeadBytes
        guard start <= bytes.count else { return nil }
        let length = Int(bytes.bytes.bigEndian(UInt16.self, at: offset + 3))
        guard 1...Self.recordBytesMax ~= length else { throw .recordLength }
        return start..<(start + length)
    }

    /// How long the message with its head is; nil = that is not known yet.
    private func wantedBytes(_ start: UnsafeRawBufferPointer) throws(ClientHelloFault) -> Int? {
        guard let type = start.first else { return nil }
        guard type == 1 else { throw .otherMessage }
        guard start.count >= Self.messageHeadBytes else { return nil }
        let length = Int(start.bytes.bigEndian(UInt32.self, at: 0) & 0xff_ffff)
        guard Self.messageHeadBytes + length <= bytesMax else { throw .tooLong }
        return Self.messageHeadBytes + length
    }

    // MARK: - The message

    private func read(_ message: UnsafeRawBufferPointer) throws(ClientHelloFault) -> ClientHello {
        let bytes = message.bytes
        var rest = VectorReader(Self.messageHeadBytes..<message.count)
        var hello = ClientHello(message: message, version: try rest.integer(in: bytes))
        try rest.skip(32)
        guard try rest.vector(UInt8.self, in: bytes).count <= 32 else { throw .listLength }
        let suites = try rest.vector(UInt16.self, in: bytes)
        guard !suites.isEmpty, suites.count % 2 == 0 else { throw .listLength }
        guard try !rest.vector(UInt8.self, in: bytes).isEmpty else { throw .listLength }
        // TLS 1.2 may do without any.
        guard !rest.isEmpty else { return hello }
        var extensions = VectorReader(try rest.vector(UInt16.self, in: bytes))
        guard rest.isEmpty else { throw .surplus }
        var seen: UInt8 = 0
        while !extensions.isEmpty {
            let type: UInt16 = try extensions.integer(in: bytes)
            let body = try extensions.vector(UInt16.self, in: bytes)
            guard let known = Extension(rawValue: type) else { continue }
            guard seen & known.bit == 0 else { throw .repeatedExtension }
            seen |= known.bit
            try take(known, body, bytes, &hello)
        }
        return hello
    }

    /// IANA's numbers of those that are looked at.
    private enum Extension: UInt16 {
        case serverName = 0
        case protocols = 16
        case supportedVersions = 43
        case encryptedHello = 0xfe0d

        var bit: UInt8 {
            switch self {
            case .serverName: 1
            case .protocols: 2
            case .supportedVersions: 4
            case .encryptedHello: 8
            }
        }
    }

    private func take(
        _ known: Extension, _ body: Range<Int>, _ bytes: RawSpan, _ hello: inout ClientHello
    ) throws(ClientHelloFault) {
        var rest = VectorReader(body)
        switch known {
        case .serverName:
            hello.serverNameRange = try serverName(&rest, bytes)
        case .protocols:
            let list = try rest.vector(UInt16.self, in: bytes)
            var names = VectorReader(list)
            guard !names.isEmpty else { throw .listLength }
            while !names.isEmpty {
                guard try !names.vector(UInt8.self, in: bytes).isEmpty else { throw .listLength }
            }
            hello.protocolsRange = ClientHello.OffsetRange(list)
        case .supportedVersions:
            var versions = VectorReader(try rest.vector(UInt8.self, in: bytes))
            guard !versions.isEmpty else { throw .listLength }
            var best: UInt16 = 0
            while !versions.isEmpty {
                let version: UInt16 = try versions.integer(in: bytes)
                // What is no version of TLS is grease (RFC 8701).
                if 0x0301...0x0304 ~= version { best = max(best, version) }
            }
            if best > 0 { hello.versionMax = best }
        case .encryptedHello:
            hello.hasEncryptedHello = true
            return
        }
        guard rest.isEmpty else { throw .surplus }
    }

    /// RFC 6066 section 3: a list of names, of which the only kind that there is comes once.
    private func serverName(
        _ rest: inout VectorReader, _ bytes: RawSpan
    ) throws(ClientHelloFault) -> ClientHello.OffsetRange {
        var list = VectorReader(try rest.vector(UInt16.self, in: bytes))
        var found: Range<Int>?
        guard !list.isEmpty else { throw .listLength }
        while !list.isEmpty {
            let kind: UInt8 = try list.integer(in: bytes)
            let name = try list.vector(UInt16.self, in: bytes)
            guard kind == 0 else { continue }
            guard found == nil, !name.isEmpty, name.count <= 255 else { throw .serverName }
            found = name
        }
        guard let found else { return ClientHello.OffsetRange() }
        let isDotted = bytes.byte(at: found.upperBound - 1) == UInt8(ascii: ".")
        let name = isDotted ? found.dropLast() : found
        guard !name.isEmpty else { throw .serverName }
        return try isAddress(name, bytes)
            ? ClientHello.OffsetRange() : ClientHello.OffsetRange(name)
    }

    /// Addresses must not be asked for; who does is taken for one that asks for nothing. A name's
    /// last label is not all digits (RFC 1123 section 2.1).
    private func isAddress(_ name: Range<Int>, _ bytes: RawSpan) throws(ClientHelloFault) -> Bool {
        var isLabelNumeric = true
        var hasColon = false
        for offset in name {
            switch bytes.byte(at: offset) {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "."): isLabelNumeric = true
            case UInt8(ascii: ":"): hasColon = true
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "-"), UInt8(ascii: "_"):
                isLabelNumeric = false
            default: throw .serverName
            }
        }
        return isLabelNumeric || hasColon
    }
}

/// Walks fields and vectors behind their lengths (RFC 8446 section 3.4) within a range of a
/// message. A cursor: it holds offsets only.
struct VectorReader {
    private var rest: Range<Int>

    init(_ range: Range<Int>) {
        rest = range
    }

    var isEmpty: Bool { rest.isEmpty }

    mutating func skip(_ count: Int) throws(ClientHelloFault) {
        guard count <= rest.count else { throw .truncated }
        rest = (rest.lowerBound + count)..<rest.upperBound
    }

    mutating func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ type: Integer.Type = Integer.self, in bytes: RawSpan
    ) throws(ClientHelloFault) -> Integer {
        let offset = rest.lowerBound
        try skip(MemoryLayout<Integer>.size)
        return bytes.bigEndian(type, at: offset)
    }

    /// - Parameter length: the integer that the length stands in.
    mutating func vector<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ length: Integer.Type, in bytes: RawSpan
    ) throws(ClientHelloFault) -> Range<Int> {
        let count = Int(try integer(length, in: bytes))
        let start = rest.lowerBound
        try skip(count)
        return start..<(start + count)
    }
}
