import Primitives

/// Who may use a listener or route (SecurityPolicy `spec.authorization`): the first rule that
/// matches decides, else the default.
public struct AuthorizationPlan: Hashable, Sendable {
    public struct Rule: Hashable, Sendable {
        public var name: String
        public var allows: Bool
        /// The client's address is in one of these; empty = wherever it is.
        public var clients: [AddressRange]
        /// The request has all of these headers, each with one of its values. Names are lowercase.
        public var headers: [Header]
        /// Empty = every method.
        public var methods: [String]

        public init(
            name: String, allows: Bool, clients: [AddressRange] = [], headers: [Header] = [],
            methods: [String] = []
        ) {
            self.name = name
            self.allows = allows
            self.clients = clients
            self.headers = headers
            self.methods = methods
        }
    }

    public struct Header: Hashable, Sendable {
        public var name: String
        public var values: [String]

        public init(name: String, values: [String]) {
            self.name = name
            self.values = values
        }
    }

    public var rules: [Rule]
    public var allowsByDefault: Bool

    public init(rules: [Rule] = [], allowsByDefault: Bool = false) {
        self.rules = rules
        self.allowsByDefault = allowsByDefault
    }
}

/// A CIDR block (RFC 4632, RFC 4291 section 2.3): an address and how many of its first bits count.
public struct AddressRange: Hashable, Sendable {
    public let address: IPAddress
    /// 0 to 32 for IPv4, 0 to 128 for IPv6.
    public let prefixBits: UInt8

    /// - Parameter text: as in `10.0.0.0/8`; a lone address is a block of one. Nil = it is neither.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])) else { return nil }
        let bitsMax: UInt8 = address.isIPv4 ? 32 : 128
        self.address = address
        guard parts.count == 2 else {
            prefixBits = bitsMax
            return
        }
        guard let bits = UInt8(parts[1]), bits <= bitsMax else { return nil }
        prefixBits = bits
    }
}
