import Manifest

/// A listener of a Gateway or ListenerSet (`spec.listeners[]`).
struct Listener: Sendable {
    let name: Located<String>
    let port: Located<UInt16>
    let `protocol`: Located<String>
    let hostname: Located<String>?
    let tls: TLS?
    let namespaces: NamespaceRule
    /// `allowedRoutes.kinds`; nil = the kinds of the protocol.
    let kinds: [RouteKind]?
    let path: String

    /// `tls`.
    struct TLS: Sendable {
        let isPassthrough: Bool
        let certificates: [ObjectReference]
        let place: SourcePlace
    }

    struct RouteKind: Hashable, Sendable {
        let group: String
        let kind: String
        let place: SourcePlace
    }
}

/// Whose objects may attach (`allowedRoutes.namespaces`, `allowedListeners.namespaces`).
enum NamespaceRule: Sendable { case same, all, none, selector(LabelSelector) }

extension Listener {
    init?(_ fields: Fields, namespace: String) {
        guard let name = fields.text("name"), let port = fields.port(),
            let proto = fields.text("protocol")
        else { return nil }
        path = fields.path
        self.name = name
        self.port = port
        self.protocol = proto
        let hostname = fields.text("hostname")
        self.hostname = hostname?.value.isEmpty == true ? nil : hostname
        let allowed = fields.mapping("allowedRoutes")
        namespaces = NamespaceRule(allowed, default: .same)
        let kinds = allowed?.mappings("kinds").compactMap { fields in
            fields.text("kind").map { kind in
                RouteKind(
                    group: fields.text("group")?.value ?? Kind.gatewayGroup, kind: kind.value,
                    place: kind.place)
            }
        }
        self.kinds = kinds?.isEmpty == true ? nil : kinds
        tls = fields.mapping("tls").map { TLS($0, namespace: namespace) }
    }
}

extension Listener.TLS {
    init(_ fields: Fields, namespace: String) {
        place = fields.place
        isPassthrough = fields.text("mode")?.value == "Passthrough"
        certificates = fields.references(
            "certificateRefs", kind: "Secret", namespace: namespace)
    }
}

extension NamespaceRule {
    /// Reads `namespaces` of `fields`.
    init(_ fields: Fields?, default usual: NamespaceRule) {
        let namespaces = fields?.mapping("namespaces")
        switch namespaces?.text("from")?.value {
        case "All": self = .all
        case "Same": self = .same
        case "None": self = .none
        case "Selector":
            self = namespaces?.mapping("selector").map { .selector(LabelSelector($0)) } ?? .none
        default: self = usual
        }
    }
}
