import Primitives

/// Numbers that stay the same for the same client or endpoint, on every worker and after every
/// restart. They have no secret: a client that chooses its own header also chooses its endpoint.
public enum ConsistentHash {
    public static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        mix(ByteTable.hash(bytes))
    }

    /// IPv4 is the same address however it was written.
    public static func hash(_ address: IPAddress) -> UInt64 {
        mix(mix(address.high) ^ address.low)
    }

    /// An endpoint's key in a `Maglev` table: a name's addresses have one each.
    public static func key(of endpoint: SocketAddress) -> UInt64 {
        switch endpoint {
        case .ip(let address, let port): combine(hash(address), UInt64(port))
        case .unix(let path): hash(path.utf8)
        }
    }

    /// All bits of the number count in each bit of the result.
    private static func mix(_ number: UInt64) -> UInt64 {
        var random = SeededRandom(seed: number)
        return random.next()
    }

    static func combine(_ left: UInt64, _ right: UInt64) -> UInt64 { mix(left ^ mix(right)) }
}

extension LoadBalancerPlan.HashKey {
    /// Of a connection or flow; nil = it has nothing to tell it by, and any endpoint will do.
    public func hash(client: IPAddress?) -> UInt64? {
        guard case .sourceAddress = self else { return nil }
        return client.map(ConsistentHash.hash)
    }

    /// Of a request. Headers or parameters that are missing are left out; nil = all are.
    public func hash(
        client: IPAddress?, head: borrowing some HTTPRequestHead & ~Copyable
    ) -> UInt64? {
        switch self {
        case .sourceAddress: return hash(client: client)
        case .cookie(let name, _): return Self.cookie(name, head).map(ConsistentHash.hash)
        case .headers(let names):
            var result: UInt64?
            for name in names {
                _ = Array(name.utf8).withUnsafeBytes { name in
                    head.withHeader(name) { value in
                        result = ConsistentHash.combine(result ?? 0, ConsistentHash.hash(value))
                        return true
                    }
                }
            }
            return result
        case .queryParameters(let names):
            var result: UInt64?
            for name in names {
                let value = Array(name.utf8).withUnsafeBytes { QueryString(head.query).first($0) }
                guard let value else { continue }
                let hash = ConsistentHash.hash(QueryString.decode(value))
                result = ConsistentHash.combine(result ?? 0, hash)
            }
            return result
        }
    }

    /// The value of a cookie (RFC 6265 section 4.2.1): pairs with a semicolon and a space between.
    private static func cookie(
        _ name: String, _ head: borrowing some HTTPRequestHead & ~Copyable
    ) -> ArraySlice<UInt8>? {
        let wanted = Array(name.utf8)
        for line in 0..<head.headerCount
        where head.headerName(line).lazy.map(\.lowercase).elementsEqual("cookie".utf8) {
            for pair in Array(head.headerValue(line)).split(separator: UInt8(ascii: ";")) {
                let pair = pair.drop { $0 == UInt8(ascii: " ") }
                guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
                if pair[..<equals].elementsEqual(wanted) { return pair[(equals + 1)...] }
            }
        }
        return nil
    }
}
