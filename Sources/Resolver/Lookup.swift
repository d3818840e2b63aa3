import Primitives
import Routing
import Wire

/// A name to keep resolved, and how. What is wanted of the resolver is a set of these; an answer is
/// told by the very lookup that asked for it.
public struct Lookup: Hashable, Sendable {
    public enum Subject: Hashable, Sendable {
        /// A host's name, for its addresses. A dot at the end keeps the search list away.
        case host(String)
        /// A service's name (RFC 2782), as `_ldap._tcp.example.com`, for names, ports and weights.
        case service(String)
    }

    public let subject: Subject
    public let settings: LookupSettings

    public init(_ subject: Subject, _ settings: LookupSettings = LookupSettings()) {
        self.subject = subject
        self.settings = settings
    }

    /// What of a plan's endpoint needs resolving; nil where there is nothing.
    public init?(_ target: EndpointPlan.Target, _ plan: DNSPlan) {
        switch target {
        case .address: return nil
        case .name(let name, port: _): self.init(.host(name), LookupSettings(plan))
        case .service(let name): self.init(.service(name), LookupSettings(plan))
        }
    }

    public var name: String {
        switch subject {
        case .host(let name), .service(let name): name
        }
    }
}

/// What a lookup came to. Equal values mean that nothing changed.
public enum Resolution: Hashable, Sendable {
    /// IPv4 first, then by value; empty when nothing is known or there is nothing.
    case addresses([IPAddress])
    /// By priority, the least first (RFC 2782); without targets that have no addresses. Empty too
    /// when the service says that it is not available.
    case tiers([[ServiceTarget]])

    public var isEmpty: Bool {
        switch self {
        case .addresses(let addresses): addresses.isEmpty
        case .tiers(let tiers): tiers.isEmpty
        }
    }
}

/// One target of a service with its addresses.
public struct ServiceTarget: Hashable, Sendable {
    public let name: String
    public let port: UInt16
    /// As the record has it; see `shares`.
    public let weight: UInt16
    public let addresses: [IPAddress]

    public init(name: String, port: UInt16, weight: UInt16, addresses: [IPAddress]) {
        self.name = name
        self.port = port
        self.weight = weight
        self.addresses = addresses
    }

    /// The endpoints of one tier with integer weights. A target's weight is shared by its
    /// addresses, so that one with many is not chosen more often than it says; weight 0 beside
    /// others is "a very small chance" (RFC 2782), and among its like an equal one.
    public static func shares(
        of tier: [ServiceTarget]
    ) -> [(address: SocketAddress, weight: UInt32)] {
        let isEqual = tier.allSatisfy { $0.weight == 0 }
        return tier.flatMap { target in
            let weight = isEqual ? 1 : UInt32(target.weight)
            let share = max(weight * shareScale / UInt32(max(target.addresses.count, 1)), 1)
            return target.addresses.map { (SocketAddress.ip($0, port: target.port), share) }
        }
    }

    /// Weights have 16 bits, so this leaves 14 for the addresses of a target to share.
    private static let shareScale: UInt32 = 1 << 14
}
