import CLinux

/// An IPv4 or IPv6 address: 16 bytes in network order, IPv4 in its mapped form (`::ffff:a.b.c.d`,
/// RFC 4291 §2.5.5.2) with `isIPv4` telling which family it was written in. Trivial, so that it
/// may stand in a slab.
public struct IPAddress: BitwiseCopyable, Hashable, Sendable {
    /// Bytes 0–7 and 8–15 of the address, each in network (big-endian) order.
    public let high: UInt64
    public let low: UInt64
    public let isIPv4: Bool

    public init(v6High high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
        self.isIPv4 = false
    }

    /// - Parameter v4: the address in host order: 127.0.0.1 is 0x7f000001.
    public init(v4: UInt32) {
        self.high = 0
        self.low = 0x0000_ffff_0000_0000 | UInt64(v4)
        self.isIPv4 = true
    }

    /// The IPv4 address in host order; meaningful only when `isIPv4`.
    public var v4: UInt32 { UInt32(truncatingIfNeeded: low) }

    /// An IPv6 address of the form `::ffff:a.b.c.d` as the IPv4 address that it maps; dual-stack
    /// sockets report IPv4 clients so (RFC 3493 §3.7).
    public var unmapped: IPAddress {
        guard !isIPv4, high == 0, low >> 32 == 0xffff else { return self }
        return IPAddress(v4: UInt32(truncatingIfNeeded: low))
    }

    public static let anyIPv4 = IPAddress(v4: 0)
    public static let anyIPv6 = IPAddress(v6High: 0, low: 0)
    public static let loopbackIPv4 = IPAddress(v4: 0x7f00_0001)
    public static let loopbackIPv6 = IPAddress(v6High: 0, low: 1)

    public var isAny: Bool { isIPv4 ? v4 == 0 : high == 0 && low == 0 }
}

extension IPAddress: LosslessStringConvertible {
    /// Parses the textual form as `inet_pton(3)` does: four decimal octets without leading zeros,
    /// or RFC 4291 §2.2 without a zone. Nil for anything else.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        // A zero byte would end the text for inet_pton(3), and hide what follows it.
        guard text.utf8.count < Int(INET6_ADDRSTRLEN), !text.utf8.contains(0) else { return nil }
        if text.utf8.contains(UInt8(ascii: ":")) {
            var address = in6_addr()
            guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
            self.init(address)
        } else {
            var address = in_addr()
            guard inet_pton(AF_INET, text, &address) == 1 else { return nil }
            self.init(v4: UInt32(bigEndian: address.s_addr))
        }
    }

    public init?(_ description: String) {
        self.init(Substring(description))
    }

    init(_ address: in6_addr) {
        let halves = unsafeBitCast(address, to: (UInt64, UInt64).self)
        self.init(v6High: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1))
    }

    /// RFC 5952 for IPv6, dotted decimal for IPv4.
    public var description: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
            if isIPv4 {
                var address = in_addr(s_addr: v4.bigEndian)
                inet_ntop(AF_INET, &address, text.baseAddress!, socklen_t(text.count))
            } else {
                var halves = (high.bigEndian, low.bigEndian)
                inet_ntop(AF_INET6, &halves, text.baseAddress!, socklen_t(text.count))
            }
            return String(cString: text.baseAddress!)
        }
    }
}

extension IPAddress: TableKey {
    public func hash(seed: UInt64) -> UInt64 {
        var mixer = WordMixer(seed: seed)
        mixer.mix(high)
        mixer.mix(low)
        return mixer.state
    }
}
