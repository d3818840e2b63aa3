import Manifest

/// A ReferenceGrant (gateway.networking.k8s.io/v1 and v1beta1): which kinds of which namespaces may
/// refer to objects of its own namespace.
struct ReferenceGrant: Sendable {
    let metadata: Metadata
    let from: [From]
    let to: [To]

    struct From: Hashable, Sendable {
        let group: String
        let kind: String
        let namespace: String
    }

    struct To: Hashable, Sendable {
        let group: String
        let kind: String
        /// Nil: every object of the kind.
        let name: String?
    }

    func permits(_ source: From, _ group: String, _ kind: String, _ name: String) -> Bool {
        from.contains(source)
            && to.contains {
                $0.group == group && $0.kind == kind && ($0.name == nil || $0.name == name)
            }
    }
}

extension ReferenceGrant {
    init(metadata: Metadata, spec: inout Fields) {
        self.metadata = metadata
        let log = spec.log
        if spec.take("from") == nil { spec.missing("from") }
        from = (spec.list("from", count: 1...16) ?? []).compactMap { item in
            guard var fields = Fields(item.node, path: item.path, log: log) else { return nil }
            let group = fields.text("group")?.value ?? ""
            let kind = fields.requiredText("kind")
            let namespace = fields.requiredText("namespace")
            fields.finish()
            guard let kind, let namespace else { return nil }
            return From(group: group, kind: kind.value, namespace: namespace.value)
        }
        if spec.take("to") == nil { spec.missing("to") }
        to = (spec.list("to", count: 1...16) ?? []).compactMap { item in
            guard var fields = Fields(item.node, path: item.path, log: log) else { return nil }
            let group = fields.text("group")?.value ?? ""
            let kind = fields.requiredText("kind")
            let name = fields.text("name")?.value
            fields.finish()
            return kind.map { To(group: group, kind: $0.value, name: name) }
        }
        spec.finish()
    }
}
