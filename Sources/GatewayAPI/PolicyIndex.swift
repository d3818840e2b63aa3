import Manifest

/// Which policy holds for which target. Two policies of one kind on the same target: the first by
/// precedence has it.
struct PolicyIndex {
    struct Target: Hashable {
        let object: ObjectIdentity
        let section: String?
    }

    private(set) var client: [Target: ClientTrafficPolicy] = [:]
    private(set) var backend: [Target: BackendTrafficPolicy] = [:]
    private(set) var endpoint: [Target: EndpointPolicy] = [:]

    /// Each returns the identity of the policy that has the target already, if one does.
    mutating func add(_ policy: ClientTrafficPolicy, on target: Target) -> ObjectIdentity? {
        if let holder = client[target] { return holder.metadata.identity }
        client[target] = policy
        return nil
    }

    mutating func add(_ policy: BackendTrafficPolicy, on target: Target) -> ObjectIdentity? {
        if let holder = backend[target] { return holder.metadata.identity }
        backend[target] = policy
        return nil
    }

    mutating func add(_ policy: EndpointPolicy, on target: Target) -> ObjectIdentity? {
        if let holder = endpoint[target] { return holder.metadata.identity }
        endpoint[target] = policy
        return nil
    }

    /// The more specific replaces the less specific: listener before Gateway.
    func clientPolicy(gateway: ObjectIdentity, listener: String) -> ClientTrafficPolicy? {
        client[Target(object: gateway, section: listener)]
            ?? client[Target(object: gateway, section: nil)]
    }

    /// Rule before route before listener before Gateway.
    func backendPolicy(
        route: ObjectIdentity, rule: String?, gateway: ObjectIdentity, listener: String
    ) -> BackendTrafficPolicy? {
        let ofRule = rule.flatMap { backend[Target(object: route, section: $0)] }
        return ofRule ?? backend[Target(object: route, section: nil)]
            ?? backend[Target(object: gateway, section: listener)]
            ?? backend[Target(object: gateway, section: nil)]
    }

    func endpointPolicy(backend: ObjectIdentity) -> EndpointPolicy? {
        endpoint[Target(object: backend, section: nil)]
    }
}
