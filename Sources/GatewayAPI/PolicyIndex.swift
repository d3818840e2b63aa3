import Manifest
import Routing

/// Which policy holds for which target. Two policies of one kind on the same target: the first by
/// precedence has it.
struct PolicyIndex: Sendable {
    struct Target: Hashable, Sendable {
        let object: ObjectIdentity
        let section: String?
    }

    struct Holder: Sendable {
        let policy: Policy
        /// What it says cannot be done: nothing that it is about may be served without it.
        let isInvalid: Bool
    }

    /// What is in force at a place.
    struct Effective {
        let spec: Node
        let isInvalid: Bool
        /// The most specific policy first; the others are merged into it.
        let policies: [Policy]
        /// Where there are policies, the most specific place first.
        let targets: [Target]
        /// Those that a more specific one replaces.
        var overridden: [Target] { Array(targets.dropFirst(policies.count)) }
    }

    private var holders: [Kind: [Target: Holder]] = [:]

    /// The policy that has the target already, if one does.
    mutating func add(_ policy: Policy, isInvalid: Bool, on target: Target) -> Policy? {
        if let holder = holders[policy.kind]?[target] { return holder.policy }
        holders[policy.kind, default: [:]][target] = Holder(policy: policy, isInvalid: isInvalid)
        return nil
    }

    func policy(_ kind: Kind, at target: Target) -> Policy? { holders[kind]?[target]?.policy }

    /// - Parameter chain: the most specific place first; not made where no policy is of the kind.
    func effective(_ kind: Kind, _ chain: @autoclosure () -> [Target]) -> Effective? {
        guard let ofKind = holders[kind] else { return nil }
        let found = chain().compactMap { target in ofKind[target].map { (target, $0) } }
        guard let first = found.first?.1 else { return nil }
        guard first.policy.isMerged, found.count > 1 else {
            return Effective(
                spec: first.policy.spec, isInvalid: first.isInvalid, policies: [first.policy],
                targets: found.map(\.0))
        }
        let base = found[1].1
        return Effective(
            spec: first.policy.spec.merged(over: base.policy.spec),
            isInvalid: first.isInvalid || base.isInvalid, policies: [first.policy, base.policy],
            targets: found.map(\.0))
    }

    /// Rule, route, listener, ListenerSet, Gateway.
    static func chain(
        route: ObjectIdentity, rule: String?, at state: AttachedListener
    ) -> [Target] {
        (rule.map { [Target(object: route, section: $0)] } ?? [])
            + [Target(object: route, section: nil)] + chain(at: state)
    }

    /// Listener, ListenerSet, Gateway.
    static func chain(at state: AttachedListener) -> [Target] {
        let gateway = Target(object: state.gateway.metadata.identity, section: nil)
        let listener = Target(object: state.owner.identity, section: state.listener.name.value)
        guard let set = state.listenerSet else { return [listener, gateway] }
        return [listener, Target(object: set, section: nil), gateway]
    }
}

extension PolicyIndex.Target: CustomStringConvertible {
    var description: String { "\(object)" + (section.map { "/\($0)" } ?? "") }
}
