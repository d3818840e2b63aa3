import Manifest
import Primitives

/// A Gateway (gateway.networking.k8s.io/v1): addresses and the listeners on them.
struct Gateway: Sendable {
    let metadata: Metadata
    let addresses: [Address]
    let listeners: [Listener]

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

    /// `spec.listeners[]`.
    struct Listener: Sendable {
        let name: Located<String>
        let port: Located<UInt16>
        let `protocol`: Located<String>
        let namespaces: Namespaces
        /// `allowedRoutes.kinds`; nil = the kinds of the protocol.
        let kinds: [RouteKind]?
        let path: String
    }

    struct RouteKind: Hashable, Sendable {
        let group: String
        let kind: String
        let place: SourcePlace
    }

    /// Whose routes may attach (`allowedRoutes.namespaces.from`).
    enum Namespaces: Sendable { case same, all, none }

    /// The address type of our own; the Gateway API lets implementations define such, with a domain
    /// as prefix (`GatewaySpecAddress.type`).
    static let unixAddressType = "apus.dev/UnixSocket"
}

extension Gateway {
    init(metadata: Metadata, spec: inout Fields) {
        self.metadata = metadata
        _ = spec.text("gatewayClassName")
        addresses = (spec.list("addresses", count: 0...16) ?? []).compactMap {
            Address($0.node, path: $0.path, log: spec.log)
        }
        if spec.take("listeners") == nil { spec.missing("listeners") }
        listeners = (spec.list("listeners", count: 1...64) ?? []).compactMap {
            Listener($0.node, path: $0.path, log: spec.log)
        }
        var lines: [String: Int] = [:]
        for listener in listeners {
            let name = listener.name
            if let line = lines.updateValue(name.place.line, forKey: name.value) {
                spec.log.error(
                    at: name.place, path: "\(listener.path).name",
                    "Listener name must be unique within the Gateway; line \(line) has it too")
            }
        }
        spec.finish(later: ["allowedListeners", "infrastructure", "tls"])
    }
}

extension Gateway.Address {
    init?(_ node: Node, path: String, log: FindingLog) {
        guard var fields = Fields(node, path: path, log: log) else { return nil }
        let type = fields.text("type")?.value ?? "IPAddress"
        let value = fields.requiredText("value")
        fields.finish()
        guard let value else { return nil }
        place = value.place
        self.path = path
        switch type {
        case "IPAddress":
            guard let address = IPAddress(value.value) else {
                log.error(
                    at: value.place, path: "\(path).value",
                    "\"\(value.value)\" is no IP address; write one like 127.0.0.1 or ::1")
                return nil
            }
            self.value = .ip(address)
        case Gateway.unixAddressType:
            guard let unix = UnixPath.checked(value, path: "\(path).value", log: log) else {
                return nil
            }
            self.value = .unix(path: unix)
        default:
            self.value = .unsupported(type: type)
        }
    }
}

extension Gateway.Listener {
    init?(_ node: Node, path: String, log: FindingLog) {
        guard var fields = Fields(node, path: path, log: log) else { return nil }
        self.path = path
        let name = fields.requiredText("name")
        if let name, !Names.isSubdomain(name.value) {
            log.error(
                at: name.place, path: "\(path).name",
                "must be lowercase letters, digits, hyphens and dots")
        }
        if fields.take("port") == nil { fields.missing("port") }
        let port = fields.port()
        let proto = fields.requiredText("protocol")
        let hostname = fields.text("hostname")
        if let hostname, let proto, proto.value == "TCP" || proto.value == "UDP" {
            log.error(
                at: hostname.place, path: "\(path).hostname",
                "hostname must not be specified for protocols ['TCP', 'UDP']; remove it")
        }
        let allowed = AllowedRoutes(fields.mapping("allowedRoutes"))
        if let tls = fields.take("tls") {
            if let proto, ["HTTP", "TCP", "UDP"].contains(proto.value) {
                log.error(
                    at: tls.place, path: "\(path).tls",
                    "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']; remove it")
            } else {
                log.notServed(at: tls.place, path: "\(path).tls")
            }
        }
        fields.finish()
        guard let name, let port, let proto else { return nil }
        self.name = name
        self.port = port
        self.protocol = proto
        self.namespaces = allowed.namespaces
        self.kinds = allowed.kinds
    }

    /// `allowedRoutes`.
    private struct AllowedRoutes {
        var namespaces = Gateway.Namespaces.same
        var kinds: [Gateway.RouteKind]?

        init(_ fields: Fields?) {
            guard var fields else { return }
            if var from = fields.mapping("namespaces") { readNamespaces(&from) }
            kinds = fields.list("kinds", count: 0...8)?.compactMap { item in
                guard var kind = Fields(item.node, path: item.path, log: fields.log) else {
                    return nil
                }
                let group = kind.text("group")?.value ?? Kind.gatewayGroup
                let name = kind.requiredText("kind")
                kind.finish()
                return name.map {
                    Gateway.RouteKind(group: group, kind: $0.value, place: $0.place)
                }
            }
            if kinds?.isEmpty == true { kinds = nil }
            fields.finish()
        }

        private mutating func readNamespaces(_ fields: inout Fields) {
            let from = fields.word("from", of: ["Same", "All", "Selector", "None"])
            _ = fields.take("selector")
            switch from?.value {
            case "All": namespaces = .all
            case "None": namespaces = .none
            case "Selector":
                namespaces = .none
                fields.log.notServed(
                    at: from?.place ?? fields.place, path: fields.path(of: "from"),
                    "Selector is not served yet: no route attaches; use Same or All")
            default: break
            }
            fields.finish()
        }
    }
}
