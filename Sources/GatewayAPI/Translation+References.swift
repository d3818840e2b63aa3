import Manifest
import Routing

// What the rules of a route refer to.

extension Translation {
    mutating func resolve(_ route: Route) -> ResolvedRoute {
        var resolved = ResolvedRoute()
        for rule in route.rules {
            var state = ResolvedRoute.Rule(rule: rule)
            for reference in rule.backends {
                let target = target(reference, of: route, &resolved)
                state.references.append(
                    .init(
                        target: target, weight: reference.weight,
                        filters: filters(reference.filters, of: route, &resolved, &state)))
            }
            state.filters = filters(rule.filters, of: route, &resolved, &state)
            resolved.rules.append(state)
        }
        return resolved
    }

    private func filters(
        _ filters: [RouteFilter], of route: Route, _ resolved: inout ResolvedRoute,
        _ rule: inout ResolvedRoute.Rule
    ) -> [ResolvedRoute.ResolvedFilter] {
        filters.compactMap { filter in
            func refuse(_ message: String) {
                rule.isRefused = true
                report(
                    .error, at: filter.place, route.metadata.identity, path: filter.path,
                    rule: "UnsupportedValue", message)
                guard resolved.partialFault == nil else { return }
                resolved.partialFault = Refusal(reason: "UnsupportedValue", message: message)
            }
            switch filter.effect {
            case .plan(let effect): return .plan(effect)
            case .mirror(let reference, let numerator, let denominator):
                let target = target(reference, of: route, &resolved)
                return .mirror(target, numerator: numerator, denominator: denominator)
            case .extension(let reference):
                guard let found = index.routeFilters[reference.identity] else {
                    refuse(
                        isRefused(reference.identity)
                            ? "\(reference.identity) is not valid"
                            : "there is no \(reference.identity); its requests get 500"
                    )
                    return nil
                }
                guard let effect = found.filter else {
                    refuse("\(reference.identity) asks for something that is not supported")
                    return nil
                }
                return .plan(effect)
            case .unknown:
                refuse("filter \(filter.type) is not supported; its requests are answered with 500")
                return nil
            }
        }
    }

    // MARK: - Backends

    /// What `reference` leads to; nil, and reported, when it is nothing to send to.
    private func target(
        _ reference: Route.BackendRef, of route: Route, _ resolved: inout ResolvedRoute
    ) -> ResolvedRoute.Target? {
        let source = ReferenceGrant.From(
            group: Kind.gatewayGroup, kind: route.carried.rawValue,
            namespace: route.metadata.namespace)
        switch target(reference.reference, port: reference.port, from: source) {
        case .failure(let fault):
            if !isRefused(reference.reference.identity) {
                report(
                    .error, at: reference.reference.name.place, route.metadata.identity,
                    path: reference.reference.path, rule: fault.reason, fault.message)
            }
            if resolved.fault == nil {
                resolved.fault = Refusal(reason: fault.reason, message: fault.message)
            }
            return nil
        case .success(let target):
            if let fault = carrierFault(target, route) {
                report(
                    .error, at: reference.reference.name.place, route.metadata.identity,
                    path: reference.reference.path, rule: fault.reason, fault.message)
                if resolved.fault == nil { resolved.fault = fault }
                return nil
            }
            if resolved.unavailable == nil { resolved.unavailable = unavailability(target) }
            return target
        }
    }

    /// What a reference of a route or of a Backend's fallback leads to.
    func target(
        _ reference: ObjectReference, port: UInt16?, from source: ReferenceGrant.From
    ) -> Result<ResolvedRoute.Target, ReferenceFault> {
        func fail(
            _ reason: String, _ message: String
        ) -> Result<
            ResolvedRoute.Target, ReferenceFault
        > { .failure(ReferenceFault(reason: reason, message: message)) }
        // The seed's `fallback.backendRef` names a kind without its group.
        let isBackend =
            reference.kind == "Backend"
            && (reference.group == Kind.envoyGroup || source.kind == "Backend")
        let isService = reference.group.isEmpty && reference.kind == "Service"
        guard isBackend || isService else {
            return fail(
                "InvalidKind",
                "\(reference.kind) of group \"\(reference.group)\" is no backend; write kind: "
                    + "Service, or group: \(Kind.envoyGroup) and kind: Backend")
        }
        guard index.isPermitted(reference, from: source) else {
            return fail(
                "RefNotPermitted",
                "\(reference.identity) is in another namespace, and no ReferenceGrant there "
                    + "permits \(source.kind) from \(source.namespace)")
        }
        if isBackend {
            guard let backend = index.backends[reference.identity] else {
                return fail("BackendNotFound", "there is no \(reference.identity)")
            }
            // Its own finding says what is wrong; a chain of fallbacks tells for itself.
            if let refusal = invalidBackends[reference.identity], source.kind != "Backend" {
                return fail(
                    refusal.reason, "\(reference.identity) is not accepted: \(refusal.message)")
            }
            return .success(.backend(backend))
        }
        guard let service = index.services[reference.identity] else {
            return fail("BackendNotFound", "there is no \(reference.identity)")
        }
        guard let port else {
            return fail(
                "PortNotSpecified",
                "a reference to a Service needs a port; it has "
                    + Self.ports(of: service))
        }
        guard let found = service.ports.first(where: { $0.port == port }) else {
            return fail(
                "PortNotFound",
                "\(reference.identity) has no port \(port); it has \(Self.ports(of: service))")
        }
        return .success(.service(service, found))
    }

    private static func ports(of service: Service) -> String {
        service.ports.isEmpty
            ? "none" : service.ports.map { "\($0.port)" }.joined(separator: ", ")
    }

    /// The seed's `appProtocol` names a transport, as does a Service port; the route has one too.
    private func carrierFault(_ target: ResolvedRoute.Target, _ route: Route) -> Refusal? {
        let isUDP: Bool
        let spoken: String
        switch target {
        case .backend(let backend):
            guard let application = backend.application?.value else { return nil }
            isUDP = application == .udp
            spoken = "\(backend.metadata.identity) speaks \(application.rawValue)"
        case .service(let service, let port):
            isUDP = port.isUDP
            let carried = isUDP ? "UDP" : "TCP"
            spoken = "port \(port.port) of \(service.metadata.identity) is \(carried)"
        }
        guard isUDP != (route.carried == .udp) else { return nil }
        return Refusal(
            reason: "UnsupportedProtocol",
            message: "\(spoken), which a \(route.carried.rawValue) does not carry")
    }

    private func unavailability(_ target: ResolvedRoute.Target) -> Refusal? {
        guard case .service(let service, let port) = target else { return nil }
        guard endpoints(service, port).isEmpty else { return nil }
        return Refusal(
            reason: "EndpointsNotFound",
            message: "\(service.metadata.identity) has no ready endpoint for port \(port.port)")
    }
}
