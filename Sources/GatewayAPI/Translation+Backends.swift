import Manifest
import Primitives
import Routing

// Backends: what is said of them, and the tiers of endpoints that they stand for.

extension Translation {
    mutating func translate(_ backend: Backend) {
        let identity = backend.metadata.identity
        var refusal: Refusal?
        if case .failure(let fault) = upstreamTLS(backend) {
            refusal = Refusal(reason: "Invalid", message: fault.message)
            invalidBackends[identity] = Refusal(
                reason: "InvalidBackendTLS", message: fault.message)
            // A BackendTLSPolicy tells for itself.
            if let tls = backend.tls {
                report(
                    .error, at: tls.place, identity, path: "spec.tls", rule: fault.reason,
                    fault.message)
            }
        }
        var path: [ObjectIdentity] = []
        let fault = fallbackFault(of: backend, &path)
        if let fault, fault.reason == "Invalid" {
            refusal = Refusal(reason: "Invalid", message: fault.message)
            invalidBackends[identity] = Refusal(
                reason: "InvalidBackendRef", message: fault.message)
        }
        condition(
            .object(identity), of: backend.metadata, "Accepted", refusal == nil,
            refusal?.reason ?? "Accepted", refusal?.message ?? "")
        if let unserved = EngineSupport.unserved(backend), refusal == nil {
            condition(
                .object(identity), of: backend.metadata, "Programmed", false, "Pending",
                "understood and not served yet: \(unserved)")
        }
        guard let fault, case .other(let reference, _)? = backend.fallback else { return }
        if !isRefused(reference.identity) {
            report(
                .error, at: reference.name.place, identity, path: reference.path,
                rule: fault.reason, fault.message)
        }
        condition(
            .object(identity), of: backend.metadata, "ResolvedRefs", false, fault.reason,
            fault.message)
    }

    private func grantSource(_ backend: Backend) -> ReferenceGrant.From {
        ReferenceGrant.From(
            group: Kind.envoyGroup, kind: "Backend", namespace: backend.metadata.namespace)
    }

    /// What is wrong with the chain of fallbacks that begins at `backend` itself; faults further
    /// on are told of the Backends there.
    private func fallbackFault(
        of backend: Backend, _ path: inout [ObjectIdentity]
    ) -> ReferenceFault? {
        path.append(backend.metadata.identity)
        guard case .other(let reference, let port)? = backend.fallback else { return nil }
        switch target(reference, port: port, from: grantSource(backend)) {
        case .failure(let fault): return path.count == 1 ? fault : nil
        case .success(.service): return nil
        case .success(.backend(let next)):
            if let start = path.firstIndex(of: next.metadata.identity) {
                let round = (path[start...] + [next.metadata.identity]).map(\.name)
                return ReferenceFault(
                    reason: "Invalid",
                    message: "the fallback goes round: " + round.joined(separator: " → "))
            }
            return fallbackFault(of: next, &path)
        }
    }

    // MARK: - Tiers

    /// The endpoints of a reference, and of what stands by for it, one tier after the other.
    func tiers(of target: ResolvedRoute.Target, _ route: Route) -> [[EndpointPlan]] {
        var tiers: [[EndpointPlan]] = []
        var seen: Set<ObjectIdentity> = []
        var next: ResolvedRoute.Target? = target
        while let target = next {
            next = nil
            switch target {
            case .service(let service, let port):
                let tls = backendTLS(service.metadata.identity, port: port.name)
                tiers.append(tls.endpoints(endpoints(service, port)))
            case .backend(let backend):
                guard seen.insert(backend.metadata.identity).inserted else { break }
                tiers.append(endpoints(backend, route))
                guard case .other(let reference, let port)? = backend.fallback else { break }
                if case .success(let other) = self.target(
                    reference, port: port, from: grantSource(backend))
                {
                    next = other
                }
            }
        }
        return tiers
    }

    /// Those that can be sent to. Where TLS is asked for and cannot be had as asked, there are
    /// none: nothing goes in the clear instead.
    private func endpoints(_ backend: Backend, _ route: Route) -> [EndpointPlan] {
        guard case .success(let tls) = upstreamTLS(backend) else { return [] }
        return backend.endpoints.compactMap { endpoint in
            if case .address(.unix) = endpoint.target, route.carried == .udp {
                report(
                    .error, at: endpoint.place, backend.metadata.identity, path: endpoint.path,
                    rule: "UnsupportedAddressType",
                    "\(route.metadata.identity) cannot send datagrams to a Unix socket; "
                        + "the endpoint is left out of it")
                return nil
            }
            let plan = EndpointPlan(
                endpoint.target, hostname: endpoint.hostname, zone: endpoint.zone,
                tls: tls ?? (endpoint.usesTLS ? impliedTLS(backend) : nil))
            if plan.tls != nil, route.carried == .udp {
                report(
                    .error, at: endpoint.place, backend.metadata.identity, path: endpoint.path,
                    rule: "UnsupportedValue",
                    "\(route.metadata.identity) cannot send datagrams by TLS; nothing is sent to "
                        + "the endpoint")
            }
            return plan
        }
    }

    /// Of an endpoint with `protocol: HTTPS`.
    private func impliedTLS(_ backend: Backend) -> UpstreamTLSPlan {
        UpstreamTLSPlan(
            trust: .system,
            alpnProtocols: backend.application?.value.alpnProtocols ?? ["http/1.1"])
    }

    /// What an SRV record stands for, which an EndpointPolicy puts before a Backend's endpoints: it
    /// is spoken to as they are.
    func endpoints(_ service: String, before backend: Backend) -> [EndpointPlan] {
        guard case .success(let tls) = upstreamTLS(backend) else { return [] }
        let isImplied = backend.endpoints.contains(where: \.usesTLS)
        return [
            EndpointPlan(.service(service), tls: tls ?? (isImplied ? impliedTLS(backend) : nil))
        ]
    }

    /// Ready endpoints of a Service's port, from its EndpointSlices; where it has none of these,
    /// the address that it has itself.
    func endpoints(_ service: Service, _ port: Service.Port) -> [EndpointPlan] {
        if let name = service.externalName {
            return [EndpointPlan(.name(name, port: port.port))]
        }
        guard let slices = index.slices[service.metadata.identity] else {
            return service.clusterIP.map {
                [EndpointPlan(.address(.ip($0, port: port.port)))]
            } ?? []
        }
        var seen: Set<EndpointPlan.Target> = []
        return slices.flatMap { slice -> [EndpointPlan] in
            let named = slice.ports.first { $0.name == port.name }
            guard let number = named.map({ $0.port ?? port.port }) else { return [] }
            return slice.endpoints.filter(\.isReady).compactMap { endpoint in
                guard let text = endpoint.addresses.first else { return nil }
                let target: EndpointPlan.Target =
                    IPAddress(text).map { .address(.ip($0, port: number)) }
                    ?? .name(text, port: number)
                guard seen.insert(target).inserted else { return nil }
                return EndpointPlan(target, zone: endpoint.zone)
            }
        }
    }

    // MARK: - TLS

    /// How a Backend is spoken to: by its own `tls`, a BackendTLSPolicy, or the seed's word for a
    /// protocol that implies it. Nil: in the clear.
    private func upstreamTLS(_ backend: Backend) -> Result<UpstreamTLSPlan?, ReferenceFault> {
        let ofPolicy = backendTLS(backend.metadata.identity)
        let alpn = backend.application?.value.alpnProtocols ?? []
        guard let tls = backend.tls else {
            switch ofPolicy {
            case .none:
                guard backend.application?.value.usesTLS == true else { return .success(nil) }
                return .success(UpstreamTLSPlan(trust: .system, alpnProtocols: alpn))
            case .plan(var plan):
                if plan.alpnProtocols.isEmpty { plan.alpnProtocols = alpn }
                return .success(plan)
            case .fault(let fault): return .failure(fault)
            }
        }
        var plan = UpstreamTLSPlan(
            trust: .system, serverName: tls.serverName,
            alpnProtocols: tls.alpnProtocols.isEmpty ? alpn : tls.alpnProtocols,
            settings: tls.settings)
        if tls.skipsVerification {
            plan.trust = .nobody
        } else if !tls.authorities.isEmpty {
            switch authorities(tls.authorities) {
            case .failure(let fault): return .failure(fault)
            case .success(let texts): plan.trust = .authorities(texts)
            }
        } else if !tls.trustsSystem {
            guard case .plan(let policy) = ofPolicy else {
                return .failure(
                    ReferenceFault(
                        reason: "Invalid",
                        message: "who may sign its certificate is not said; give it "
                            + "caCertificateRefs or wellKnownCACertificates: System, or target it "
                            + "with a BackendTLSPolicy"))
            }
            plan.trust = policy.trust
            plan.serverName = plan.serverName ?? policy.serverName
            plan.subjectAltNames = policy.subjectAltNames
        }
        if let reference = tls.clientCertificate {
            switch certificate(reference, from: grantSource(backend)) {
            case .failure(let fault): return .failure(fault)
            case .success(let certificate): plan.clientCertificate = certificate
            }
        }
        return .success(plan)
    }

    /// PEM of certificate authorities, from `ca.crt` of ConfigMaps or Secrets.
    func authorities(_ references: [ObjectReference]) -> Result<[String], ReferenceFault> {
        var texts: [String] = []
        for reference in references {
            let identity = reference.identity
            let result: Result<String, ReferenceFault>
            switch reference.kind {
            case "ConfigMap":
                result = certificates.authority(
                    objects.configMaps[identity]?.data["ca.crt"].map { Array($0.utf8) }, identity)
            case "Secret":
                result = certificates.authority(
                    objects.secrets[identity]?.data["ca.crt"], identity)
            default:
                return .failure(
                    ReferenceFault(
                        reason: "InvalidKind",
                        message: "\(reference.kind) holds no certificate authority; refer to a "
                            + "ConfigMap or Secret"))
            }
            switch result {
            case .success(let text): texts.append(text)
            case .failure(let fault): return .failure(fault)
            }
        }
        return .success(texts)
    }
}

/// What BackendTLSPolicies say of a Backend or Service.
enum BackendTLS {
    case none
    case plan(UpstreamTLSPlan)
    /// One is there and cannot be followed: nothing may be sent in the clear instead.
    case fault(ReferenceFault)

    /// The endpoints as they are to be reached.
    func endpoints(_ endpoints: [EndpointPlan]) -> [EndpointPlan] {
        switch self {
        case .none: return endpoints
        case .fault: return []
        case .plan(let tls):
            return endpoints.map { endpoint in
                var endpoint = endpoint
                endpoint.tls = tls
                return endpoint
            }
        }
    }
}
