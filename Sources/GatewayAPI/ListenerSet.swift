import Manifest

/// A ListenerSet (gateway.networking.k8s.io/v1): listeners that another namespace adds to a
/// Gateway, if that allows it.
struct ListenerSet: Sendable {
    let metadata: Metadata
    let parent: ObjectReference?
    let listeners: [Listener]

    init(metadata: Metadata, spec: Fields) {
        self.metadata = metadata
        parent = spec.mapping("parentRef").flatMap {
            ObjectReference(
                $0, group: Kind.gatewayGroup, kind: "Gateway", namespace: metadata.namespace)
        }
        listeners = spec.mappings("listeners").compactMap {
            Listener($0, namespace: metadata.namespace)
        }
    }
}
