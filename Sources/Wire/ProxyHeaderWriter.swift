import Primitives

/// Makes the PROXY protocol header that is sent to an endpoint before the client's first byte.
/// Pure; the memory is the caller's.
public struct ProxyHeaderWriter: Hashable, Sendable {
    public let version: ProxyHeader.Version
    /// Whether a v2 header ends with its CRC32C.
    public let hasChecksum: Bool

    public init(version: ProxyHeader.Version, hasChecksum: Bool = false) {
        self.version = version
        self.hasChecksum = hasChecksum
    }

    private static let checksumBytes = ProxyTLV.headBytes + 4

    /// The longest header without TLVs that were handed through.
    public static let bytesMax = ProxyHeader.v2BytesMaxWithoutTLVs + checksumBytes

    /// The longest header with as many bytes of TLVs handed through.
    public static func bytesMax(tlvBytes: Int) -> Int { bytesMax + tlvBytes }

    /// Writes a header without TLVs.
    /// - Parameter buffer: `bytesMax` bytes or more.
    /// - Returns: the bytes written.
    public func write(
        command: ProxyHeader.Command = .proxy, transport: ProxyHeader.Transport = .stream,
        source: ProxyEndpoint, destination: ProxyEndpoint,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        precondition(buffer.count >= Self.bytesMax)
        let header = ProxyHeader(
            version: version, command: command, transport: transport,
            source: source, destination: destination)
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        guard let count = write(header, received: none.bytes, into: buffer) else {
            preconditionFailure("a header without TLVs always fits")
        }
        return count
    }

    /// Writes what `header` says in this writer's version, with the TLVs of the header that was
    /// received, less padding and checksum, which are renewed. v1 has no TLVs.
    /// - Parameters:
    ///   - header: its `version` does not matter.
    ///   - received: the bytes that `header.tlvs` refers to.
    ///   - tls: what the connection came by, told where `received` does not.
    /// - Returns: the bytes written; nil when they do not fit into `buffer` or are more than a
    ///   header can say.
    public func write(
        _ header: ProxyHeader, received: RawSpan, tls: ProxyTLS? = nil,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        // Measured on the safe side, so that nothing is written that would have to be taken back.
        let tlvBytes = header.tlvs.count + (tls == nil ? 0 : ProxyTLS.bytesMax)
        let needed = Self.bytesMax(tlvBytes: version == .v1 ? 0 : tlvBytes)
        guard buffer.count >= needed else { return nil }
        guard needed - ProxyHeader.v2HeadBytes <= UInt16.max else { return nil }
        var writer = ByteWriter(buffer)
        switch version {
        case .v1: ProxyLine.write(header, to: &writer)
        case .v2: writeBinary(header, received, tls, to: &writer, in: buffer)
        }
        assert(writer.count <= needed)
        return writer.count
    }

    /// §2.2; the length and the checksum are filled in when the rest stands.
    private func writeBinary(
        _ header: ProxyHeader, _ received: RawSpan, _ tls: ProxyTLS?, to writer: inout ByteWriter,
        in buffer: UnsafeMutableRawBufferPointer
    ) {
        let family = header.family
        for offset in ProxySignature.v2.indices { writer.write(ProxySignature.v2[offset]) }
        writer.write(header.command == .local ? 0x20 : 0x21)
        writer.write(family.rawValue << 4 | (family == .unspecified ? 0 : header.transport.nibble))
        writer.writeBigEndian(UInt16(0))
        write(header.source, header.destination, family, to: &writer)
        // A receiver skips all of a LOCAL header's body, so there is nothing to tell in it.
        if header.command == .proxy {
            writeTLVs(header.tlvs, received, to: &writer)
            tls?.write(to: &writer) { Self.has($0, header.tlvs, received) }
            if hasChecksum {
                writer.write(ProxyTLV.crc32c)
                writer.writeBigEndian(UInt16(4))
                writer.write(zeros: 4)
            }
        }
        let length = UInt16(writer.count - ProxyHeader.v2HeadBytes)
        buffer[14] = UInt8(length >> 8)
        buffer[15] = UInt8(truncatingIfNeeded: length)
        guard hasChecksum, header.command == .proxy else { return }
        var crc = CRC32C()
        crc.update(writer.written.bytes, 0..<writer.count)
        var place = ByteWriter(
            UnsafeMutableRawBufferPointer(rebasing: buffer[(writer.count - 4)...]))
        place.writeBigEndian(crc.value)
    }

    /// Both addresses, then both ports. The paths of Unix sockets are left empty.
    private func write(
        _ source: ProxyEndpoint, _ destination: ProxyEndpoint, _ family: ProxyFamily,
        to writer: inout ByteWriter
    ) {
        guard case .ip(let source, let sourcePort) = source,
            case .ip(let destination, let destinationPort) = destination,
            family == .ipv4 || family == .ipv6
        else {
            writer.write(zeros: family.addressBytes)
            return
        }
        write(source, family, to: &writer)
        write(destination, family, to: &writer)
        writer.writeBigEndian(sourcePort)
        writer.writeBigEndian(destinationPort)
    }

    private func write(
        _ address: IPAddress, _ family: ProxyFamily, to writer: inout ByteWriter
    ) {
        if family == .ipv4 {
            writer.writeBigEndian(address.v4)
        } else {
            writer.writeBigEndian(address.high)
            writer.writeBigEndian(address.low)
        }
    }

    /// Padding served the sender's alignment and the checksum covered its bytes, so neither means
    /// anything in the next header (§2.2.3, §2.2.4).
    private func writeTLVs(_ range: Range<Int>, _ received: RawSpan, to writer: inout ByteWriter) {
        var tlvs = ProxyTLVs(range)
        while let tlv = tlvs.next(in: received) {
            guard tlv.type != ProxyTLV.crc32c, tlv.type != ProxyTLV.noop else { continue }
            writer.write(tlv.type)
            writer.writeBigEndian(UInt16(tlv.value.count))
            writer.write(received, tlv.value)
        }
    }

    private static func has(_ type: UInt8, _ range: Range<Int>, _ received: RawSpan) -> Bool {
        var tlvs = ProxyTLVs(range)
        while let tlv = tlvs.next(in: received) {
            if tlv.type == type { return true }
        }
        return false
    }
}

extension ProxyHeader {
    /// The family in which both addresses can be told. An IPv4 and an IPv6 address together are
    /// IPv6, the IPv4 one mapped (RFC 4291 §2.5.5.2); where one is unknown, neither is told.
    var family: ProxyFamily {
        guard command == .proxy, transport != .unspecified else { return .unspecified }
        switch (source, destination) {
        case (.ip(let source, _), .ip(let destination, _)):
            return source.isIPv4 && destination.isIPv4 ? .ipv4 : .ipv6
        case (.unix, .unix): return .unix
        case (.unspecified, _), (_, .unspecified), (.ip, .unix), (.unix, .ip): return .unspecified
        }
    }
}

extension ProxyHeader.Transport {
    /// The lower half of the v2 header's 14th byte.
    fileprivate var nibble: UInt8 {
        switch self {
        case .unspecified: 0
        case .stream: 1
        case .datagram: 2
        }
    }
}
