import Primitives

/// What a PROXY protocol header says of the connection that it precedes (HAProxy's
/// `proxy-protocol.txt`, section numbers below refer to it). Trivial, so that it may stand in a
/// slab; what has no fixed size stays in the header's bytes and is named by offset.
public struct ProxyHeader: Hashable, Sendable {
    /// The text form (§2.1) or the binary form (§2.2).
    public enum Version: Hashable, Sendable { case v1, v2 }

    /// Whether the connection is made on behalf of a client, or is the proxy's own, such as a
    /// health check; then the real addresses of the connection count.
    public enum Command: Hashable, Sendable { case local, proxy }

    /// What kind of socket the client used.
    public enum Transport: Hashable, Sendable { case unspecified, stream, datagram }

    public var version: Version
    public var command: Command
    public var transport: Transport
    /// The client as the first proxy saw it. Source and destination are of one kind, or both
    /// unspecified; IPv4-mapped addresses are given as IPv4.
    public var source: ProxyEndpoint
    /// Where the client connected to.
    public var destination: ProxyEndpoint
    /// The header's TLVs (v2), as offsets from its first byte; read them with `ProxyTLVs`.
    public var tlvs: Range<Int>

    public init(
        version: Version, command: Command = .proxy, transport: Transport = .stream,
        source: ProxyEndpoint = .unspecified, destination: ProxyEndpoint = .unspecified,
        tlvs: Range<Int> = 0..<0
    ) {
        self.version = version
        self.command = command
        self.transport = transport
        self.source = source
        self.destination = destination
        self.tlvs = tlvs
    }
}

/// One end of the connection that a PROXY header describes. Trivial.
public enum ProxyEndpoint: Hashable, Sendable {
    case unspecified
    case ip(IPAddress, port: UInt16)
    /// A Unix socket. Its path stays in the header: 108 bytes padded with zeros at
    /// `ProxyHeader.unixSourcePath` and `unixDestinationPath`.
    case unix

    /// A socket's address as a header can say it; a Unix path is left out.
    public init(_ address: SocketAddress) {
        switch address {
        case .ip(let address, let port): self = .ip(address, port: port)
        case .unix: self = .unix
        }
    }

    /// The kernel's address; of another family than IP and Unix it is unspecified.
    public init(_ address: RawSocketAddress) {
        if let (ip, port) = address.ip {
            self = .ip(ip, port: port)
        } else {
            // AF_UNIX is 1 in every Linux ABI; the layer below keeps the C headers to itself.
            self = address.family == 1 ? .unix : .unspecified
        }
    }
}

extension ProxyHeader {
    /// The 12 bytes and the 4 after them with which every v2 header begins (§2.2).
    static let v2HeadBytes = 16

    /// Where the paths of a v2 header with Unix addresses stand, from the header's first byte.
    public static let unixSourcePath = 16..<124
    public static let unixDestinationPath = 124..<232

    /// The longest v1 line, its CRLF included (§2.1).
    public static let v1BytesMax = 107

    /// The longest v2 header without TLVs: two Unix paths.
    public static let v2BytesMaxWithoutTLVs = 232
}

/// The address families of the v2 header's 14th byte (§2.2).
enum ProxyFamily: UInt8 {
    case unspecified = 0
    case ipv4 = 1
    case ipv6 = 2
    case unix = 3

    /// Bytes of both addresses and their ports.
    var addressBytes: Int {
        switch self {
        case .unspecified: 0
        case .ipv4: 12
        case .ipv6: 36
        case .unix: 216
        }
    }
}

/// The first bytes of either version; none is the beginning of the other.
enum ProxySignature {
    static let v1: InlineArray<6, UInt8> = [0x50, 0x52, 0x4f, 0x58, 0x59, 0x20]
    static let v2: InlineArray<12, UInt8> = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]
}
