import Manifest
import Routing

// Routes: which listeners they attach to.

extension Translation {
    mutating func attach(_ route: Route) {
        let identity = route.metadata.identity
        if route.parents.isEmpty {
            report(
                .warning, at: route.metadata.place, identity, path: "spec.parentRefs",
                rule: "NoParent",
                "names no Gateway, so nothing reaches this route")
        }
        if route.carried.isOpaque, route.rules.count > 1 {
            report(
                .error, at: route.rules[1].place, identity, path: "spec.rules",
                rule: "UnsupportedValue",
                "only one rule is allowed: connections have nothing to choose by; split the route")
        }
        let backends = resolve(route)
        for parent in route.parents { attach(route, to: parent, backends) }
    }

    private mutating func attach(
        _ route: Route, to parent: Route.ParentRef, _ backends: ResolvedRoute
    ) {
        if let gateway = index.gateways[parent.reference.identity], !isOurs(gateway) { return }
        let subject = Condition.Subject.parent(route.metadata.identity, ref: parent.description)
        var attached: [(number: Int, hosts: [HostPattern])] = []
        let refusal = match(route, parent, &attached)
        condition(
            subject, of: route.metadata, "Accepted", refusal == nil, refusal?.reason ?? "Accepted",
            refusal?.message ?? "")
        condition(
            subject, of: route.metadata, "ResolvedRefs", backends.fault == nil,
            backends.fault?.reason ?? "ResolvedRefs", backends.fault?.message ?? "")
        if let partial = backends.partialFault {
            condition(
                subject, of: route.metadata, "PartiallyInvalid", true, partial.reason,
                partial.message)
        }
        if let missing = backends.unavailable {
            condition(
                subject, of: route.metadata, "BackendsAvailable", false, missing.reason,
                missing.message)
        }
        let unserved = EngineSupport.unserved(route)
        if refusal == nil, !unserved.isEmpty {
            condition(
                subject, of: route.metadata, "Programmed", false, "Pending",
                "understood and not served yet: " + unserved.joined(separator: ", "))
        }
        for (number, hosts) in attached {
            // Two references of one route may lead to the same listener.
            let isThere = listeners[number].attachments.contains {
                $0.route.metadata.identity == route.metadata.identity
            }
            guard !isThere else { continue }
            listeners[number].attachments.append(
                .init(route: route, backends: backends, hosts: hosts))
        }
    }

    /// Fills `attached` with the listeners that the reference attaches to, or says why none is.
    private func match(
        _ route: Route, _ parent: Route.ParentRef,
        _ attached: inout [(number: Int, hosts: [HostPattern])]
    ) -> Refusal? {
        guard !route.carried.isOpaque || route.rules.count <= 1 else {
            return Refusal(reason: "UnsupportedValue", message: "only one rule is allowed")
        }
        let identity = parent.reference.identity
        guard let owned = candidates(of: parent) else {
            let isParent =
                parent.reference.kind == "Gateway" || parent.reference.kind == "ListenerSet"
            return refuse(
                route, parent, "NoMatchingParent",
                isParent && parent.reference.group == Kind.gatewayGroup
                    ? "there is no \(identity)"
                    : "\(parent.reference.kind) is no parent of routes; refer to a Gateway",
                isSilent: isRefused(identity))
        }
        let named = owned.filter { number in
            let listener = listeners[number].listener
            return (parent.sectionName == nil || parent.sectionName == listener.name.value)
                && (parent.port == nil || parent.port == listener.port.value)
        }
        guard !named.isEmpty else {
            let names = owned.map { listeners[$0].listener.name.value }.joined(separator: ", ")
            return refuse(
                route, parent, "NoMatchingParent",
                "\(identity) has no such listener; its listeners are \(names)")
        }
        let allowed = named.filter { allows(listeners[$0], route) }
        guard !allowed.isEmpty else {
            return refuse(
                route, parent, "NotAllowedByListeners",
                "no listener of \(identity) that this names takes a "
                    + "\(route.metadata.identity.kind) from namespace "
                    + "\(route.metadata.namespace); see its protocol and allowedRoutes")
        }
        let accepted = allowed.filter { listeners[$0].refusal == nil }
        guard !accepted.isEmpty else {
            return refuse(
                route, parent, "NoMatchingParent",
                "the listener of \(identity) that this names is not served", isSilent: true)
        }
        for number in accepted {
            let hosts = hosts(of: route, at: listeners[number])
            if !hosts.isEmpty { attached.append((number, hosts)) }
        }
        guard !attached.isEmpty else {
            let names = accepted.map { "\(listeners[$0].host)" }.joined(separator: ", ")
            return refuse(
                route, parent, "NoMatchingListenerHostname",
                "none of spec.hostnames is a name of the listener (\(names))")
        }
        return nil
    }

    /// The listeners of a parent; nil = there is no such.
    private func candidates(of parent: Route.ParentRef) -> [Int]? {
        let identity = parent.reference.identity
        guard parent.reference.group == Kind.gatewayGroup else { return nil }
        guard index.gateways[identity] != nil || index.listenerSets[identity] != nil else {
            return nil
        }
        return listenersOfOwner[identity] ?? []
    }

    /// - Parameter isSilent: what is at fault has its own finding.
    private func refuse(
        _ route: Route, _ parent: Route.ParentRef, _ reason: String, _ message: String,
        isSilent: Bool = false
    ) -> Refusal {
        if !isSilent {
            report(
                .error, at: parent.reference.name.place, route.metadata.identity,
                path: parent.reference.path, rule: reason, message)
        }
        return Refusal(reason: reason, message: message)
    }

    private func allows(_ state: AttachedListener, _ route: Route) -> Bool {
        state.kinds.contains(route.carried.rawValue)
            && allows(state.listener.namespaces, route.metadata.namespace, of: state.owner)
    }

    /// The names that a route and a listener have in common; the most specific first.
    private func hosts(of route: Route, at state: AttachedListener) -> [HostPattern] {
        guard !route.hostnames.isEmpty else { return [state.host] }
        let common = route.hostnames.compactMap {
            HostPattern($0.value.lowercased()).intersection(state.host)
        }
        var seen: Set<HostPattern> = []
        return common.filter { seen.insert($0).inserted }
            .sorted { $0.precedence > $1.precedence }
    }
}
