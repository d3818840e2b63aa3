import Manifest
import Primitives

/// A Service (v1): a name for endpoints that EndpointSlices list.
struct Service: Sendable {
    let metadata: Metadata
    let ports: [Port]
    /// Where it has no EndpointSlices: an address of its own that somebody else serves.
    let clusterIP: IPAddress?
    /// `type: ExternalName`.
    let externalName: String?

    struct Port: Sendable {
        let name: String
        let port: UInt16
        let isUDP: Bool
        let application: String?
    }

    init(metadata: Metadata, spec: Fields) {
        self.metadata = metadata
        ports = spec.mappings("ports").compactMap { fields in
            fields.port().map { port in
                Port(
                    name: fields.text("name")?.value ?? "", port: port.value,
                    isUDP: fields.text("protocol")?.value == "UDP",
                    application: fields.text("appProtocol")?.value)
            }
        }
        clusterIP = spec.text("clusterIP").flatMap { IPAddress($0.value) }
        externalName = spec.text("externalName")?.value
    }
}
