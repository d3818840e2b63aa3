import Manifest

/// A BackendTLSPolicy (gateway.networking.k8s.io/v1).
struct BackendTLSPolicy: Sendable {
    let metadata: Metadata

    init(metadata: Metadata, spec: Fields) { self.metadata = metadata }
}
