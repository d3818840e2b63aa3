import Manifest
import Primitives
import Routing

// The two dialects never use the same YAML node type in the same field, so the node type alone
// says which one an endpoint is written in: a scalar `ip: 10.0.0.1` has its `port` beside it, a
// mapping `ip: {address: …, port: …}` within.

extension Backend {
    static func application(_ spec: Fields) -> Located<Application>? {
        let prefix = "gateway.envoyproxy.io/"
        let many = spec.texts("appProtocols").compactMap { text in
            Application(rawValue: String(text.value.dropFirst(prefix.count))).map {
                Located(value: $0, place: text.place)
            }
        }
        let single = spec.text("appProtocol").flatMap { text in
            Application(rawValue: text.value).map { Located(value: $0, place: text.place) }
        }
        guard let single else { return many.first }
        if let other = many.first(where: { $0.value != single.value }) {
            spec.log.error(
                at: other.place, path: spec.path(of: "appProtocols"),
                "says something else than appProtocol: \(single.value.rawValue); keep one of them")
        }
        return single
    }
}

extension Backend.Dialect {
    init(_ spec: Fields) {
        let words = ["fqdn", "ip", "srv", "unix"]
        let values = spec.mappings("endpoints").flatMap { endpoint in
            words.compactMap(endpoint.node)
        }
        let hasScalar = values.contains { if case .scalar = $0.value { true } else { false } }
        let hasMapping = values.contains { if case .mapping = $0.value { true } else { false } }
        if hasScalar || spec.node("appProtocol") != nil || spec.mapping("fallback") != nil {
            self = .seed
        } else if hasMapping || spec.node("appProtocols") != nil || spec.node("fallback") != nil {
            self = .v1alpha1
        } else {
            self = .neutral
        }
    }
}

extension Backend.Endpoint {
    init?(_ fields: Fields) {
        guard let form = ["fqdn", "ip", "srv", "unix"].first(where: { fields.node($0) != nil }),
            let value = fields.node(form)
        else { return nil }
        place = value.place
        path = fields.path
        hostname = fields.text("hostname")?.value
        zone = fields.text("zone")?.value
        let target: EndpointPlan.Target?
        Self.checkSiblings(form, fields)
        if let inner = fields.mapping(form) {
            let name = form == "ip" ? "address" : form == "fqdn" ? "hostname" : "path"
            target = Self.target(form, inner, name)
            usesTLS = false
        } else {
            target = Self.target(form, fields, form)
            usesTLS = fields.text("protocol")?.value == "HTTPS"
        }
        guard let target else { return nil }
        self.target = target
    }

    /// `port` and `protocol` belong beside a scalar `fqdn` or `ip`, and nowhere else.
    private static func checkSiblings(_ form: String, _ fields: Fields) {
        let isWithin = fields.mapping(form) != nil
        if !isWithin, form == "fqdn" || form == "ip" {
            guard fields.node("port") == nil else { return }
            return fields.log.error(
                at: fields.place, path: fields.path(of: "port"), rule: "required",
                "is missing; it is required beside \(form)")
        }
        for name in ["port", "protocol"] {
            guard let node = fields.node(name) else { continue }
            let fix =
                switch (form, name) {
                case ("unix", "port"): "a Unix socket has none"
                case ("unix", _) where !isWithin: "a Unix socket has none"
                case ("srv", "port"): "the records of the service say it"
                case (_, "port"): "it belongs into \(form)"
                default: "ask for TLS with spec.tls"
                }
            fields.log.error(
                at: node.place, path: fields.path(of: name), rule: "unknown-field",
                "unknown field; \(fix)")
        }
    }

    /// Reads the address in field `name` and the `port` beside it.
    private static func target(
        _ form: String, _ fields: Fields, _ name: String
    ) -> EndpointPlan.Target? {
        guard let text = fields.text(name) else { return nil }
        let path = fields.path(of: name)
        let log = fields.log
        let shown = Scalar(text.value, isText: true).excerpt
        switch form {
        case "srv": return .service(text.value)
        case "unix":
            return UnixPath.checked(text, path: path, log: log).map { .address(.unix(path: $0)) }
        case "ip":
            guard let address = IPAddress(text.value) else {
                log.error(
                    at: text.place, path: path,
                    "\"\(shown)\" is no IP address; for a name use fqdn")
                return nil
            }
            return fields.port().map { .address(.ip(address, port: $0.value)) }
        default:
            guard IPAddress(text.value) == nil else {
                log.error(
                    at: text.place, path: path, "\"\(shown)\" is an IP address; use ip for it")
                return nil
            }
            let name = text.value.hasSuffix(".") ? text.value.dropLast() : text.value[...]
            guard Names.isSubdomain(name) else {
                log.error(
                    at: text.place, path: path,
                    "\"\(shown)\" is no host name; write lowercase letters, digits, hyphens and "
                        + "dots")
                return nil
            }
            return fields.port().map { .name(String(name), port: $0.value) }
        }
    }
}

extension Backend.Fallback {
    init?(_ spec: Fields, namespace: String) {
        if let fields = spec.mapping("fallback")?.mapping("backendRef") {
            guard
                let reference = ObjectReference(fields, kind: "Service", namespace: namespace)
            else { return nil }
            self = .other(reference, port: fields.port()?.value)
        } else if let isFallback = spec.boolean("fallback"), isFallback.value {
            self = .itself(isFallback.place)
        } else {
            return nil
        }
    }
}

extension Backend.TLS {
    init(_ fields: Fields, namespace: String) {
        place = fields.place
        skipsVerification = fields.boolean("insecureSkipVerify")?.value ?? false
        authorities = fields.references(
            "caCertificateRefs", kind: "ConfigMap", namespace: namespace)
        trustsSystem = fields.text("wellKnownCACertificates")?.value == "System"
        serverName = fields.text("sni")?.value
        namesFromEndpoints = fields.boolean("autoSNIFromEndpointHostname")?.value ?? false
        clientCertificate = fields.reference(
            "clientCertificateRef", kind: "Secret", namespace: namespace)
        alpnProtocols = fields.texts("alpnProtocols").map(\.value)
        var settings = TLSSettings()
        // `Auto` is the default.
        let least = fields.text("minVersion").flatMap { TLSSettings.Version(rawValue: $0.value) }
        let most = fields.text("maxVersion").flatMap { TLSSettings.Version(rawValue: $0.value) }
        settings.versionMin = least ?? settings.versionMin
        settings.versionMax = most ?? settings.versionMax
        settings.ciphers = fields.texts("ciphers").map(\.value)
        settings.curves = fields.texts("ecdhCurves").map(\.value)
        settings.signatureAlgorithms = fields.texts("signatureAlgorithms").map(\.value)
        self.settings = settings
    }
}
