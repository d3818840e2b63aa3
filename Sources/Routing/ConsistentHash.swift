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
        case .cookie(var name, _, _):
            return name.withUTF8 { name in
                CookiePairs.value(UnsafeRawBufferPointer(name), of: head).map(ConsistentHash.hash)
            }
        case .headers(let names):
            var result: UInt64?
            for var name in names {
                _ = name.withUTF8 { name in
                    head.withHeader(UnsafeRawBufferPointer(name)) { value in
                        result = ConsistentHash.combine(result ?? 0, ConsistentHash.hash(value))
                        return true
                    }
                }
            }
            return result
        case .queryParameters(let names):
            var result: UInt64?
            for var name in names {
                let value = name.withUTF8 {
                    QueryString(head.query).first(UnsafeRawBufferPointer($0))
                }
                guard let value else { continue }
                let hash = ConsistentHash.hash(QueryString.Decoded(value))
                result = ConsistentHash.combine(result ?? 0, hash)
            }
            return result
        }
    }
}
