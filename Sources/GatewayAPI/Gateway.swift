import Manifest
import Primitives

/// A Gateway (gateway.networking.k8s.io/v1): addresses and the listeners on them.
final class Gateway: Sendable {
    let metadata: Metadata
    let className: Located<String>?
    let addresses: [Address]
    let listeners: [Listener]
    /// Whose ListenerSets may add listeners (`spec.allowedListeners`).
    let allowedListeners: NamespaceRule
    /// `spec.infrastructure.parametersRef`.
    let parameters: ObjectReference?
    /// `spec.tls.backend.clientCertificateRef`.
    let clientCertificate: ObjectReference?
    let frontend: Frontend?

    /// `spec.addresses[]`.
    struct Address: Sendable {
        enum Value: Hashable, Sendable {
            case ip(IPAddress)
            case unix(path: String)
            /// A type that cannot be bound to, such as `Hostname`.
            case unsupported(type: String)
        }

        let value: Value
        let place: SourcePlace
        let path: String
    }

    /// How client certificates are checked (`spec.tls.frontend`): by default, and by port.
    struct Frontend: Sendable {
        struct Validation: Sendable {
            let authorities: [ObjectReference]
            let allowsInsecureFallback: Bool
        }

        let usual: Validation?
        /// Nil: at this port client certificates are not asked for, whatever is usual.
        let byPort: [UInt16: Validation?]

        func validation(port: UInt16) -> Validation? { byPort[port] ?? usual }

        var allowsInsecureFallback: Bool {
            ([usual] + byPort.values).contains { $0?.allowsInsecureFallback == true }
        }
    }

    /// The address type of our own; the Gateway API lets implementations define such, with a domain
    /// as prefix (`GatewaySpecAddress.type`).
    static let unixAddressType = "apus.dev/UnixSocket"

    init(metadata: Metadata, spec: Fields) {
        self.metadata = metadata
        let namespace = metadata.namespace
        className = spec.text("gatewayClassName")
        addresses = spec.mappings("addresses").compactMap(Address.init)
        listeners = spec.mappings("listeners").compactMap { Listener($0, namespace: namespace) }
        allowedListeners = NamespaceRule(spec.mapping("allowedListeners"), default: .none)
        parameters = spec.mapping("infrastructure")?.reference(
            "parametersRef", kind: "", namespace: namespace)
        let tls = spec.mapping("tls")
        clientCertificate = tls?.mapping("backend")?.reference(
            "clientCertificateRef", kind: "Secret", namespace: namespace)
        frontend = tls?.mapping("frontend").map { Frontend($0, namespace: namespace) }
    }
}

extension Gateway.Frontend {
    init(_ fields: Fields, namespace: String) {
        usual = fields.mapping("default")?.mapping("validation").map {
            Validation($0, namespace: namespace)
        }
        var byPort: [UInt16: Validation?] = [:]
        for fields in fields.mappings("perPort") {
            guard let port = fields.port() else { continue }
            let validation = fields.mapping("tls")?.mapping("validation")
            byPort.updateValue(
                validation.map { Validation($0, namespace: namespace) }, forKey: port.value)
        }
        self.byPort = byPort
    }
}

extension Gateway.Frontend.Validation {
    init(_ fields: Fields, namespace: String) {
        authorities = fields.references(
            "caCertificateRefs", kind: "ConfigMap", namespace: namespace)
        allowsInsecureFallback = fields.text("mode")?.value == "AllowInsecureFallback"
    }
}

extension Gateway.Address {
    init?(_ fields: Fields) {
        path = fields.path
        let type = fields.text("type")?.value ?? "IPAddress"
        guard let value = fields.text("value") else {
            // An address of the implementation's choice (GatewaySpecAddress.value).
            place = fields.place
            self.value = type == "IPAddress" ? .ip(.anyIPv6) : .unsupported(type: type)
            return
        }
        place = value.place
        switch type {
        case "IPAddress":
            guard let address = IPAddress(value.value) else {
                fields.log.error(
                    at: value.place, path: fields.path(of: "value"),
                    "\"\(value.value)\" is no IP address; write one like 127.0.0.1 or ::1")
                return nil
            }
            self.value = .ip(address)
        case Gateway.unixAddressType:
            let unix = UnixPath.checked(
                value, path: fields.path(of: "value"), log: fields.log)
            guard let unix else { return nil }
            self.value = .unix(path: unix)
        default:
            self.value = .unsupported(type: type)
        }
    }
}
