import Manifest

// What else refers to Backends, or lacks what only this program adds by itself.

extension Conversion {
    private func isBackend(_ reference: Node) -> Bool {
        reference["kind"]?.text == Kind.backend.rawValue
            && reference["group"]?.text == Kind.envoyGroup
    }

    private func identity(_ reference: Node, in namespace: String) -> ObjectIdentity? {
        guard isBackend(reference), let name = reference["name"]?.text else { return nil }
        return ObjectIdentity(
            kind: Kind.backend.rawValue,
            namespace: reference["namespace"]?.text ?? namespace, name: name)
    }

    /// Replaces each reference in a list by those that `names` gives for its Backend.
    private func renaming(
        _ list: Node, in namespace: String, _ names: (BackendChange) -> [String]
    ) -> Node? {
        var isChanged = false
        let new = list.replacingItems { item in
            guard let identity = identity(item, in: namespace), let change = changes[identity]
            else { return [item] }
            let others = names(change)
            guard others != [identity.name] else { return [item] }
            isChanged = true
            return others.map { Self.renamed(item, $0) }
        }
        return isChanged ? new : nil
    }

    // MARK: - Grants

    /// Whoever may refer to a Backend may refer to what it becomes and to what stands by for it.
    mutating func converted(grant: Node) -> Node? {
        guard let list = grant["spec"]?["to"] else { return nil }
        let new = renaming(list, in: Self.namespace(of: grant)) { change in
            change.parts.map(\.name) + change.standby
        }
        guard let new else { return nil }
        return grant.editing("spec") { $0.setting("to", new) }
    }

    // MARK: - Policies

    /// What is about a Backend is about what it becomes; whom to trust, also about its copies.
    mutating func converted(policy: Node, _ identity: ObjectIdentity) -> Node? {
        func names(_ change: BackendChange) -> [String] {
            let copies =
                identity.kind == Kind.backendTLSPolicy.rawValue ? twinNames[change.identity] : nil
            return change.parts.map(\.name) + (copies ?? [])
        }
        guard let spec = policy["spec"] else { return nil }
        if let list = spec["targetRefs"] {
            guard let new = renaming(list, in: identity.namespace, names) else { return nil }
            return policy.editing("spec") { $0.setting("targetRefs", new) }
        }
        guard let entry = spec.entry("targetRef") else { return nil }
        let single = Node(place: entry.value.place, value: .sequence([entry.value]))
        guard let new = renaming(single, in: identity.namespace, names) else { return nil }
        return policy.editing("spec") { spec in
            let entries = spec.entries.map { old in
                old.key == "targetRef"
                    ? Node.Entry(key: "targetRefs", keyPlace: old.keyPlace, value: new) : old
            }
            return Node(place: spec.place, value: .mapping(entries))
        }
    }

    /// A health check says its type in the real CRD; here its fields tell.
    func typed(policy: Node) -> Node? {
        guard let active = policy["spec"]?["healthCheck"]?["active"], active["type"] == nil,
            let (_, type) = [("http", "HTTP"), ("tcp", "TCP"), ("grpc", "GRPC")].first(where: {
                active[$0.0] != nil
            })
        else { return nil }
        let entry = Node.Entry(
            key: "type", keyPlace: active.place, value: Node(type, at: active.place))
        let others = active.removing(["type"])
        return policy.editing("spec", "healthCheck", "active") { _ in
            Node(place: active.place, value: .mapping([entry] + others.entries))
        }
    }

    /// The real CRD wants a Gateway's class; here one without is served.
    mutating func classed(gateway: Node, _ identity: ObjectIdentity) -> Node? {
        guard let spec = gateway["spec"], spec["gatewayClassName"] == nil else { return nil }
        let own = objects.gatewayClasses.filter(\.isOurs).map(\.metadata.name).min()
        let name = own ?? "apus"
        report(
            .warning, at: spec.place, identity, path: "spec.gatewayClassName", rule: "required",
            "is required by the real CRD; \(name) is put there"
                + (own == nil ? ", and no GatewayClass in these files has that name" : ""))
        let entry = Node.Entry(
            key: "gatewayClassName", keyPlace: spec.place, value: Node(name, at: spec.place))
        let others = spec.removing(["gatewayClassName"])
        return gateway.editing("spec") { spec in
            Node(place: spec.place, value: .mapping([entry] + others.entries))
        }
    }

    // MARK: - The rest

    /// A name that is no more, in a place where several cannot stand.
    mutating func refuseLeftovers(_ document: Node, _ owner: ObjectIdentity) {
        var found: [(place: SourcePlace, change: BackendChange)] = []
        document.visit { node in
            guard let identity = identity(node, in: owner.namespace),
                let change = changes[identity], change.isSplit
            else { return }
            found.append((node.place, change))
        }
        for (place, change) in found {
            let names = change.parts.map(\.name).joined(separator: ", ")
            report(
                .error, at: place, owner, path: "", rule: "split",
                "refers to \(change.identity), which becomes \(names); only rules, mirrors, "
                    + "grants and targets of policies can name several: name one of them")
        }
    }
}
