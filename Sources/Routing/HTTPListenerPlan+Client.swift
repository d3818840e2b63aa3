import Primitives

extension HTTPListenerPlan.ClientAddress {
    /// Who a request is from.
    public enum Finding: Hashable, Sendable {
        /// Nil = its client has no address, as over a Unix socket.
        case known(IPAddress?)
        /// The request does not say it, and is not to be served without
        /// (`customHeader.failClosed`).
        case denied
    }

    /// - Parameter connection: whom the request's connection is from.
    public func find(
        in head: borrowing some HTTPRequestHead & ~Copyable, connection: IPAddress?
    ) -> Finding {
        switch self {
        case .connection:
            return .known(connection)
        case .forwardedFor(let hops):
            // Counted from the right, where the nearest of them wrote.
            let addresses = Self.forwarded(head)
            guard hops > 0, addresses.count >= Int(hops),
                let address = addresses[addresses.count - Int(hops)]
            else { return .known(connection) }
            return .known(address)
        case .forwardedForTrusting(let ranges):
            var client = connection
            for address in Self.forwarded(head).reversed() {
                guard let known = client, ranges.contains(where: { $0.contains(known) }),
                    let address
                else { break }
                client = address
            }
            return .known(client)
        case .header(let name, let failsClosed):
            var name = name
            let address: IPAddress? = name.withUTF8 { name in
                guard let line = head.headerLine(UnsafeRawBufferPointer(name)) else { return nil }
                return Self.address(head.headerValue(line))
            }
            if let address { return .known(address) }
            return failsClosed ? .denied : .known(connection)
        }
    }

    /// What `X-Forwarded-For` names, in its order; nil where it is no address.
    private static func forwarded(
        _ head: borrowing some HTTPRequestHead & ~Copyable
    ) -> [IPAddress?] {
        let name: StaticString = "x-forwarded-for"
        let bytes = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        var addresses: [IPAddress?] = []
        var next = head.headerLine(bytes)
        while let line = next {
            for part in head.headerValue(line).split(
                separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            {
                addresses.append(address(UnsafeRawBufferPointer(rebasing: part)))
            }
            next = head.headerLine(bytes, from: line + 1)
        }
        return addresses
    }

    private static func address(_ bytes: UnsafeRawBufferPointer) -> IPAddress? {
        let text = String(decoding: bytes, as: UTF8.self)
        return IPAddress(text.drop { $0 == " " }.prefix { $0 != " " })
    }
}
