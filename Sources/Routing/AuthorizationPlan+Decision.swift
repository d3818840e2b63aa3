import Primitives

extension AuthorizationPlan {
    /// Whether a client may come in, and which rule said so.
    public struct Verdict: Hashable, Sendable {
        public var isAllowed: Bool
        /// Index into `rules`; nil = none matched, and the default decides.
        public var rule: Int?

        public init(isAllowed: Bool, rule: Int? = nil) {
            self.isAllowed = isAllowed
            self.rule = rule
        }
    }

    /// Of a connection or flow, which has an address only: rules that ask for headers or methods
    /// do not match it.
    /// - Parameter client: nil = it has none, as over a Unix socket: rules that ask for one do not
    ///   match.
    public func decide(client: IPAddress?) -> Verdict {
        for index in rules.indices
        where rules[index].headers.isEmpty && rules[index].methods.isEmpty {
            if rules[index].hasClient(client) { return verdict(index) }
        }
        return Verdict(isAllowed: allowsByDefault)
    }

    /// Of a request.
    public func decide(
        client: IPAddress?, head: borrowing some HTTPRequestHead & ~Copyable
    ) -> Verdict {
        for index in rules.indices where rules[index].hasClient(client) {
            if rules[index].hasMethod(head), rules[index].hasHeaders(head) { return verdict(index) }
        }
        return Verdict(isAllowed: allowsByDefault)
    }

    public func name(of verdict: Verdict) -> String? { verdict.rule.map { rules[$0].name } }

    private func verdict(_ rule: Int) -> Verdict {
        Verdict(isAllowed: rules[rule].allows, rule: rule)
    }
}

extension AuthorizationPlan.Rule {
    fileprivate func hasClient(_ client: IPAddress?) -> Bool {
        guard !clients.isEmpty else { return true }
        guard let client else { return false }
        for range in clients where range.contains(client) { return true }
        return false
    }

    fileprivate func hasMethod(_ head: borrowing some HTTPRequestHead & ~Copyable) -> Bool {
        guard !methods.isEmpty else { return true }
        for method in methods where head.method.elementsEqual(method.utf8) { return true }
        return false
    }

    fileprivate func hasHeaders(_ head: borrowing some HTTPRequestHead & ~Copyable) -> Bool {
        for header in headers {
            var name = header.name
            let hasOne = name.withUTF8 { name in
                for value in header.values {
                    var value = value
                    let isEqual = value.withUTF8 { value in
                        head.hasHeader(
                            UnsafeRawBufferPointer(name), value: UnsafeRawBufferPointer(value))
                    }
                    if isEqual { return true }
                }
                return false
            }
            guard hasOne else { return false }
        }
        return true
    }
}

extension AddressRange {
    /// Whether an address is in the block. IPv4 is IPv4 however it was written: a dual-stack
    /// socket's `::ffff:10.0.0.1` is in `10.0.0.0/8`, and `10.0.0.1` in `::ffff:10.0.0.0/104`
    /// (RFC 4291 section 2.5.5.2). Of other IPv6 blocks only `::/0` has IPv4 addresses: it means
    /// everybody.
    public func contains(_ client: IPAddress) -> Bool {
        // Addresses are kept in their mapped form: 96 bits stand before an IPv4 address.
        let bits = address.isIPv4 ? prefixBits + 96 : prefixBits
        guard bits >= 96 || bits == 0 || !client.unmapped.isIPv4 else { return false }
        let high = Self.mask(min(bits, 64))
        let low = Self.mask(bits > 64 ? bits - 64 : 0)
        return (client.high ^ address.high) & high == 0 && (client.low ^ address.low) & low == 0
    }

    /// So many ones in front.
    private static func mask(_ bits: UInt8) -> UInt64 { bits == 0 ? 0 : ~0 << (64 - UInt64(bits)) }
}
