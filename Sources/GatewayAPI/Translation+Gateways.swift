import Manifest
import Primitives
import Routing

// Gateways: which listeners are served, and on which addresses.

extension Translation {
    /// Why a listener is not served.
    private struct Refusal {
        let reason: String
        let message: String
        /// The listeners of one Gateway contradict each other.
        var isConflict = false
    }

    mutating func translate(_ gateway: Gateway) {
        let identity = gateway.metadata.identity
        let addressesBad = gateway.addresses.filter {
            if case .unsupported = $0.value { true } else { false }
        }
        for address in addressesBad {
            guard case .unsupported(let type) = address.value else { continue }
            report(
                .error, at: address.place, identity, path: "\(address.path).type",
                "\(type) cannot be listened on; use IPAddress or \(Gateway.unixAddressType)")
        }
        guard addressesBad.isEmpty else {
            let message = "an address is of a type that cannot be listened on"
            condition(
                .object(identity), of: gateway.metadata, "Accepted", false, "UnsupportedAddress",
                message)
            condition(
                .object(identity), of: gateway.metadata, "Programmed", false, "AddressNotUsable",
                message)
            return
        }
        var served = 0
        let before = conditions.count
        for listener in gateway.listeners where translate(listener, of: gateway) { served += 1 }
        let isWhole = served == gateway.listeners.count
        // Whether the Gateway is accepted is known last and said first.
        let ofListeners = Array(conditions.suffix(from: before))
        conditions.removeLast(ofListeners.count)
        condition(
            .object(identity), of: gateway.metadata, "Accepted", true,
            isWhole ? "Accepted" : "ListenersNotValid",
            isWhole ? "" : "\(gateway.listeners.count - served) of the listeners are not served")
        condition(
            .object(identity), of: gateway.metadata, "Programmed", served > 0,
            served > 0 ? "Programmed" : "Invalid", served > 0 ? "" : "no listener is served")
        conditions += ofListeners
    }

    /// Whether the listener is served.
    private mutating func translate(_ listener: Gateway.Listener, of gateway: Gateway) -> Bool {
        let identity = gateway.metadata.identity
        let subject = Condition.Subject.listener(identity, name: listener.name.value)
        let addresses = addresses(of: listener, gateway)
        let refusal = refusal(of: listener, gateway, addresses)
        if let refusal {
            report(
                .error, at: listener.name.place, identity, path: listener.path, refusal.message)
        }
        condition(
            subject, of: gateway.metadata, "Accepted", refusal == nil,
            refusal?.reason ?? "Accepted", refusal?.message ?? "")
        condition(
            subject, of: gateway.metadata, "Conflicted", refusal?.isConflict == true,
            refusal?.isConflict == true ? "ProtocolConflict" : "NoConflicts")
        resolveKinds(listener, gateway, subject)
        condition(
            subject, of: gateway.metadata, "Programmed", refusal == nil,
            refusal == nil ? "Programmed" : "Invalid")
        guard refusal == nil else { return false }
        append(listener, of: gateway, addresses)
        return true
    }

    private mutating func append(
        _ listener: Gateway.Listener, of gateway: Gateway, _ addresses: [SocketAddress]
    ) {
        let isTCP = listener.protocol.value == "TCP"
        let policy = policies.clientPolicy(
            gateway: gateway.metadata.identity, listener: listener.name.value)
        let name = "\(gateway.metadata.namespace)/\(gateway.metadata.name)/\(listener.name.value)"
        plan.listeners.append(
            ListenerPlan(
                name: name, addresses: addresses,
                transport: isTCP
                    ? .tcp(policy?.settings ?? TCPListenerPlan()) : .udp(UDPListenerPlan())))
        let transport: Route.Transport = isTCP ? .tcp : .udp
        for place in Set(addresses.map { BindPlace($0, transport) }) {
            listenersAtPlace[place, default: []].append(listeners.count)
        }
        listenersOfGateway[gateway.metadata.identity, default: []].append(listeners.count)
        listeners.append(
            ServedListener(gateway: gateway, listener: listener, addresses: addresses))
    }

    private func addresses(of listener: Gateway.Listener, _ gateway: Gateway) -> [SocketAddress] {
        guard !gateway.addresses.isEmpty else {
            return [.ip(.anyIPv6, port: listener.port.value)]
        }
        return gateway.addresses.compactMap { address in
            switch address.value {
            case .ip(let ip): .ip(ip, port: listener.port.value)
            case .unix(let path): listener.protocol.value == "TCP" ? .unix(path: path) : nil
            case .unsupported: nil
            }
        }
    }

    private func refusal(
        of listener: Gateway.Listener, _ gateway: Gateway, _ addresses: [SocketAddress]
    ) -> Refusal? {
        let name = listener.protocol.value
        guard name == "TCP" || name == "UDP" else {
            let isKnown = ["HTTP", "HTTPS", "TLS"].contains(name)
            return Refusal(
                reason: "UnsupportedProtocol",
                message: isKnown
                    ? "protocol \(name) is not served yet; use TCP or UDP"
                    : "protocol \(Scalar(name, isText: true).excerpt) is unknown; use TCP or UDP")
        }
        guard !addresses.isEmpty else {
            return Refusal(
                reason: "UnsupportedValue",
                message: "a UDP listener cannot be on a Unix socket; give the Gateway an IPAddress")
        }
        if Set(addresses).count < addresses.count {
            return Refusal(
                reason: "PortUnavailable", message: "the Gateway has the same address twice")
        }
        let transport: Route.Transport = name == "TCP" ? .tcp : .udp
        for address in addresses {
            for index in listenersAtPlace[BindPlace(address, transport)] ?? [] {
                let other = listeners[index]
                guard other.addresses.contains(where: { Self.overlap($0, address) }) else {
                    continue
                }
                return conflict(name, address, other, gateway)
            }
        }
        return nil
    }

    private func conflict(
        _ name: String, _ address: SocketAddress, _ other: ServedListener, _ gateway: Gateway
    ) -> Refusal {
        let isOwn = other.gateway.metadata.identity == gateway.metadata.identity
        let owner =
            isOwn
            ? "listener \(other.listener.name.value)"
            : "listener \(other.listener.name.value) of \(other.gateway.metadata.identity)"
        return Refusal(
            reason: isOwn ? "ProtocolConflict" : "PortUnavailable",
            message: "\(name) \(address) is taken by \(owner); choose another port",
            isConflict: isOwn)
    }

    /// Whether two sockets of one transport could not both be bound. `::` takes IPv4 along.
    private static func overlap(_ left: SocketAddress, _ right: SocketAddress) -> Bool {
        guard case .ip(let leftIP, let leftPort) = left,
            case .ip(let rightIP, let rightPort) = right
        else { return left == right }
        guard leftPort == rightPort else { return false }
        if leftIP == rightIP || leftIP == .anyIPv6 || rightIP == .anyIPv6 { return true }
        return leftIP.isIPv4 == rightIP.isIPv4 && (leftIP.isAny || rightIP.isAny)
    }

    /// `allowedRoutes.kinds` against the one kind that the protocol carries.
    private mutating func resolveKinds(
        _ listener: Gateway.Listener, _ gateway: Gateway, _ subject: Condition.Subject
    ) {
        let carried = listener.protocol.value + "Route"
        let wrong = (listener.kinds ?? []).filter {
            $0.group != Kind.gatewayGroup || $0.kind != carried
        }
        for kind in wrong {
            report(
                .error, at: kind.place, gateway.metadata.identity,
                path: "\(listener.path).allowedRoutes.kinds",
                "a \(listener.protocol.value) listener does not carry \(kind.kind); use \(carried)")
        }
        let names = wrong.map(\.kind).joined(separator: ", ")
        condition(
            subject, of: gateway.metadata, "ResolvedRefs", wrong.isEmpty,
            wrong.isEmpty ? "ResolvedRefs" : "InvalidRouteKinds",
            wrong.isEmpty ? "" : "the protocol does not carry \(names)")
    }
}
