import Manifest
import Primitives
import Routing

// Gateways and ListenerSets: which listeners there are, which are accepted, and on what addresses.

extension Translation {
    mutating func collectListeners(of gateway: Gateway) {
        guard isOurs(gateway) else { return }
        for address in gateway.addresses {
            guard case .unsupported(let type) = address.value else { continue }
            report(
                .error, at: address.place, gateway.metadata.identity, path: "\(address.path).type",
                rule: "UnsupportedAddress",
                "\(type) cannot be listened on; use IPAddress or \(Gateway.unixAddressType)")
        }
        if let fault = fault(of: gateway), let parameters = gateway.parameters,
            fault.reason == "InvalidParameters"
        {
            report(
                .error, at: parameters.name.place, gateway.metadata.identity,
                path: parameters.path, rule: fault.reason, "there is no \(parameters.identity)")
        }
        for listener in gateway.listeners {
            collect(listener, of: gateway, owner: gateway.metadata)
        }
        let sets = objects.listenerSets.filter { set in
            set.parent.map { $0.identity == gateway.metadata.identity } ?? false
        }
        for set in sets.sorted(by: { $0.metadata.precedes($1.metadata) })
        where allows(gateway.allowedListeners, set.metadata.namespace, of: gateway.metadata) {
            for listener in set.listeners { collect(listener, of: gateway, owner: set.metadata) }
        }
    }

    /// A Gateway whose class is somebody else's is left to them.
    func isOurs(_ gateway: Gateway) -> Bool {
        guard let name = gateway.className, let known = index.classes[name.value] else {
            return true
        }
        return known.isOurs
    }

    /// Whether `rule`, written in `owner`, lets objects of `namespace` in.
    func allows(_ rule: NamespaceRule, _ namespace: String, of owner: Metadata) -> Bool {
        switch rule {
        case .all: return true
        case .none: return false
        case .same: return namespace == owner.namespace
        case .selector(let selector):
            var labels = objects.namespaces[namespace] ?? [:]
            // Every namespace has it, written or not.
            labels["kubernetes.io/metadata.name"] = namespace
            return selector.matches(labels)
        }
    }

    private mutating func collect(
        _ listener: Listener, of gateway: Gateway, owner: Metadata
    ) {
        let state = AttachedListener(
            gateway: gateway, owner: owner, listener: listener,
            addresses: addresses(of: listener, gateway), host: HostPattern(listener.hostname?.value)
        )
        refuse(state)
        resolveKinds(state)
        resolveCertificates(state)
        resolveFrontend(state)
        if let refusal = state.refusal, fault(of: gateway) == nil {
            report(
                .error, at: listener.name.place, owner.identity, path: listener.path,
                rule: refusal.reason, refusal.message)
        }
        listenersOfOwner[owner.identity, default: []].append(listeners.count)
        if state.refusal == nil {
            let isUDP = state.protocol == .udp
            for place in Set(state.addresses.map { BindPlace($0, isUDP: isUDP) }) {
                listenersAtPlace[place, default: []].append(listeners.count)
            }
        }
        listeners.append(state)
    }

    private func addresses(of listener: Listener, _ gateway: Gateway) -> [SocketAddress] {
        guard !gateway.addresses.isEmpty else {
            return [.ip(.anyIPv6, port: listener.port.value)]
        }
        return gateway.addresses.compactMap { address in
            switch address.value {
            case .ip(let ip): .ip(ip, port: listener.port.value)
            case .unix(let path): listener.protocol.value == "UDP" ? nil : .unix(path: path)
            case .unsupported: nil
            }
        }
    }

    // MARK: - Refusals

    private func refuse(_ state: AttachedListener) {
        let name = state.listener.protocol.value
        guard let proto = state.protocol else {
            let all = ListenerProtocol.allCases.map(\.rawValue).joined(separator: ", ")
            state.refusal = Refusal(
                reason: "UnsupportedProtocol",
                message: "protocol \(Scalar(name, isText: true).excerpt) is none of \(all)")
            return
        }
        guard !state.addresses.isEmpty else {
            let hasOther = state.gateway.addresses.contains {
                if case .unix = $0.value { true } else { false }
            }
            state.refusal = Refusal(
                reason: hasOther ? "UnsupportedValue" : "PortUnavailable",
                message: hasOther
                    ? "a UDP listener cannot be on a Unix socket; give the Gateway an IPAddress"
                    : "no address of the Gateway can be listened on")
            return
        }
        if Set(state.addresses).count < state.addresses.count {
            state.refusal = Refusal(
                reason: "PortUnavailable", message: "the Gateway has the same address twice")
            return
        }
        if proto == .https || proto == .tls, state.listener.tls == nil {
            state.refusal = Refusal(
                reason: "UnsupportedValue",
                message: "\(proto.rawValue) needs tls; give it certificateRefs")
            return
        }
        for address in state.addresses {
            let place = BindPlace(address, isUDP: proto == .udp)
            for number in listenersAtPlace[place] ?? [] {
                let other = listeners[number]
                guard other.addresses.contains(where: { Self.overlap($0, address) }) else {
                    continue
                }
                if refuse(state, proto, address, beside: other) { return }
            }
        }
    }

    /// Whether `state` cannot stand beside `other`, which came first.
    private func refuse(
        _ state: AttachedListener, _ proto: ListenerProtocol, _ address: SocketAddress,
        beside other: AttachedListener
    ) -> Bool {
        let isOwn = other.gateway.metadata.identity == state.gateway.metadata.identity
        let holder =
            other.owner.identity == state.owner.identity
            ? "listener \(other.listener.name.value)"
            : "listener \(other.listener.name.value) of \(other.owner.identity)"
        guard isOwn else {
            state.refusal = Refusal(
                reason: "PortUnavailable",
                message: "\(proto.rawValue) \(address) is taken by \(holder); choose another port")
            return true
        }
        guard let otherProtocol = other.protocol, proto.shares(otherProtocol) else {
            state.conflict = "ProtocolConflict"
            state.refusal = Refusal(
                reason: "ProtocolConflict",
                message: "\(proto.rawValue) \(address) is taken by \(holder); choose another port")
            return true
        }
        guard other.host == state.host else { return false }
        state.conflict = "HostnameConflict"
        state.refusal = Refusal(
            reason: "HostnameConflict",
            message: "\(state.host) at \(address) is taken by \(holder); choose another hostname")
        return true
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

    // MARK: - References

    /// `allowedRoutes.kinds` against the kinds that the protocol carries.
    private func resolveKinds(_ state: AttachedListener) {
        guard let proto = state.protocol else { return }
        let carried = proto.kinds(state.listener.tls?.isPassthrough ?? false)
        let wrong = (state.listener.kinds ?? []).filter {
            $0.group != Kind.gatewayGroup || !carried.contains($0.kind)
        }
        for kind in wrong {
            report(
                .error, at: kind.place, state.owner.identity,
                path: "\(state.listener.path).allowedRoutes.kinds", rule: "InvalidRouteKinds",
                "a \(proto.rawValue) listener does not carry \(kind.kind); use "
                    + carried.joined(separator: " or "))
        }
        guard !wrong.isEmpty else { return }
        state.unresolved = Refusal(
            reason: "InvalidRouteKinds",
            message: "the protocol does not carry " + wrong.map(\.kind).joined(separator: ", "))
    }

    /// `tls.certificateRefs`: each a Secret with a chain and its key.
    private func resolveCertificates(_ state: AttachedListener) {
        guard let tls = state.listener.tls, !tls.isPassthrough, state.refusal == nil else { return }
        guard state.protocol == .https || state.protocol == .tls else { return }
        let source = ReferenceGrant.From(
            group: Kind.gatewayGroup, kind: state.owner.identity.kind,
            namespace: state.owner.namespace)
        for reference in tls.certificates {
            switch certificate(reference, from: source) {
            case .success(let certificate):
                state.certificates.append(certificate)
                reportStaple(of: reference, state.owner)
            case .failure(let fault):
                report(
                    .error, at: reference.name.place, state.owner.identity, path: reference.path,
                    rule: fault.reason, fault.message)
                if state.unresolved == nil || state.unresolved?.reason == "InvalidRouteKinds" {
                    state.unresolved = Refusal(reason: fault.reason, message: fault.message)
                }
            }
        }
        if tls.certificates.isEmpty {
            state.unresolved = Refusal(
                reason: "InvalidCertificateRef", message: "there is no certificate to present")
        }
    }

    /// An OCSP response that is of no use is left out, and the certificate serves without.
    private func reportStaple(of reference: ObjectReference, _ owner: Metadata) {
        guard let fault = certificates.stapleFault(reference.identity) else { return }
        report(
            .warning, at: reference.name.place, owner.identity, path: reference.path,
            rule: "InvalidOCSPStaple",
            "\(reference.identity), \(CertificateStore.stapleKey): \(fault); "
                + "clients get no OCSP response")
    }
}

/// A reference that leads nowhere: the condition's reason, and what to do.
struct ReferenceFault: Error {
    let reason: String
    let message: String
}

extension Translation {
    /// The certificate and key in a Secret that an object of `source` refers to.
    func certificate(
        _ reference: ObjectReference, from source: ReferenceGrant.From
    ) -> Result<CertificatePlan, ReferenceFault> {
        func fail(_ reason: String, _ message: String) -> Result<CertificatePlan, ReferenceFault> {
            .failure(ReferenceFault(reason: reason, message: message))
        }
        guard reference.group.isEmpty, reference.kind == "Secret" else {
            return fail(
                "InvalidCertificateRef",
                "\(reference.kind) of group \"\(reference.group)\" holds no certificate; "
                    + "refer to a Secret")
        }
        guard index.isPermitted(reference, from: source) else {
            return fail(
                "RefNotPermitted",
                "\(reference.identity) is in another namespace, and no ReferenceGrant there "
                    + "permits \(source.kind) from \(source.namespace)")
        }
        guard let secret = objects.secrets[reference.identity] else {
            return fail("InvalidCertificateRef", "there is no \(reference.identity)")
        }
        return certificates.chain(in: secret, reference.identity)
    }
}
