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
    init(metadata: Metadata, spec: Fields) {
        self.metadata = metadata
        from = spec.mappings("from").compactMap { fields in
            guard let kind = fields.text("kind"), let namespace = fields.text("namespace") else {
                return nil
            }
            return From(
                group: fields.text("group")?.value ?? "", kind: kind.value,
                namespace: namespace.value)
        }
        to = spec.mappings("to").compactMap { fields in
            fields.text("kind").map { kind in
                To(
                    group: fields.text("group")?.value ?? "", kind: kind.value,
                    name: fields.text("name")?.value)
            }
        }
    }
}
