import Manifest

/// A TCPRoute or UDPRoute (gateway.networking.k8s.io/v1 and v1alpha2): which listeners it attaches
/// to and the backends that share their traffic.
struct Route: Sendable {
    enum Transport: Sendable { case tcp, udp }

    let metadata: Metadata
    let transport: Transport
    let parents: [ParentRef]
    /// Name of the one rule, if it has one: what a policy's `sectionName` refers to.
    let ruleName: String?
    let backends: [BackendRef]
    /// Where a second rule stands; the route is then not accepted.
    let secondRule: SourcePlace?

    /// `spec.parentRefs[]`.
    struct ParentRef: Sendable {
        let group: String
        let kind: String
        let namespace: String
        let name: Located<String>
        let sectionName: String?
        let port: UInt16?
        let path: String

        /// `namespace/name/section:port`, as far as given.
        var description: String {
            "\(namespace)/\(name.value)" + (sectionName.map { "/\($0)" } ?? "")
                + (port.map { ":\($0)" } ?? "")
        }
    }

    /// `spec.rules[0].backendRefs[]`.
    struct BackendRef: Sendable {
        let group: String
        let kind: String
        let namespace: String
        let name: Located<String>
        let weight: UInt32
        let path: String
    }
}

extension Route {
    init(metadata: Metadata, transport: Transport, spec: inout Fields) {
        self.metadata = metadata
        self.transport = transport
        let log = spec.log
        parents = (spec.list("parentRefs", count: 0...32) ?? []).compactMap {
            ParentRef($0.node, path: $0.path, namespace: metadata.namespace, log: log)
        }
        if spec.take("rules") == nil { spec.missing("rules") }
        let rules = spec.list("rules", count: 1...16) ?? []
        secondRule = rules.count > 1 ? rules[1].node.place : nil
        var ruleName: String?
        var backends: [BackendRef] = []
        for (index, rule) in rules.enumerated() {
            guard var fields = Fields(rule.node, path: rule.path, log: log) else { continue }
            let name = fields.text("name")?.value
            if fields.take("backendRefs") == nil { fields.missing("backendRefs") }
            let refs = (fields.list("backendRefs", count: 1...16) ?? []).compactMap {
                BackendRef($0.node, path: $0.path, namespace: metadata.namespace, log: log)
            }
            fields.finish()
            guard index == 0 else { continue }
            (ruleName, backends) = (name, refs)
        }
        (self.ruleName, self.backends) = (ruleName, backends)
        spec.finish(later: ["useDefaultGateways"])
    }
}

extension Route.ParentRef {
    init?(_ node: Node, path: String, namespace: String, log: FindingLog) {
        guard var fields = Fields(node, path: path, log: log) else { return nil }
        self.path = path
        group = fields.text("group")?.value ?? Kind.gatewayGroup
        kind = fields.text("kind")?.value ?? "Gateway"
        self.namespace = fields.text("namespace")?.value ?? namespace
        let name = fields.requiredText("name")
        sectionName = fields.text("sectionName")?.value
        port = fields.port()?.value
        fields.finish()
        guard let name else { return nil }
        self.name = name
    }
}

extension Route.BackendRef {
    /// Gateway API, `BackendRef.weight`.
    static let weightMax: Int64 = 1_000_000

    init?(_ node: Node, path: String, namespace: String, log: FindingLog) {
        guard var fields = Fields(node, path: path, log: log) else { return nil }
        self.path = path
        group = fields.text("group")?.value ?? ""
        kind = fields.text("kind")?.value ?? "Service"
        self.namespace = fields.text("namespace")?.value ?? namespace
        let name = fields.requiredText("name")
        // A Backend's endpoints have their own ports; Envoy Gateway ignores one given here too.
        _ = fields.port()
        weight = UInt32(fields.integer("weight", in: 0...Self.weightMax)?.value ?? 1)
        fields.finish()
        guard let name else { return nil }
        self.name = name
    }
}
