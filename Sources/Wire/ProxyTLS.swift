/// What a v2 header tells of the TLS that a client's connection came by (§2.2.1, §2.2.2, §2.2.5,
/// "PP2_TYPE_SSL"). Trivial: it refers to memory of whoever speaks TLS.
public struct ProxyTLS: BitwiseCopyable {
    /// A certificate of the client's.
    public enum Certificate: BitwiseCopyable {
        case none
        /// Shown on this connection.
        case shown(isVerified: Bool)
        /// Shown on the connection that this one resumes.
        case resumed(isVerified: Bool)
    }

    /// The version's name, as in `TLSv1.3`, 1 to 15 bytes.
    public var version: UnsafeRawBufferPointer
    /// What ALPN has chosen; empty = nothing.
    public var protocolName = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The name that the client asked for, as it wrote it; empty = none.
    public var serverName = UnsafeRawBufferPointer(start: nil, count: 0)
    public var certificate = Certificate.none

    public init(version: UnsafeRawBufferPointer) {
        self.version = version
    }

    /// The most that its TLVs take.
    public static let bytesMax =
        2 * (ProxyTLV.headBytes + 255) + 2 * ProxyTLV.headBytes + clientBytes + 15
    /// `client` and `verify` of `pp2_tlv_ssl`.
    private static let clientBytes = 5
    /// PP2_SUBTYPE_SSL_VERSION.
    private static let versionType: UInt8 = 0x21

    /// Writes the TLVs whose types the header that was received has not: what the first proxy says
    /// of the client goes before what is known here of the connection from it.
    func write(to writer: inout ByteWriter, unless isThere: (UInt8) -> Bool) {
        if !isThere(ProxyTLV.alpn) { Self.write(ProxyTLV.alpn, protocolName, to: &writer) }
        if !isThere(ProxyTLV.authority) { Self.write(ProxyTLV.authority, serverName, to: &writer) }
        guard !isThere(ProxyTLV.ssl) else { return }
        precondition(1...15 ~= version.count)
        writer.write(ProxyTLV.ssl)
        writer.writeBigEndian(UInt16(Self.clientBytes + ProxyTLV.headBytes + version.count))
        writer.write(client)
        writer.writeBigEndian(isVerified ? 0 : 1 as UInt32)
        Self.write(Self.versionType, version, to: &writer)
    }

    /// Nothing is said by an empty value; names have 255 bytes at most (RFC 7301, RFC 6066).
    private static func write(
        _ type: UInt8, _ value: UnsafeRawBufferPointer, to writer: inout ByteWriter
    ) {
        guard 1...255 ~= value.count else { return }
        writer.write(type)
        writer.writeBigEndian(UInt16(value.count))
        writer.write(value.bytes, 0..<value.count)
    }

    /// PP2_CLIENT_SSL, _CERT_CONN and _CERT_SESS.
    private var client: UInt8 {
        switch certificate {
        case .none: 0x01
        case .shown: 0x01 | 0x02 | 0x04
        case .resumed: 0x01 | 0x04
        }
    }

    private var isVerified: Bool {
        switch certificate {
        case .none: false
        case .shown(let isVerified), .resumed(let isVerified): isVerified
        }
    }
}
