import Manifest

/// Reads the documents of one file into `Objects`: tells the kind, has it validated, reads the
/// metadata, hands the rest to the kind. One file owns one.
struct ObjectDecoder {
    private(set) var objects = Objects()
    /// Every object that was read, in order, with its place.
    private(set) var defined: [(identity: ObjectIdentity, place: SourcePlace)] = []
    private let log: FindingLog
    private let options: Configuration.Options
    private(set) var catalog: SchemaCatalog

    /// - Parameter catalog: with the schemas that were parsed already.
    init(log: FindingLog, options: Configuration.Options, catalog: SchemaCatalog) {
        self.log = log
        self.options = options
        self.catalog = catalog
    }

    mutating func decode(_ document: Node) {
        defer { log.object = nil }
        log.object = nil
        guard case .mapping = document.value, let root = Fields(document, path: "", log: log) else {
            return log.error(
                at: document.place, "must be a mapping, not \(document.article)")
        }
        guard let version = required("apiVersion", root), let kind = required("kind", root) else {
            return
        }
        if kind.value == "List", version.value == "v1" { return decodeList(root) }
        let (group, number) = Self.split(version.value)
        let known = Kind(rawValue: kind.value).flatMap { $0.group == group ? $0 : nil }
        let isIgnored = Kind.ignored[group]?.contains(kind.value) == true
        guard isIgnored || known != nil else { return unknown(kind, group: group) }
        guard let metadata = metadata(root, kind: kind.value) else { return }
        log.object = metadata.identity
        guard let known else {
            objects.ignored.insert(metadata.identity)
            log.report(
                .note, .controller, at: document.place,
                "this kind configures Envoy and means nothing here; it is left aside")
            return
        }
        let schema = catalog.schema(kind: kind.value, group: group, version: number)
        guard let schema else {
            objects.refused.insert(metadata.identity)
            log.error(
                at: version.place, path: "apiVersion", rule: "version",
                "\(kind.value) has no version \(number) here; "
                    + "write \(known.prefix)\(known.versions[0])")
            return
        }
        let errorsBefore = log.errorCount
        var validator = SchemaValidator(log: log, unknownFields: options.unknownFields)
        let valid = validator.validated(document, by: schema)
        guard log.errorCount == errorsBefore, let root = Fields(valid, path: "", log: log) else {
            objects.refused.insert(metadata.identity)
            defined.append((metadata.identity, document.place))
            return
        }
        decode(known, metadata, root)
    }

    private func required(_ name: String, _ fields: Fields) -> Located<String>? {
        if let text = fields.text(name) { return text }
        log.error(
            at: fields.node(name)?.place ?? fields.place, path: fields.path(of: name),
            "is missing; it is required")
        return nil
    }

    /// `kubectl get -o yaml` wraps what it shows in a List.
    private mutating func decodeList(_ root: Fields) {
        for item in root.list("items") {
            // A List in a List is something that no server writes; it would be recursion without
            // need.
            if Fields(item.node, path: item.path, log: log)?.text("kind")?.value == "List" {
                log.error(at: item.node.place, path: item.path, "a List cannot hold a List")
            } else {
                decode(item.node)
            }
        }
    }

    /// `group/version`; the core group has no name.
    private static func split(_ text: String) -> (group: String, version: String) {
        guard let slash = text.firstIndex(of: "/") else { return ("", text) }
        return (String(text[..<slash]), String(text[text.index(after: slash)...]))
    }

    private func unknown(_ kind: Located<String>, group: String) {
        let all = Kind.allCases.map(\.rawValue) + Kind.ignored.values.flatMap { $0 }
        let shown = Scalar(kind.value, isText: true).excerpt
        var hint = ""
        if let known = Kind(rawValue: kind.value) {
            hint = "; did you mean apiVersion: \(known.prefix)\(known.versions[0])?"
        } else if let nearest = Suggestion.nearest(to: kind.value, among: all.sorted()) {
            hint = "; did you mean \(nearest)?"
        }
        log.report(
            .warning, .admission, at: kind.place, path: "kind",
            "\(shown) of group \"\(Scalar(group, isText: true).excerpt)\" is not read by this "
                + "version" + hint)
    }

    /// Nil, and reported, when there is no identity to speak of.
    private func metadata(_ root: Fields, kind: String) -> Metadata? {
        guard let fields = root.mapping("metadata") else {
            log.error(
                at: root.node("metadata")?.place ?? root.place, path: "metadata",
                "is missing; it is required")
            return nil
        }
        guard let name = required("name", fields) else { return nil }
        let namespace = fields.text("namespace")
        let identity = ObjectIdentity(
            kind: kind, namespace: namespace?.value ?? ObjectIdentity.defaultNamespace,
            name: name.value)
        log.object = identity
        let labels = fields.mapping("labels")?.texts ?? []
        return Metadata(
            identity: identity, place: root.place,
            generation: fields.integer("generation")?.value ?? 0,
            creationTimestamp: fields.text("creationTimestamp")?.value ?? "",
            labels: Dictionary(
                labels.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first }))
    }

    private mutating func decode(_ kind: Kind, _ metadata: Metadata, _ root: Fields) {
        let errorsBefore = log.errorCount
        var read = Objects()
        read.append(kind, metadata, root)
        defined.append((metadata.identity, root.place))
        guard log.errorCount == errorsBefore else {
            objects.refused.insert(metadata.identity)
            return
        }
        objects.merge(read)
    }
}

extension Objects {
    /// Reads one more object of `kind`.
    fileprivate mutating func append(_ kind: Kind, _ metadata: Metadata, _ root: Fields) {
        // The schemas have seen to it that there is a spec where the kind has one.
        let spec = root.mapping("spec") ?? root
        switch kind {
        case .gatewayClass: gatewayClasses.append(GatewayClass(metadata: metadata, spec: spec))
        case .gateway: gateways.append(Gateway(metadata: metadata, spec: spec))
        case .listenerSet: listenerSets.append(ListenerSet(metadata: metadata, spec: spec))
        case .httpRoute: routes.append(Route(metadata: metadata, carrying: .http, spec: spec))
        case .grpcRoute: routes.append(Route(metadata: metadata, carrying: .grpc, spec: spec))
        case .tlsRoute: routes.append(Route(metadata: metadata, carrying: .tls, spec: spec))
        case .tcpRoute: routes.append(Route(metadata: metadata, carrying: .tcp, spec: spec))
        case .udpRoute: routes.append(Route(metadata: metadata, carrying: .udp, spec: spec))
        case .referenceGrant: grants.append(ReferenceGrant(metadata: metadata, spec: spec))
        case .backendTLSPolicy, .backendTrafficPolicy, .clientTrafficPolicy, .securityPolicy,
            .endpointPolicy:
            policies.append(Policy(kind: kind, metadata: metadata, spec: spec))
        case .backend: backends.append(Backend(metadata: metadata, spec: spec))
        case .httpRouteFilter:
            routeFilters.append(HTTPRouteFilter(metadata: metadata, spec: spec))
        case .apusConfig: configurations.append(ApusConfig(metadata: metadata, spec: spec))
        case .service: services.append(Service(metadata: metadata, spec: spec))
        case .endpointSlice: endpointSlices.append(EndpointSlice(metadata: metadata, root: root))
        case .secret: secrets[metadata.identity] = Secret(metadata: metadata, root: root)
        case .configMap: configMaps[metadata.identity] = ConfigMap(metadata: metadata, root: root)
        case .namespace: namespaces[metadata.name] = metadata.labels
        }
    }
}
