import Primitives
import Routing

/// How one name is resolved: what a `DNSPlan` says, with every default filled in. Two lookups of
/// one name with equal settings are one lookup. Milliseconds.
public struct LookupSettings: Hashable, Sendable {
    public var family: DNSPlan.Family
    public var refreshInterval: UInt64
    public var respectsTTL: Bool
    public var ttlMin: UInt64
    public var ttlMax: UInt64
    /// How long after it ran out an answer is used while nobody gives another.
    public var staleMax: UInt64
    /// The same while servers say that there is none, from when they first did.
    public var staleWhileAbsentMax: UInt64
    /// How long it is believed that there is no answer; nil = as the zone says.
    public var ttlNegative: UInt64?
    /// In a hundred of the interval, that is waited longer at most.
    public var jitterPercent: UInt64
    /// The servers to ask, in this order; empty = the system's.
    public var servers: [SocketAddress]

    /// A name with a TTL of a second or two is asked for once a second, not at each turn.
    public static let ttlMinDefault: UInt64 = 1_000
    public static let ttlMaxDefault: UInt64 = 86_400_000
    /// RFC 8767 §5 suggests one to three days.
    public static let staleMaxDefault: UInt64 = 86_400_000
    /// Short where a server is decided: who took the address over is not to get our traffic for a
    /// day.
    public static let staleWhileAbsentMaxDefault: UInt64 = 300_000
    /// Whatever the configuration says, no name is asked for more often.
    static let intervalMin: UInt64 = 100

    /// Servers that are no addresses are left out; the configuration's check has told of them.
    public init(_ plan: DNSPlan = DNSPlan()) {
        family = plan.family
        refreshInterval = max(UInt64(plan.refreshInterval), Self.intervalMin)
        respectsTTL = plan.respectsTTL
        ttlMin = plan.ttlMin.map(UInt64.init) ?? Self.ttlMinDefault
        ttlMax = max(plan.ttlMax.map(UInt64.init) ?? Self.ttlMaxDefault, Self.intervalMin)
        staleMax = plan.staleMax.map(UInt64.init) ?? Self.staleMaxDefault
        staleWhileAbsentMax = plan.staleMax.map(UInt64.init) ?? Self.staleWhileAbsentMaxDefault
        ttlNegative = plan.ttlNegative.map { max(UInt64($0), Self.intervalMin) }
        jitterPercent = UInt64(plan.jitterPercent)
        servers = plan.servers.compactMap(Self.server)
    }

    /// `address`, `address:port` or `[address]:port`; the port is 53 where none is given.
    public static func server(_ text: String) -> SocketAddress? {
        if let address = IPAddress(text) { return .ip(address, port: 53) }
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]), port > 0
        else {
            return bracketed(text[...]).map { .ip($0, port: 53) }
        }
        let host = text[..<colon]
        if let address = bracketed(host) { return .ip(address, port: port) }
        guard let address = IPAddress(host), address.isIPv4 else { return nil }
        return .ip(address, port: port)
    }

    private static func bracketed(_ text: Substring) -> IPAddress? {
        guard text.first == "[", text.last == "]", text.count > 2 else { return nil }
        return IPAddress(text.dropFirst().dropLast())
    }

    // MARK: - Intervals

    /// How long an answer counts as fresh. A TTL of 0 does not say when to ask again, so the
    /// refresh interval does, as with Envoy: a thousand such names would be a storm.
    func interval(ofTTL seconds: UInt32) -> UInt64 {
        guard respectsTTL, seconds > 0 else { return refreshInterval }
        return max(min(max(UInt64(seconds) * 1_000, ttlMin), ttlMax), Self.intervalMin)
    }

    /// How long it is believed that there is no answer: the zone may say more than the refresh
    /// interval, but a name that is awaited is asked for.
    func interval(ofNegativeTTL seconds: UInt32?) -> UInt64 {
        if let ttlNegative { return ttlNegative }
        guard respectsTTL, let seconds else { return refreshInterval }
        return min(max(UInt64(seconds) * 1_000, Self.ttlMinDefault), refreshInterval)
    }
}
