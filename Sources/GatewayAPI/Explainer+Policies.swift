import Manifest
import Routing

// Which policies hold where a question leads, and which of their fields gives which value. It asks
// `PolicyIndex` as `translate()` did.

extension Explainer {
    /// A route with the rule that an answer is about.
    struct AskedRule {
        let route: Route
        let rule: Route.Rule?
    }

    /// Of all routes by the names of their plans: `Kind/namespace/name` is the first rule's, since
    /// where the plan names the route alone it has no other.
    static func rules(_ routes: [Route]) -> [String: AskedRule] {
        var rules: [String: AskedRule] = [:]
        for route in routes {
            let identity = route.metadata.identity
            let name = "\(identity.kind)/\(identity.namespace)/\(identity.name)"
            if rules[name] != nil { continue }
            rules[name] = AskedRule(route: route, rule: route.rules.first)
            for (number, rule) in route.rules.enumerated() {
                let own = rule.name.map { " (\($0))" } ?? ""
                rules["\(name)/rule/\(number)\(own)"] = AskedRule(route: route, rule: rule)
            }
        }
        return rules
    }

    // MARK: - Where policies stand

    /// Of a listener of the Gateway, by its name in the plan.
    func chain(_ server: String) -> [PolicyIndex.Target] { result.policyChains[server] ?? [] }

    /// Of a route or rule, by its name in the plan, at such a listener.
    func chain(_ name: String, at server: String) -> [PolicyIndex.Target] {
        guard let asked = rules[name] else { return chain(server) }
        let route = asked.route.metadata.identity
        let rule = asked.rule?.name.map { [PolicyIndex.Target(object: route, section: $0)] } ?? []
        return rule + [PolicyIndex.Target(object: route, section: nil)] + chain(server)
    }

    /// Of a Backend or Service, by its name in the plan.
    func chain(backend name: String) -> [PolicyIndex.Target] {
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return [] }
        guard let colon = parts[1].lastIndex(of: ":") else {
            let backend = ObjectIdentity(kind: "Backend", namespace: parts[0], name: parts[1])
            return [PolicyIndex.Target(object: backend, section: nil)]
        }
        let service = ObjectIdentity(
            kind: "Service", namespace: parts[0], name: String(parts[1][..<colon]))
        let number = UInt16(parts[1][parts[1].index(after: colon)...])
        let port = result.objects.services.first { $0.metadata.identity == service }?
            .ports.first { $0.port == number }
        return [
            PolicyIndex.Target(object: service, section: port?.name ?? ""),
            PolicyIndex.Target(object: service, section: nil),
        ]
    }

    // MARK: - What they say

    /// Adds the policies of `kind` in a chain to the answer, and gives what is in force.
    func note(
        _ answer: inout Explanation, _ kind: Kind, _ chain: [PolicyIndex.Target]
    ) -> PolicyIndex.Effective? {
        if isBrief { return nil }
        defer { noteConflicts(&answer, kind, chain) }
        guard let effective = result.policies.effective(kind, chain) else { return nil }
        let first = effective.policies[0].metadata.identity
        for (number, target) in effective.targets.enumerated() {
            guard let policy = result.policies.policy(kind, at: target) else { continue }
            let state: Explanation.PolicyUse.State
            switch number {
            case 0: state = effective.isInvalid ? .invalid(fault(of: effective)) : .inForce
            case ..<effective.policies.count: state = .merged(first)
            // A policy that names both a Gateway and its route overrides nobody.
            case _ where policy.metadata.identity == first: continue
            default: state = .overridden(first)
            }
            let use = Explanation.PolicyUse(
                policy: policy.metadata.identity, place: policy.metadata.place,
                target: "\(target)", state: state)
            if !answer.policies.contains(use) { answer.policies.append(use) }
        }
        return effective
    }

    /// Policies whose target another of their kind had before.
    private func noteConflicts(
        _ answer: inout Explanation, _ kind: Kind, _ chain: [PolicyIndex.Target]
    ) {
        for target in chain {
            for refusal in refusals["\(target)"] ?? []
            where refusal.policy.kind == kind.rawValue && refusal.reason == "Conflicted" {
                let policy = result.objects.policies.first {
                    $0.metadata.identity == refusal.policy
                }
                guard let place = policy?.metadata.place else { continue }
                let use = Explanation.PolicyUse(
                    policy: refusal.policy, place: place, target: "\(target)",
                    state: .conflicted(refusal.message))
                if !answer.policies.contains(use) { answer.policies.append(use) }
            }
        }
    }

    /// What an invalid policy, or the one that it is merged over, says that cannot be done.
    func fault(of effective: PolicyIndex.Effective) -> String {
        for (policy, target) in zip(effective.policies, effective.targets) {
            let refusal = refusals["\(target)"]?.first { $0.policy == policy.metadata.identity }
            if let refusal { return refusal.message }
        }
        return "see apus check"
    }

    /// A policy that was not accepted at a target.
    struct PolicyRefusal {
        let policy: ObjectIdentity
        let reason: String
        let message: String
    }

    /// By the target, as written in conditions.
    static func refusals(_ conditions: [Condition]) -> [String: [PolicyRefusal]] {
        var refusals: [String: [PolicyRefusal]] = [:]
        for condition in conditions where condition.type == "Accepted" && !condition.status {
            guard case .ancestor(let policy, let target) = condition.subject else { continue }
            refusals[target, default: []].append(
                PolicyRefusal(
                    policy: policy, reason: condition.reason, message: condition.message))
        }
        return refusals
    }

    /// The fields of policies in force. What comes of an invalid one is not by its fields.
    func source(
        _ table: SettingSource.Table, _ policies: [PolicyIndex.Effective?]
    ) -> SettingSource {
        var written: [SettingSource.Written] = []
        for case let effective? in policies where !effective.isInvalid {
            written += self.written(effective)
        }
        return SettingSource(table, written)
    }

    private func written(_ effective: PolicyIndex.Effective) -> [SettingSource.Written] {
        let first = effective.policies[0]
        let own = Set(first.spec.origins.map(\.place))
        return effective.spec.origins.filter { !$0.isDefault }.map { origin in
            let isOwn = effective.policies.count == 1 || own.contains(origin.place)
            return SettingSource.Written(
                object: (isOwn ? first : effective.policies[1]).metadata.identity, root: "spec",
                origin: origin)
        }
    }

    /// What an authorization was made of: the rule that decided, the default, or the whole policy.
    func origin(
        of verdict: AuthorizationPlan.Verdict, _ effective: PolicyIndex.Effective?
    ) -> Explanation.Setting.Origin? {
        guard let effective else { return nil }
        let path =
            verdict.rule.map { "authorization.rules[\($0)]" } ?? "authorization.defaultAction"
        let found = written(effective).first {
            $0.origin.path == path || $0.origin.path.hasPrefix(path + ".")
        }
        guard let found, !effective.isInvalid else {
            let policy = effective.policies[0].metadata
            return Explanation.Setting.Origin(
                object: policy.identity, path: "spec", place: policy.place)
        }
        return Explanation.Setting.Origin(
            object: found.object, path: "spec.\(path)", place: found.origin.place)
    }

    // MARK: - What other objects say

    /// The rule of a route; its values stand where the rule begins.
    func source(rule name: String) -> SettingSource {
        guard let asked = rules[name], let rule = asked.rule else { return SettingSource([:], []) }
        var origins: [Origin] = []
        func add(_ path: String, _ place: SourcePlace) {
            origins.append(Origin(path: path, value: "", place: place))
        }
        if rule.timeouts.request != nil { add("timeouts.request", rule.place) }
        if rule.timeouts.backendRequest != nil { add("timeouts.backendRequest", rule.place) }
        if let retry = rule.retry {
            add("retry.attempts", rule.place)
            if !retry.statuses.isEmpty { add("retry.codes", rule.place) }
            if retry.backOff != RetryPlan().backOff { add("retry.backoff", rule.place) }
        }
        for (number, filter) in rule.filters.enumerated() {
            add("filters[\(number)]", filter.place)
        }
        return SettingSource(
            SettingSource.ofRule,
            origins.map {
                .init(object: asked.route.metadata.identity, root: rule.path, origin: $0)
            })
    }

    /// The Gateway, and the listener in it or in a ListenerSet.
    func source(gatewayOf server: String) -> SettingSource {
        var written: [SettingSource.Written] = []
        let parts = server.split(separator: "/").map(String.init)
        let owners =
            result.objects.gateways.map { ($0.metadata, $0.listeners) }
            + result.objects.listenerSets.map { ($0.metadata, $0.listeners) }
        for (owner, listeners) in owners
        where parts.count == 3 && owner.namespace == parts[0] && owner.name == parts[1] {
            guard let listener = listeners.first(where: { $0.name.value == parts[2] }),
                let tls = listener.tls
            else { continue }
            for (number, certificate) in tls.certificates.enumerated() {
                let origin = Origin(
                    path: "tls.certificateRefs[\(number)]", value: "",
                    place: certificate.name.place)
                written.append(
                    .init(object: owner.identity, root: listener.path, origin: origin))
            }
        }
        // The listener's own validation of clients comes from its Gateway where no policy has any.
        if let gateway = chain(server).last?.object,
            let metadata = result.objects.gateways.first(where: {
                $0.metadata.identity == gateway
            })?.metadata
        {
            written.append(
                .init(
                    object: gateway, root: "spec",
                    origin: Origin(path: "tls.frontend", value: "", place: metadata.place)))
        }
        return SettingSource(SettingSource.ofGatewayTLS, written)
    }

    func source(backend name: String) -> SettingSource {
        let backend = result.objects.backends.first {
            "\($0.metadata.namespace)/\($0.metadata.name)" == name
        }
        guard let backend else { return SettingSource([:], []) }
        var origins: [Origin] = []
        if let application = backend.application {
            // Or `appProtocols`: the place tells which.
            origins.append(Origin(path: "appProtocol(s)", value: "", place: application.place))
        }
        if backend.isDynamicResolver {
            origins.append(Origin(path: "type", value: "", place: backend.metadata.place))
        }
        return SettingSource(
            SettingSource.ofBackend,
            origins.map { .init(object: backend.metadata.identity, root: "spec", origin: $0) })
    }
}
