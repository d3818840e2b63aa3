import Manifest
import Routing

// Policies: which one holds where, and what becomes of it.

extension Translation {
    private static let policyKinds: [Kind] = [
        .clientTrafficPolicy, .backendTrafficPolicy, .securityPolicy, .backendTLSPolicy,
        .endpointPolicy,
    ]

    mutating func indexPolicies() {
        guard !objects.policies.isEmpty else { return }
        let known = targetable()
        for kind in Self.policyKinds {
            let ofKind = objects.policies.filter { $0.kind == kind }
            for policy in ofKind.sorted(by: { $0.metadata.precedes($1.metadata) }) {
                index(policy, known)
            }
        }
    }

    /// Every object that a policy may target, with its labels and the names of its sections.
    private func targetable() -> [ObjectIdentity: (metadata: Metadata, sections: Set<String>)] {
        var known: [ObjectIdentity: (metadata: Metadata, sections: Set<String>)] = [:]
        for gateway in gateways {
            known[gateway.metadata.identity] = (
                gateway.metadata, Set(gateway.listeners.map(\.name.value))
            )
        }
        for set in objects.listenerSets {
            known[set.metadata.identity] = (set.metadata, Set(set.listeners.map(\.name.value)))
        }
        for route in routes {
            known[route.metadata.identity] = (
                route.metadata, Set(route.rules.compactMap(\.name))
            )
        }
        for backend in objects.backends {
            known[backend.metadata.identity] = (backend.metadata, [])
        }
        for service in objects.services {
            known[service.metadata.identity] = (
                service.metadata, Set(service.ports.map(\.name))
            )
        }
        return known
    }

    private mutating func index(
        _ policy: Policy,
        _ known: [ObjectIdentity: (metadata: Metadata, sections: Set<String>)]
    ) {
        let namespace = policy.metadata.namespace
        var isReported = false
        for target in policy.targets {
            let object = ObjectIdentity(
                kind: target.kind, namespace: namespace, name: target.name.value)
            let fault = fault(of: policy, at: target, object, known, &isReported)
            place(policy, .init(object: object, section: target.sectionName), fault)
        }
        for selector in policy.selectors {
            let chosen = known.filter { identity, entry in
                identity.kind == selector.kind && identity.namespace == namespace
                    && selector.labels.matches(entry.metadata.labels)
            }
            if chosen.isEmpty {
                report(
                    .warning, at: selector.place, policy.metadata.identity, path: selector.path,
                    rule: "NoMatchingTarget", "no \(selector.kind) has these labels")
            }
            for object in chosen.keys.sorted() {
                let fault = invalidity(policy, object, &isReported)
                place(policy, .init(object: object, section: nil), fault)
            }
        }
    }

    /// Why the policy does not hold for a target.
    private mutating func fault(
        of policy: Policy, at target: Policy.TargetRef, _ object: ObjectIdentity,
        _ known: [ObjectIdentity: (metadata: Metadata, sections: Set<String>)],
        _ isReported: inout Bool
    ) -> Refusal? {
        var message: String?
        if let sections = known[object]?.sections {
            if let section = target.sectionName, !sections.contains(section) {
                let all =
                    sections.isEmpty
                    ? "it has none"
                    : "its sections are " + sections.sorted().joined(separator: ", ")
                message = "\(object) has no section \(section); \(all)"
            }
        } else {
            message = "there is no \(object)"
        }
        guard let message else { return invalidity(policy, object, &isReported) }
        if !isRefused(object) {
            report(
                .error, at: target.name.place, policy.metadata.identity, path: target.path,
                rule: "TargetNotFound", message)
        }
        return Refusal(reason: "TargetNotFound", message: message)
    }

    /// Gives the policy its target, unless it is missing or taken.
    private mutating func place(
        _ policy: Policy, _ target: PolicyIndex.Target, _ fault: Refusal?
    ) {
        var state = PolicyState(policy: policy, target: target, fault: fault)
        if fault == nil || fault?.reason == "Invalid" || fault?.reason == "NoValidCACertificate",
            let holder = policies.add(policy, isInvalid: fault != nil, on: target)
        {
            // It may name a target twice, or find it by labels as well.
            guard holder.metadata.identity != policy.metadata.identity else { return }
            let message =
                "\(holder.metadata.identity) comes first and already holds for \(target.object)"
            let written = policy.targets.first { $0.name.value == target.object.name }
            report(
                .error, at: written?.name.place ?? policy.metadata.place, policy.metadata.identity,
                path: written?.path ?? "spec.targetSelectors", rule: "Conflicted", message)
            state.fault = Refusal(reason: "Conflicted", message: message)
        }
        if policy.kind == .backendTLSPolicy, fault?.reason == "NoValidCACertificate" {
            if case .fault(let unresolved) = backendTLS(policy) {
                state.unresolved = Refusal(
                    reason: unresolved.reason, message: unresolved.message)
            }
        }
        policyStates.append(state)
    }

    /// What a policy says that cannot be done; reported once.
    private func invalidity(
        _ policy: Policy, _ object: ObjectIdentity, _ isReported: inout Bool
    ) -> Refusal? {
        guard let fields = policy.fields(log) else { return nil }
        do throws(PolicyFault) {
            switch policy.kind {
            case .backendTrafficPolicy: _ = try TrafficSettings(fields)
            case .clientTrafficPolicy:
                _ = try ClientSettings(fields, namespace: policy.metadata.namespace)
            case .securityPolicy:
                _ = try SecuritySettings(fields, isTCP: object.kind == Kind.tcpRoute.rawValue)
            case .backendTLSPolicy:
                guard case .fault(let fault) = backendTLS(policy) else { return nil }
                if !isReported {
                    isReported = true
                    report(
                        .error, at: policy.metadata.place, policy.metadata.identity,
                        path: "spec.validation.caCertificateRefs", rule: fault.reason,
                        fault.message)
                }
                return Refusal(reason: "NoValidCACertificate", message: fault.message)
            default: break
            }
            return nil
        } catch {
            if !isReported {
                isReported = true
                report(
                    .error, at: error.place, policy.metadata.identity, path: error.path,
                    rule: "Invalid", error.message)
            }
            return Refusal(reason: "Invalid", message: "\(error.path): \(error.message)")
        }
    }

    // MARK: - What is in force

    /// What `read` makes of the policy that is in force at the first of `chain` that has one. Nil:
    /// there is none. A policy that cannot be followed is `.invalid`.
    enum InForce<Settings> {
        case none, invalid
        case settings(Settings)

        var settings: Settings? { if case .settings(let settings) = self { settings } else { nil } }
        var isInvalid: Bool { if case .invalid = self { true } else { false } }
    }

    private mutating func inForce<Settings>(
        _ kind: Kind, _ chain: @autoclosure () -> [PolicyIndex.Target],
        _ read: (Fields) throws(PolicyFault) -> Settings
    ) -> InForce<Settings> {
        guard let effective = policies.effective(kind, chain()) else { return .none }
        note(effective, kind)
        guard !effective.isInvalid, let fields = Fields(effective.spec, path: "spec", log: log)
        else { return .invalid }
        do throws(PolicyFault) {
            return .settings(try read(fields))
        } catch {
            return .invalid
        }
    }

    /// Notes which policies are replaced or merged at a place.
    private mutating func note(_ effective: PolicyIndex.Effective, _ kind: Kind) {
        guard !effective.overridden.isEmpty || effective.policies.count > 1 else { return }
        let first = effective.policies[0]
        for number in policyStates.indices where policyStates[number].policy.kind == kind {
            let name = "\(first.metadata.identity)"
            if effective.overridden.contains(policyStates[number].target),
                policyStates[number].fault == nil,
                !policyStates[number].overriders.contains(name)
            {
                policyStates[number].overriders.append(name)
            }
            if effective.policies.count > 1,
                policyStates[number].policy.metadata.identity == first.metadata.identity
            {
                policyStates[number].mergedOver = "\(effective.policies[1].metadata.identity)"
            }
        }
    }

    mutating func traffic(
        of route: Route, _ rule: String?, at state: AttachedListener
    ) -> InForce<TrafficSettings> {
        inForce(
            .backendTrafficPolicy,
            PolicyIndex.chain(route: route.metadata.identity, rule: rule, at: state)
        ) { fields throws(PolicyFault) in try TrafficSettings(fields) }
    }

    mutating func client(of state: AttachedListener) -> InForce<ClientSettings> {
        inForce(.clientTrafficPolicy, PolicyIndex.chain(at: state)) {
            fields throws(PolicyFault) in
            try ClientSettings(fields, namespace: state.owner.namespace)
        }
    }

    /// The rules for everybody who comes to the listener by `route`.
    mutating func security(
        of route: Route, _ rule: String?, at state: AttachedListener
    ) -> InForce<SecuritySettings> {
        inForce(
            .securityPolicy,
            PolicyIndex.chain(route: route.metadata.identity, rule: rule, at: state)
        ) { fields throws(PolicyFault) in
            try SecuritySettings(fields, isTCP: route.carried.isOpaque)
        }
    }

    func endpointSettings(_ backend: ObjectIdentity) -> EndpointSettings? {
        policies.effective(.endpointPolicy, [.init(object: backend, section: nil)])
            .flatMap { Fields($0.spec, path: "spec", log: log) }.map(EndpointSettings.init)
    }

    /// How TLS is spoken with a Backend or Service port.
    func backendTLS(_ object: ObjectIdentity, port: String? = nil) -> BackendTLS {
        let effective = policies.effective(
            .backendTLSPolicy,
            (port.map { [.init(object: object, section: $0)] } ?? [])
                + [.init(object: object, section: nil)])
        guard let effective else { return .none }
        return backendTLS(effective.policies[0])
    }

    private func backendTLS(_ policy: Policy) -> BackendTLS {
        guard let fields = policy.fields(log)?.mapping("validation") else { return .none }
        var plan = UpstreamTLSPlan(trust: .system, serverName: fields.text("hostname")?.value)
        plan.subjectAltNames = fields.mappings("subjectAltNames").compactMap {
            ($0.text("hostname") ?? $0.text("uri"))?.value
        }
        let references = fields.references(
            "caCertificateRefs", kind: "ConfigMap", namespace: policy.metadata.namespace)
        guard !references.isEmpty else { return .plan(plan) }
        switch authorities(references) {
        case .success(let texts): plan.trust = .authorities(texts)
        case .failure(let fault): return .fault(fault)
        }
        return .plan(plan)
    }

    // MARK: - Conditions

    mutating func reportPolicies() {
        for state in policyStates {
            let policy = state.policy
            let subject = Condition.Subject.ancestor(
                policy.metadata.identity, ref: state.description)
            condition(
                subject, of: policy.metadata, "Accepted", state.fault == nil,
                state.fault?.reason ?? "Accepted", state.fault?.message ?? "")
            if policy.kind == .backendTLSPolicy, state.fault?.reason != "TargetNotFound" {
                condition(
                    subject, of: policy.metadata, "ResolvedRefs", state.unresolved == nil,
                    state.unresolved?.reason ?? "ResolvedRefs", state.unresolved?.message ?? "")
            }
            let unserved = EngineSupport.unserved(policy)
            if state.fault == nil, !unserved.isEmpty {
                condition(
                    subject, of: policy.metadata, "Programmed", false, "Pending",
                    "understood and not served yet: " + unserved.joined(separator: ", "))
            }
            if !state.overriders.isEmpty {
                condition(
                    subject, of: policy.metadata, "Overridden", true, "Overridden",
                    "in its place: " + state.overriders.joined(separator: ", "))
            }
            if let base = state.mergedOver {
                condition(subject, of: policy.metadata, "Merged", true, "Merged", "over \(base)")
            }
            if policy.deprecatedTarget != nil, policy.kind.group == Kind.envoyGroup {
                condition(
                    subject, of: policy.metadata, "Warning", true, "DeprecatedField",
                    "spec.targetRef is deprecated; use spec.targetRefs")
            }
        }
    }
}
