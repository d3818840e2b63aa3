import Manifest

/// A GatewayClass (gateway.networking.k8s.io/v1): who serves the Gateways that name it.
struct GatewayClass: Sendable {
    let metadata: Metadata
    let controllerName: Located<String>?
    let parameters: ObjectReference?

    /// Ours, and that of Envoy Gateway, whose documents are served as they are.
    static let controllers = [
        "apus.dev/gateway-controller", "gateway.envoyproxy.io/gatewayclass-controller",
    ]

    var isOurs: Bool { controllerName.map { Self.controllers.contains($0.value) } ?? false }

    init(metadata: Metadata, spec: Fields) {
        self.metadata = metadata
        controllerName = spec.text("controllerName")
        parameters = spec.reference(
            "parametersRef", kind: "", namespace: metadata.namespace)
    }
}
