import CLinux

/// Where a socket is or goes: an IP address with a port, or a Unix socket's path. `@name` is a
/// Unix address in Linux's abstract namespace (`unix(7)`).
public enum SocketAddress: Hashable, Sendable {
    case ip(IPAddress, port: UInt16)
    case unix(path: String)
}

extension SocketAddress: CustomStringConvertible {
    public var description: String {
        switch self {
        case .ip(let address, let port):
            address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension SocketAddress {
    /// The longest path of a Unix socket: `sun_path` less its terminating zero (`unix(7)`). An
    /// abstract name may have as many bytes, its `@` included.
    public static let unixPathBytesMax = 107

    /// - Precondition: a Unix path has 1 to `unixPathBytesMax` bytes; the configuration checks it.
    public var raw: RawSocketAddress {
        switch self {
        case .ip(let address, let port): RawSocketAddress(address, port: port)
        case .unix(let path): RawSocketAddress(unixPath: path)
        }
    }
}

/// A `sockaddr` as the kernel takes it, of any family. Trivial; 128 bytes and a length.
public struct RawSocketAddress: BitwiseCopyable, Sendable {
    public var storage = sockaddr_storage()
    /// Bytes of `storage` that count. Before a call that fills in an address: `capacity`.
    public var length: socklen_t = 0

    public static let capacity = socklen_t(MemoryLayout<sockaddr_storage>.size)

    public init() {}

    public init(_ address: IPAddress, port: UInt16) {
        if address.isIPv4 {
            var v4 = sockaddr_in()
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port.bigEndian
            v4.sin_addr.s_addr = address.v4.bigEndian
            set(v4, length: MemoryLayout<sockaddr_in>.size)
        } else {
            var v6 = sockaddr_in6()
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = port.bigEndian
            v6.sin6_addr = unsafeBitCast(
                (address.high.bigEndian, address.low.bigEndian), to: in6_addr.self)
            set(v6, length: MemoryLayout<sockaddr_in6>.size)
        }
    }

    public init(unixPath path: String) {
        let bytes = Array(path.utf8)
        precondition(!bytes.isEmpty && bytes.count <= SocketAddress.unixPathBytesMax)
        let isAbstract = bytes[0] == UInt8(ascii: "@")
        storage.ss_family = sa_family_t(AF_UNIX)
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)!
        withUnsafeMutableBytes(of: &storage) { raw in
            raw[offset...].copyBytes(from: bytes)
            if isAbstract { raw[offset] = 0 }
        }
        // An abstract name is as long as it is said to be; a path ends with its zero byte.
        length = socklen_t(offset + bytes.count + (isAbstract ? 0 : 1))
    }

    private mutating func set<Address>(_ address: Address, length: Int) {
        withUnsafeMutableBytes(of: &storage) {
            $0.storeBytes(of: address, as: Address.self)
        }
        self.length = socklen_t(length)
    }

    public var family: Int32 { Int32(storage.ss_family) }

    /// The IP address and port, or nil for another family. An IPv4-mapped address is given as IPv4.
    public var ip: (address: IPAddress, port: UInt16)? {
        withUnsafeBytes(of: storage) { raw in
            switch family {
            case AF_INET:
                let v4 = raw.load(as: sockaddr_in.self)
                return (
                    IPAddress(v4: UInt32(bigEndian: v4.sin_addr.s_addr)),
                    UInt16(bigEndian: v4.sin_port)
                )
            case AF_INET6:
                let v6 = raw.load(as: sockaddr_in6.self)
                return (IPAddress(v6.sin6_addr).unmapped, UInt16(bigEndian: v6.sin6_port))
            default:
                return nil
            }
        }
    }
}
