import Primitives

/// Recognises a PROXY protocol header, v1 or v2, at the beginning of a stream. Keeps nothing
/// between calls: it is given all bytes received so far, each time from the first. Allocates
/// nothing.
///
/// A verdict other than `needMore` is final: more bytes never change it. Reading from the start
/// each time costs little: a v2 header is passed over by its length until it is complete, and a
/// v1 line has 107 bytes at most.
public struct ProxyHeaderParser: Hashable, Sendable {
    public enum Verdict: Hashable, Sendable {
        /// So far it may become a header.
        case needMore
        /// The first `length` bytes are a header; what follows is the client's.
        case match(ProxyHeader, length: Int)
        /// It is not the PROXY protocol at all: told by the first byte that differs from both
        /// signatures.
        case noMatch
        /// It began as a header and is none.
        case malformed(ProxyFault)
    }

    /// Headers longer than this are refused. It bounds what has to be held of a silent client.
    public let bytesMax: Int

    public init(bytesMax: Int) {
        precondition(
            bytesMax >= ProxyHeader.v2BytesMaxWithoutTLVs,
            "room for any header without TLVs is the least")
        self.bytesMax = bytesMax
    }

    public func parse(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        parse(bytes.bytes)
    }

    public func parse(_ bytes: RawSpan) -> Verdict {
        guard bytes.byteCount > 0 else { return .needMore }
        if bytes.byte(at: 0) == ProxySignature.v1[0] {
            for offset in 0..<min(bytes.byteCount, ProxySignature.v1.count)
            where bytes.byte(at: offset) != ProxySignature.v1[offset] {
                return .noMatch
            }
            return ProxyLine.parse(bytes)
        }
        for offset in 0..<min(bytes.byteCount, ProxySignature.v2.count)
        where bytes.byte(at: offset) != ProxySignature.v2[offset] {
            return .noMatch
        }
        return parseBinary(bytes)
    }
}

// MARK: - Version 2

extension ProxyHeaderParser {
    /// §2.2. The head is judged byte by byte as it comes in, the rest when it is complete.
    private func parseBinary(_ bytes: RawSpan) -> Verdict {
        guard bytes.byteCount > 12 else { return .needMore }
        let versionAndCommand = bytes.byte(at: 12)
        guard versionAndCommand >> 4 == 2 else { return .malformed(.unknownVersion) }
        guard versionAndCommand & 0xf <= 1 else { return .malformed(.unknownCommand) }
        let isLocal = versionAndCommand & 0xf == 0

        guard bytes.byteCount > 13 else { return .needMore }
        var kind = Kind(family: .unspecified, transport: .unspecified)
        // The family of a LOCAL header is to be ignored, whatever it is.
        if !isLocal {
            switch Self.kind(bytes.byte(at: 13)) {
            case .success(let known): kind = known
            case .failure(let fault): return .malformed(fault)
            }
        }

        guard bytes.byteCount >= ProxyHeader.v2HeadBytes else { return .needMore }
        let body = Int(bytes.bigEndian(UInt16.self, at: 14))
        let length = ProxyHeader.v2HeadBytes + body
        // Told before the bytes come, so that none of them has to be held.
        guard length <= bytesMax else { return .malformed(.headerTooLong) }
        guard body >= kind.family.addressBytes else { return .malformed(.addressesTruncated) }
        guard bytes.byteCount >= length else { return .needMore }
        // All of a LOCAL header's body is to be skipped, so nothing in it is taken for a TLV.
        if isLocal {
            let header = ProxyHeader(version: .v2, command: .local, transport: .unspecified)
            return .match(header, length: length)
        }

        var header = ProxyHeader(version: .v2, transport: kind.transport)
        header.tlvs = ProxyHeader.v2HeadBytes + kind.family.addressBytes..<length
        (header.source, header.destination) = Self.addresses(bytes, kind.family)
        if let fault = Self.faultOfTLVs(bytes, header.tlvs, length: length) {
            return .malformed(fault)
        }
        return .match(header, length: length)
    }

    /// The 14th byte. An unspecified transport with a family, or the reverse, is none of the
    /// combinations that §2.2 lists, and nothing known sends it.
    private struct Kind {
        var family: ProxyFamily
        var transport: ProxyHeader.Transport
    }

    private static func kind(_ byte: UInt8) -> Result<Kind, ProxyFault> {
        guard let family = ProxyFamily(rawValue: byte >> 4) else {
            return .failure(.unknownFamily)
        }
        let transport: ProxyHeader.Transport
        switch byte & 0xf {
        case 0: transport = .unspecified
        case 1: transport = .stream
        case 2: transport = .datagram
        default: return .failure(.unknownTransport)
        }
        guard (family == .unspecified) == (transport == .unspecified) else {
            return .failure(.familyWithoutTransport)
        }
        return .success(Kind(family: family, transport: transport))
    }

    private static func addresses(
        _ bytes: RawSpan, _ family: ProxyFamily
    ) -> (source: ProxyEndpoint, destination: ProxyEndpoint) {
        let start = ProxyHeader.v2HeadBytes
        switch family {
        case .unspecified:
            return (.unspecified, .unspecified)
        case .unix:
            return (.unix, .unix)
        case .ipv4:
            return (
                .ip(
                    IPAddress(v4: bytes.bigEndian(at: start)),
                    port: bytes.bigEndian(at: start + 8)),
                .ip(
                    IPAddress(v4: bytes.bigEndian(at: start + 4)),
                    port: bytes.bigEndian(at: start + 10))
            )
        case .ipv6:
            return (
                .ip(ipv6(bytes, at: start), port: bytes.bigEndian(at: start + 32)),
                .ip(ipv6(bytes, at: start + 16), port: bytes.bigEndian(at: start + 34))
            )
        }
    }

    private static func ipv6(_ bytes: RawSpan, at offset: Int) -> IPAddress {
        IPAddress(
            v6High: bytes.bigEndian(at: offset), low: bytes.bigEndian(at: offset + 8)
        ).unmapped
    }

    /// Checks that the TLVs fill their place exactly, and the checksum when there is one. An
    /// UNSPEC header has no addresses, so all that follows its head is TLVs, as HAProxy sends it.
    ///
    /// Values other than the checksum are not looked into: nothing here acts on them, and whoever
    /// does must judge them anyway. That goes for the TLVs within `PP2_TYPE_SSL` (§2.2.6) too.
    private static func faultOfTLVs(
        _ bytes: RawSpan, _ range: Range<Int>, length: Int
    ) -> ProxyFault? {
        var tlvs = ProxyTLVs(range)
        var checksum: Range<Int>?
        while !tlvs.isAtEnd {
            guard let tlv = tlvs.read(in: bytes) else { return .tlvTruncated }
            guard tlv.type == ProxyTLV.crc32c else { continue }
            guard tlv.value.count == 4 else { return .badChecksumLength }
            guard checksum == nil else { return .repeatedChecksum }
            checksum = tlv.value
        }
        guard let checksum else { return nil }
        // §2.2.3: over the whole header, with zeros in the checksum's own place.
        var crc = CRC32C()
        crc.update(bytes, 0..<checksum.lowerBound)
        crc.update(zeros: 4)
        crc.update(bytes, checksum.upperBound..<length)
        let sent: UInt32 = bytes.bigEndian(at: checksum.lowerBound)
        return crc.value == sent ? nil : .wrongChecksum
    }
}
