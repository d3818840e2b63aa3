import Manifest

/// An EndpointSlice (discovery.k8s.io/v1): some of the endpoints of a Service.
struct EndpointSlice: Sendable {
    let metadata: Metadata
    /// The Service in its namespace; nil = it belongs to none.
    let service: String?
    let ports: [Port]
    let endpoints: [Endpoint]

    struct Port: Sendable {
        let name: String
        /// Nil = every port.
        let port: UInt16?
    }

    struct Endpoint: Sendable {
        let addresses: [String]
        let isReady: Bool
        let zone: String?
    }

    static let serviceLabel = "kubernetes.io/service-name"

    init(metadata: Metadata, root: Fields) {
        self.metadata = metadata
        service = metadata.labels[Self.serviceLabel]
        ports = root.mappings("ports").map { fields in
            Port(name: fields.text("name")?.value ?? "", port: fields.port()?.value)
        }
        endpoints = root.mappings("endpoints").map { fields in
            Endpoint(
                addresses: fields.texts("addresses").map(\.value),
                // Absent means ready (EndpointConditions).
                isReady: fields.mapping("conditions")?.boolean("ready")?.value ?? true,
                zone: fields.text("zone")?.value)
        }
    }
}
