import Manifest
import Routing

// Policies: which one holds where.

extension Translation {
    mutating func indexPolicies() {
        let sections = sections()
        for policy in objects.clientPolicies.sorted(by: { $0.metadata.precedes($1.metadata) }) {
            for target in policy.targets {
                place(target, of: policy.metadata, sections) { $0.add(policy, on: $1) }
            }
        }
        for policy in objects.backendPolicies.sorted(by: { $0.metadata.precedes($1.metadata) }) {
            for target in policy.targets {
                place(target, of: policy.metadata, sections) { $0.add(policy, on: $1) }
                warnOfDatagrams(policy, target)
            }
        }
        for policy in objects.endpointPolicies.sorted(by: { $0.metadata.precedes($1.metadata) }) {
            for target in policy.targets {
                place(target, of: policy.metadata, sections) { $0.add(policy, on: $1) }
            }
        }
    }

    /// Every object that a policy may target, with the names of its sections.
    private func sections() -> [ObjectIdentity: Set<String>] {
        var sections: [ObjectIdentity: Set<String>] = [:]
        for gateway in gateways {
            sections[gateway.metadata.identity] = Set(gateway.listeners.map(\.name.value))
        }
        for route in routes {
            sections[route.metadata.identity] = Set(route.rules.compactMap(\.name))
        }
        for identity in index.backends.keys { sections[identity] = [] }
        return sections
    }

    /// Gives the policy its target, unless that is missing or taken.
    private mutating func place(
        _ target: PolicyTarget, of metadata: Metadata,
        _ sections: [ObjectIdentity: Set<String>],
        _ add: (inout PolicyIndex, PolicyIndex.Target) -> ObjectIdentity?
    ) {
        let object = ObjectIdentity(
            kind: target.kind, namespace: metadata.namespace, name: target.name.value)
        let section = target.sectionName
        var fault: (reason: String, message: String)?
        var isSilent = false
        if let known = sections[object] {
            if let section, !known.contains(section) {
                let all =
                    known.isEmpty
                    ? "it has none"
                    : "its sections are "
                        + known.sorted().joined(separator: ", ")
                fault = ("TargetNotFound", "\(object) has no section \(section); \(all)")
            } else if let holder = add(&policies, .init(object: object, section: section)) {
                fault = ("Conflicted", "\(holder) comes first and already holds for \(object)")
            }
        } else if objects.ignored.contains(object) {
            fault = (
                "TargetNotFound", "\(target.kind) means nothing here; the policy has no effect"
            )
        } else {
            isSilent = objects.refused.contains(object)
            fault = ("TargetNotFound", "there is no \(object)")
        }
        let ref = "\(object)" + (section.map { "/\($0)" } ?? "")
        condition(
            .ancestor(metadata.identity, ref: ref), of: metadata, "Accepted", fault == nil,
            fault?.reason ?? "Accepted", fault?.message ?? "")
        guard let fault, !isSilent else { return }
        report(
            .error, at: target.name.place,
            metadata.identity, path: target.path, rule: fault.reason, fault.message)
    }

    /// UDP has no connections to time, keep alive or begin with a header.
    private func warnOfDatagrams(_ policy: BackendTrafficPolicy, _ target: PolicyTarget) {
        let isTCPOnly =
            policy.proxyHeader != .none || policy.keepalive != nil
            || policy.connectTimeoutMilliseconds != ClusterPlan.connectTimeoutMillisecondsDefault
        guard target.kind == "UDPRoute", isTCPOnly else { return }
        report(
            .warning, at: target.name.place, policy.metadata.identity, path: target.path,
            rule: "NoEffect",
            "proxyProtocol, tcpKeepalive and timeout.tcp have no effect on a UDPRoute")
    }
}
