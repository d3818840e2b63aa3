import Manifest
import Routing

// Routes: which listeners they attach to, and what of their traffic goes where.

extension Translation {
    /// Why a parentRef is not accepted.
    private struct Refusal {
        let reason: String
        let message: String
    }

    mutating func attach(_ route: Route) {
        let identity = route.metadata.identity
        if let place = route.secondRule {
            report(
                .error, at: place, identity, path: "spec.rules",
                "only one rule is allowed: connections have nothing to choose by; split the route")
        }
        if route.parents.isEmpty {
            report(
                .warning, at: route.metadata.place, identity, path: "spec.parentRefs",
                "names no Gateway, so nothing reaches this route")
        }
        let backends = resolve(route)
        for parent in route.parents { attach(route, to: parent, backends) }
    }

    private mutating func attach(_ route: Route, to parent: Route.ParentRef, _ backends: Resolved) {
        let subject = Condition.Subject.parent(route.metadata.identity, ref: parent.description)
        var indices: [Int] = []
        let refusal = match(route, parent, &indices)
        condition(
            subject, of: route.metadata, "Accepted", refusal == nil, refusal?.reason ?? "Accepted",
            refusal?.message ?? "")
        condition(
            subject, of: route.metadata, "ResolvedRefs", backends.reason == nil,
            backends.reason ?? "ResolvedRefs", backends.message)
        for index in indices { serve(route, backends, at: index, parent) }
    }

    /// Fills `indices` with the listeners that the reference attaches to, or says why none is.
    private func match(
        _ route: Route, _ parent: Route.ParentRef, _ indices: inout [Int]
    ) -> Refusal? {
        guard route.secondRule == nil else {
            return Refusal(reason: "UnsupportedValue", message: "only one rule is allowed")
        }
        let identity = ObjectIdentity(
            kind: parent.kind, namespace: parent.namespace, name: parent.name.value)
        guard parent.group == Kind.gatewayGroup, parent.kind == "Gateway" else {
            return refuse(
                route, parent, "NoMatchingParent",
                "parents of kind \(parent.kind) are not served yet; refer to a Gateway")
        }
        guard let gateway = gatewaysByIdentity[identity] else {
            let isKnown = objects.refused.contains(identity)
            return refuse(
                route, parent, "NoMatchingParent", "there is no \(identity)", isSilent: isKnown)
        }
        let named = gateway.listeners.filter { listener in
            (parent.sectionName == nil || parent.sectionName == listener.name.value)
                && (parent.port == nil || parent.port == listener.port.value)
        }
        guard !named.isEmpty else {
            let names = gateway.listeners.map(\.name.value).joined(separator: ", ")
            return refuse(
                route, parent, "NoMatchingParent",
                "\(identity) has no such listener; its listeners are \(names)")
        }
        let allowed = named.filter { allows($0, gateway, route) }
        guard !allowed.isEmpty else {
            return refuse(
                route, parent, "NotAllowedByListeners",
                "no listener of \(identity) that this names takes a "
                    + "\(route.metadata.identity.kind) from namespace "
                    + "\(route.metadata.namespace); see its protocol and "
                    + "allowedRoutes")
        }
        let served = listenersOfGateway[identity] ?? []
        indices = served.filter { index in
            allowed.contains { $0.name.value == listeners[index].listener.name.value }
        }
        guard !indices.isEmpty else {
            return refuse(
                route, parent, "NoMatchingParent",
                "the listener of \(identity) that this names is not served", isSilent: true)
        }
        return nil
    }

    /// - Parameter isSilent: what is at fault has its own finding.
    private func refuse(
        _ route: Route, _ parent: Route.ParentRef, _ reason: String, _ message: String,
        isSilent: Bool = false
    ) -> Refusal {
        if !isSilent {
            report(
                .error, at: parent.name.place, route.metadata.identity, path: parent.path, message)
        }
        return Refusal(reason: reason, message: message)
    }

    private func allows(
        _ listener: Gateway.Listener, _ gateway: Gateway, _ route: Route
    ) -> Bool {
        let carried = route.transport == .tcp ? "TCP" : "UDP"
        guard listener.protocol.value == carried else { return false }
        let kind = route.metadata.identity.kind
        if let kinds = listener.kinds,
            !kinds.contains(where: { $0.group == Kind.gatewayGroup && $0.kind == kind })
        {
            return false
        }
        return switch listener.namespaces {
        case .all: true
        case .same: route.metadata.namespace == gateway.metadata.namespace
        case .none: false
        }
    }

    /// The oldest route has the listener: routes come here by precedence.
    private mutating func serve(
        _ route: Route, _ backends: Resolved, at index: Int, _ parent: Route.ParentRef
    ) {
        let name = planName(route.metadata.identity)
        if let other = plan.listeners[index].route {
            // Two references of one route may lead to the same listener.
            guard other.name != name else { return }
            report(
                .warning, at: parent.name.place, route.metadata.identity, path: parent.path,
                "listener \(plan.listeners[index].name) is already served by \(other.name), "
                    + "which comes first; this route gets nothing from it")
            return
        }
        let served = listeners[index]
        let policy = policies.backendPolicy(
            route: route.metadata.identity, rule: route.ruleName,
            gateway: served.gateway.metadata.identity, listener: served.listener.name.value)
        let weighted = backends.references.map { reference in
            WeightedBackend(
                cluster: reference.backend.map { cluster($0, of: route, policy) },
                weight: reference.weight)
        }
        plan.listeners[index].route = RoutePlan(name: name, backends: weighted)
    }

    /// `Kind/namespace/name`.
    func planName(_ identity: ObjectIdentity) -> String {
        "\(identity.kind)/\(identity.namespace)/\(identity.name)"
    }
}
