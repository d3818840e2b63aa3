import Manifest
import Primitives

// The two dialects never use the same YAML node type in the same field, so the node type alone
// says which one an endpoint is written in: a scalar `ip: 10.0.0.1` has its `port` beside it, a
// mapping `ip: {address: …, port: …}` within.

extension Backend {
    init(metadata: Metadata, spec: inout Fields) {
        self.metadata = metadata
        let log = spec.log
        let type = spec.word("type", of: ["Endpoints", "DynamicResolver"])
        isDynamicResolver = type?.value == "DynamicResolver"
        let list = spec.take("endpoints")
        if isDynamicResolver, let list {
            log.error(
                at: list.place, path: spec.path(of: "endpoints"),
                "DynamicResolver type cannot have endpoints; remove them or the type")
        } else if !isDynamicResolver, list == nil {
            spec.missing("endpoints")
        }
        endpoints = (spec.list("endpoints", count: 1...256) ?? []).compactMap {
            Endpoint($0.node, path: $0.path, log: log)
        }
        application = Backend.application(&spec)
        fallback = spec.take("fallback").flatMap {
            Fallback($0, path: "spec.fallback", namespace: metadata.namespace, log: log)
        }
        tls = spec.take("tls")?.place
        spec.finish()
    }

    private static func application(_ spec: inout Fields) -> Located<Application>? {
        let log = spec.log
        let words = ["http", "https", "h2c", "h2", "grpc", "grpcs", "tcp", "udp"]
        let one = spec.word("appProtocol", of: words)
        let prefix = "gateway.envoyproxy.io/"
        let allowed = ["h2c", "ws", "wss"].map { prefix + $0 }
        let path = spec.path(of: "appProtocols")
        var many: [Located<Application>] = []
        for item in spec.list("appProtocols", count: 0...16) ?? [] {
            guard let text = log.text(item.node, path: item.path) else { continue }
            guard allowed.contains(text.value) else {
                let nearest = Suggestion.nearest(to: text.value, among: allowed)
                log.error(
                    at: text.place, path: item.path,
                    "\"\(Scalar(text.value, isText: true).excerpt)\" is none of "
                        + allowed.joined(separator: ", ")
                        + (nearest.map { "; did you mean \($0)?" } ?? ""))
                continue
            }
            guard let known = Application(rawValue: String(text.value.dropFirst(prefix.count)))
            else { continue }
            many.append(Located(value: known, place: text.place))
        }
        let single = one.flatMap { text in
            Application(rawValue: text.value).map { Located(value: $0, place: text.place) }
        }
        guard let single else { return many.first }
        if many.contains(where: { $0.value != single.value }) {
            log.error(
                at: many[0].place, path: path,
                "says something else than appProtocol: \(single.value.rawValue); keep one of them")
        }
        return single
    }
}

extension Backend.Endpoint {
    init?(_ node: Node, path: String, log: FindingLog) {
        guard var fields = Fields(node, path: path, log: log) else { return nil }
        let forms = [
            ("fqdn", fields.take("fqdn")), ("ip", fields.take("ip")),
            ("unix", fields.take("unix")),
        ].filter { $0.1 != nil }
        _ = fields.text("hostname")
        _ = fields.text("zone")
        guard let form = forms.first, let value = form.1, forms.count == 1 else {
            log.error(
                at: node.place, path: path,
                forms.isEmpty
                    ? "one of fqdn, ip or unix must be specified"
                    : "only one of fqdn, ip or unix can be specified; make an endpoint of each")
            return nil
        }
        self.place = value.place
        self.path = path
        let target: Target?
        switch value.value {
        case .scalar:
            target = Self.beside(form.0, value, &fields)
            usesTLS =
                form.0 != "unix" && fields.word("protocol", of: ["HTTPS"]) != nil
        case .mapping:
            target = Self.within(form.0, value, fields)
            usesTLS = false
        case .sequence:
            log.error(
                at: value.place, path: fields.path(of: form.0),
                "must be a string or a mapping, not a list")
            target = nil
            usesTLS = false
        }
        fields.finish()
        guard let target else { return nil }
        self.target = target
    }

    /// `ip: 10.0.0.1` with `port: 80` beside it.
    private static func beside(_ form: String, _ node: Node, _ fields: inout Fields) -> Target? {
        let path = fields.path(of: form)
        let text = fields.log.text(node, path: path)
        guard form != "unix" else {
            return text.flatMap { unix($0, path: path, log: fields.log) }
        }
        if fields.take("port") == nil { fields.missing("port") }
        let port = fields.port()
        guard let text else { return nil }
        return target(form, text, port: port?.value, path: path, log: fields.log)
    }

    /// `ip: {address: 10.0.0.1, port: 80}`.
    private static func within(_ form: String, _ node: Node, _ outer: Fields) -> Target? {
        let path = outer.path(of: form)
        guard var fields = Fields(node, path: path, log: outer.log) else { return nil }
        guard form != "unix" else {
            let text = fields.requiredText("path")
            fields.finish()
            return text.flatMap { unix($0, path: fields.path(of: "path"), log: fields.log) }
        }
        let name = form == "ip" ? "address" : "hostname"
        let text = fields.requiredText(name)
        if fields.take("port") == nil { fields.missing("port") }
        let port = fields.port()
        fields.finish()
        guard let text else { return nil }
        return target(
            form, text, port: port?.value, path: fields.path(of: name), log: fields.log)
    }

    private static func unix(_ text: Located<String>, path: String, log: FindingLog) -> Target? {
        UnixPath.checked(text, path: path, log: log).map { .address(.unix(path: $0)) }
    }

    private static func target(
        _ form: String, _ text: Located<String>, port: UInt16?, path: String, log: FindingLog
    ) -> Target? {
        let shown = Scalar(text.value, isText: true).excerpt
        if form == "ip" {
            guard let address = IPAddress(text.value) else {
                log.error(
                    at: text.place, path: path,
                    "\"\(shown)\" is no IP address; for a name use fqdn")
                return nil
            }
            return port.map { .address(.ip(address, port: $0)) }
        }
        guard IPAddress(text.value) == nil else {
            log.error(at: text.place, path: path, "\"\(shown)\" is an IP address; use ip for it")
            return nil
        }
        let name = text.value.hasSuffix(".") ? text.value.dropLast() : text.value[...]
        guard Names.isSubdomain(name) else {
            log.error(
                at: text.place, path: path,
                "\"\(shown)\" is no host name; write lowercase letters, digits, hyphens and dots")
            return nil
        }
        return port.map { .name(String(name), port: $0) }
    }
}

extension Backend.Fallback {
    init?(_ node: Node, path: String, namespace: String, log: FindingLog) {
        switch node.value {
        case .scalar(let scalar):
            guard case .boolean(let isFallback) = scalar.kind else { break }
            guard isFallback else { return nil }
            self = .itself(node.place)
            return
        case .mapping:
            guard var outer = Fields(node, path: path, log: log) else { return nil }
            let reference = outer.requiredMapping("backendRef")
            outer.finish()
            guard var fields = reference else { return nil }
            _ = fields.text("group")
            let kind = fields.text("kind")?.value ?? "Service"
            let space = fields.text("namespace")?.value ?? namespace
            let name = fields.requiredText("name")
            let port = fields.port()?.value
            fields.finish()
            guard let name else { return nil }
            self = .other(kind: kind, namespace: space, name: name.value, port: port, node.place)
            return
        case .sequence:
            break
        }
        log.error(
            at: node.place, path: path,
            "must be true, false or a mapping with backendRef, not \(node.article)")
        return nil
    }
}
