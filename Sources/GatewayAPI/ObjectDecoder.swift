import Manifest

/// Reads documents into `Objects`: tells the kind, reads the metadata, hands the spec to the kind.
/// One load owns one.
struct ObjectDecoder {
    private(set) var objects = Objects()
    private let log: FindingLog
    private var places: [ObjectIdentity: SourcePlace] = [:]

    init(log: FindingLog) { self.log = log }

    mutating func decode(_ document: Node) {
        defer { log.object = nil }
        log.object = nil
        guard var root = Fields(document, path: "", log: log) else { return }
        let version = root.requiredText("apiVersion")
        let kind = root.requiredText("kind")
        guard let version, let kind else { return }
        if kind.value == "List", version.value == "v1" { return decodeList(&root) }
        let (group, number) = Self.split(version.value)
        let isLater = Kind.notServed[group]?.contains(kind.value) == true
        let known = Kind(rawValue: kind.value).flatMap { $0.group == group ? $0 : nil }
        guard isLater || known != nil else { return unknown(kind, group: group) }
        guard let metadata = metadata(&root, kind: kind.value) else { return }
        log.object = metadata.identity
        guard let known else {
            objects.notServed.insert(metadata.identity)
            log.notServed(
                at: document.place, path: "", "this kind is not served yet; it is left aside")
            return
        }
        guard known.versions.contains(number) else {
            objects.refused.insert(metadata.identity)
            log.error(
                at: version.place, path: "apiVersion",
                "\(kind.value) has no version \(number) here; "
                    + "write \(known.group)/\(known.versions[0])")
            return
        }
        if let first = places.updateValue(document.place, forKey: metadata.identity) {
            log.error(at: document.place, "already defined at \(first); keep one of the two")
            return
        }
        decode(known, metadata, &root)
    }

    /// `kubectl get -o yaml` wraps what it shows in a List.
    private mutating func decodeList(_ root: inout Fields) {
        let items = root.list("items", count: 0...Composer.nodesMax) ?? []
        root.finish(ignored: ["metadata"])
        for item in items {
            // A List in a List is something that no server writes; it would be recursion without
            // need.
            if case .mapping(let entries) = item.node.value,
                entries.contains(where: { entry in
                    guard entry.key == "kind", case .scalar(let scalar) = entry.value.value else {
                        return false
                    }
                    return scalar.text == "List"
                })
            {
                log.error(at: item.node.place, path: item.path, "a List cannot hold a List")
                continue
            }
            decode(item.node)
        }
    }

    /// `group/version`; the core group has no name.
    private static func split(_ text: String) -> (group: String, version: String) {
        guard let slash = text.firstIndex(of: "/") else { return ("", text) }
        return (String(text[..<slash]), String(text[text.index(after: slash)...]))
    }

    private func unknown(_ kind: Located<String>, group: String) {
        let all = Kind.allCases.map(\.rawValue) + Kind.notServed.values.flatMap { $0 }
        let shown = Scalar(kind.value, isText: true).excerpt
        var hint = ""
        if let known = Kind(rawValue: kind.value) {
            hint = "; did you mean apiVersion: \(known.group)/\(known.versions[0])?"
        } else if let nearest = Suggestion.nearest(to: kind.value, among: all.sorted()) {
            hint = "; did you mean \(nearest)?"
        }
        log.report(
            .warning, .admission, at: kind.place, path: "kind",
            "\(shown) of group \"\(Scalar(group, isText: true).excerpt)\" is not read by this "
                + "version" + hint)
    }

    /// Nil, and reported, when there is no identity to speak of.
    private func metadata(_ root: inout Fields, kind: String) -> Metadata? {
        guard var fields = root.requiredMapping("metadata") else { return nil }
        let name = fields.requiredText("name")
        let namespace = fields.text("namespace")
        let generation = fields.integer("generation", in: 0...Int64.max)
        let created = fields.text("creationTimestamp")
        guard let name else { return nil }
        let identity = ObjectIdentity(
            kind: kind, namespace: namespace?.value ?? ObjectIdentity.defaultNamespace,
            name: name.value)
        log.object = identity
        if !Names.isSubdomain(name.value) {
            log.error(
                at: name.place, path: "metadata.name",
                "must be lowercase letters, digits, hyphens and dots, at most 253")
            return nil
        }
        if let namespace, !Names.isLabel(namespace.value) {
            log.error(
                at: namespace.place, path: "metadata.namespace",
                "must be lowercase letters, digits and hyphens, at most 63")
            return nil
        }
        fields.finish(ignored: [
            "annotations", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers",
            "generateName", "labels", "managedFields", "ownerReferences", "resourceVersion",
            "selfLink", "uid",
        ])
        return Metadata(
            identity: identity, place: root.place, generation: generation?.value ?? 0,
            creationTimestamp: created?.value ?? "")
    }

    private mutating func decode(_ kind: Kind, _ metadata: Metadata, _ root: inout Fields) {
        let errorsBefore = log.errorCount
        let spec = root.requiredMapping("spec")
        root.finish(ignored: ["status"])
        guard var spec else {
            objects.refused.insert(metadata.identity)
            return
        }
        var read = Objects()
        switch kind {
        case .gateway: read.gateways.append(Gateway(metadata: metadata, spec: &spec))
        case .tcpRoute:
            read.routes.append(Route(metadata: metadata, transport: .tcp, spec: &spec))
        case .udpRoute:
            read.routes.append(Route(metadata: metadata, transport: .udp, spec: &spec))
        case .referenceGrant: read.grants.append(ReferenceGrant(metadata: metadata, spec: &spec))
        case .backend: read.backends.append(Backend(metadata: metadata, spec: &spec))
        case .clientTrafficPolicy:
            read.clientPolicies.append(ClientTrafficPolicy(metadata: metadata, spec: &spec))
        case .backendTrafficPolicy:
            read.backendPolicies.append(BackendTrafficPolicy(metadata: metadata, spec: &spec))
        case .endpointPolicy:
            read.endpointPolicies.append(EndpointPolicy(metadata: metadata, spec: &spec))
        }
        guard log.errorCount == errorsBefore else {
            objects.refused.insert(metadata.identity)
            return
        }
        objects.gateways += read.gateways
        objects.routes += read.routes
        objects.backends += read.backends
        objects.grants += read.grants
        objects.clientPolicies += read.clientPolicies
        objects.backendPolicies += read.backendPolicies
        objects.endpointPolicies += read.endpointPolicies
    }
}
