import Manifest

/// An EndpointPolicy (apus.dev/v1alpha1): what no kind of the Gateway API can say about a Backend,
/// said outside of it, so that the Backend stays valid for its real CRD.
struct EndpointPolicy: Sendable {
    let metadata: Metadata
    let targets: [PolicyTarget]
    let udp: UDP

    /// `spec.udp`; nil = not said.
    struct UDP: Sendable {
        var idleTimeoutMilliseconds: UInt32?
        var expectedResponses: UInt32?
        var flowsMax: UInt32?
        var flowsPerSourceMax: UInt32?
    }
}

extension EndpointPolicy {
    init(metadata: Metadata, spec: Fields) {
        self.metadata = metadata
        targets = spec.targets
        let fields = spec.mapping("udp")
        udp = UDP(
            idleTimeoutMilliseconds: fields?.duration("idleTimeout")?.value,
            expectedResponses: fields?.number("expectedResponses")?.value,
            flowsMax: fields?.number("flowsMax")?.value,
            flowsPerSourceMax: fields?.number("flowsPerSourceMax")?.value)
    }
}
