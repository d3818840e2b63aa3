import Manifest
import Primitives
import Routing

// Backends: what routes refer to, and the clusters that come of it.

extension Translation {
    /// A route's backendRefs, looked up.
    struct Resolved {
        var references: [(backend: Backend?, weight: UInt32)] = []
        /// Of the first reference that is invalid.
        var reason: String?
        var message = ""
    }

    mutating func translate(_ backend: Backend) {
        let identity = backend.metadata.identity
        for endpoint in backend.endpoints {
            if case .name(let name, _) = endpoint.target {
                report(
                    .warning, at: endpoint.place, identity, path: endpoint.path,
                    "names are resolved in a later version; \(name) is left out")
            } else if endpoint.usesTLS || usesTLS(backend) {
                report(
                    .warning, at: endpoint.place, identity, path: endpoint.path,
                    "TLS to endpoints is not served yet, and nothing is sent in the clear where "
                        + "TLS was asked for; the endpoint is left out")
            }
        }
        if backend.isDynamicResolver {
            report(
                .warning, at: backend.metadata.place, identity, path: "spec.type",
                "DynamicResolver is not served yet; the Backend has no endpoints")
        }
        if let fallback = backend.fallback {
            report(
                .warning, at: fallback.place, identity, path: "spec.fallback",
                fallback.isItself
                    ? "not served yet; it gets no traffic beside Backends that are no fallback"
                    : "not served yet; no other Backend takes over")
        }
        condition(.object(identity), of: backend.metadata, "Accepted", true, "Accepted")
    }

    private func usesTLS(_ backend: Backend) -> Bool {
        backend.tls != nil || backend.application?.value.usesTLS == true
    }

    // MARK: - References

    mutating func resolve(_ route: Route) -> Resolved {
        var resolved = Resolved()
        for reference in route.backends {
            var fault: (reason: String, message: String)?
            let backend = backend(reference, of: route, &fault)
            if let fault, resolved.reason == nil {
                (resolved.reason, resolved.message) = (fault.reason, fault.message)
            }
            resolved.references.append((backend, reference.weight))
        }
        // A fallback stands by while another serves.
        let hasPrimary = resolved.references.contains {
            $0.backend.map { !isFallback($0) } ?? false
        }
        if hasPrimary {
            for index in resolved.references.indices {
                guard let backend = resolved.references[index].backend, isFallback(backend) else {
                    continue
                }
                resolved.references[index].weight = 0
            }
        }
        return resolved
    }

    private func isFallback(_ backend: Backend) -> Bool { backend.fallback?.isItself == true }

    private func backend(
        _ reference: Route.BackendRef, of route: Route,
        _ fault: inout (reason: String, message: String)?
    ) -> Backend? {
        let identity = ObjectIdentity(
            kind: reference.kind, namespace: reference.namespace, name: reference.name.value)
        func refuse(_ reason: String, _ message: String, isSilent: Bool = false) -> Backend? {
            if !isSilent {
                report(
                    .error, at: reference.name.place, route.metadata.identity, path: reference.path,
                    message)
            }
            fault = (reason, message)
            return nil
        }
        guard reference.group == Kind.envoyGroup, reference.kind == "Backend" else {
            let isService = reference.group.isEmpty && reference.kind == "Service"
            let hint = "write group: \(Kind.envoyGroup) and kind: Backend"
            return refuse(
                "InvalidKind",
                isService
                    ? "Services are not served yet; \(hint)"
                    : "\(reference.kind) of group \"\(reference.group)\" is no backend; \(hint)")
        }
        guard isPermitted(reference, route) else {
            return refuse(
                "RefNotPermitted",
                "\(identity) is in another namespace, and no ReferenceGrant there permits "
                    + "\(route.metadata.identity.kind) from \(route.metadata.namespace)")
        }
        guard let backend = backends[identity] else {
            return refuse(
                "BackendNotFound", "there is no \(identity)",
                isSilent: objects.refused.contains(identity))
        }
        if let fault = protocolFault(backend, route) { return refuse("UnsupportedProtocol", fault) }
        return backend
    }

    private func isPermitted(_ reference: Route.BackendRef, _ route: Route) -> Bool {
        guard reference.namespace != route.metadata.namespace else { return true }
        let source = ReferenceGrant.From(
            group: Kind.gatewayGroup, kind: route.metadata.identity.kind,
            namespace: route.metadata.namespace)
        return objects.grants.contains { grant in
            grant.metadata.namespace == reference.namespace
                && grant.permits(
                    source, reference.group, reference.kind, reference.name.value)
        }
    }

    /// The seed's `appProtocol` names a transport; it must be the route's.
    private func protocolFault(_ backend: Backend, _ route: Route) -> String? {
        guard let application = backend.application?.value else { return nil }
        let isDatagram = application == .udp
        guard isDatagram != (route.transport == .udp) else { return nil }
        return "\(backend.metadata.identity) speaks \(application.rawValue), which a "
            + "\(route.metadata.identity.kind) does not carry"
    }

    // MARK: - Clusters

    /// The index of the cluster that stands for `backend` as `route` reaches it.
    mutating func cluster(
        _ backend: Backend, of route: Route, _ policy: BackendTrafficPolicy?
    ) -> Int {
        let key = ClusterKey(
            backend: backend.metadata.identity, route: route.metadata.identity,
            policy: policy?.metadata.identity)
        if let index = clusterIndices[key] { return index }
        var cluster = ClusterPlan(
            name: "\(backend.metadata.namespace)/\(backend.metadata.name)",
            route: planName(route.metadata.identity), endpoints: endpoints(backend, route))
        if let policy, route.transport == .tcp {
            cluster.connectTimeoutMilliseconds = policy.connectTimeoutMilliseconds
            cluster.proxyHeader = policy.proxyHeader
            cluster.keepalive = policy.keepalive
        }
        if let udp = policies.endpointPolicy(backend: backend.metadata.identity)?.udp {
            cluster.udp = UDPFlowPlan(
                idleTimeoutMilliseconds: udp.idleTimeoutMilliseconds
                    ?? UDPFlowPlan.idleTimeoutMillisecondsDefault,
                expectedResponses: udp.expectedResponses)
            flowLimits[plan.clusters.count] = udp
        }
        plan.clusters.append(cluster)
        clusterIndices[key] = plan.clusters.count - 1
        return plan.clusters.count - 1
    }

    private func endpoints(_ backend: Backend, _ route: Route) -> [SocketAddress] {
        let backendUsesTLS = usesTLS(backend)
        return backend.endpoints.compactMap { endpoint in
            guard case .address(let address) = endpoint.target else { return nil }
            guard !endpoint.usesTLS, !backendUsesTLS else { return nil }
            if case .unix = address, route.transport == .udp {
                report(
                    .error, at: endpoint.place, backend.metadata.identity, path: endpoint.path,
                    "\(route.metadata.identity) cannot send datagrams to a Unix socket; "
                        + "the endpoint is left out of it")
                return nil
            }
            return address
        }
    }

    /// The caps of a UDP listener are the strictest that the policies of its backends give.
    mutating func applyFlowCaps() {
        for index in plan.listeners.indices {
            guard case .udp(var caps) = plan.listeners[index].transport,
                let route = plan.listeners[index].route
            else { continue }
            let limits = Set(route.backends.compactMap(\.cluster)).compactMap { cluster in
                flowLimits[cluster]
            }
            let flows = limits.compactMap(\.flowsMax).min()
            let perSource = limits.compactMap(\.flowsPerSourceMax).min()
            if let flows { caps.flowsMax = flows }
            if let perSource { caps.flowsPerSourceMax = perSource }
            caps.flowsPerSourceMax = min(caps.flowsPerSourceMax, caps.flowsMax)
            plan.listeners[index].transport = .udp(caps)
        }
    }
}
