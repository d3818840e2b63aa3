import Manifest

/// A SecurityPolicy (gateway.envoyproxy.io/v1alpha1).
struct SecurityPolicy: Sendable {
    let metadata: Metadata

    init(metadata: Metadata, spec: Fields) { self.metadata = metadata }
}
