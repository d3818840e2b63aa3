import Manifest
import Primitives
import Routing

// Backends: which become several, which stand by, and how their fields are spelled.

extension Conversion {
    /// Decides the names of everything before anything is written.
    mutating func planBackends() {
        for backend in objects.backends {
            guard var change = changes[backend.metadata.identity] else { continue }
            refuseServices(of: backend)
            let groups = BackendChange.groups(backend, isCovered: isCovered(backend))
            for group in groups {
                let name =
                    groups.count == 1
                    ? backend.metadata.name
                    : names.name(backend.metadata.name, group.suffix, in: change.identity.namespace)
                change.parts.append(
                    .init(name: name, endpoints: group.endpoints, usesTLS: group.usesTLS))
            }
            changes[change.identity] = change
            if change.isSplit { warnOfSplit(change) }
        }
        for backend in objects.backends { planStandby(of: backend) }
    }

    private mutating func refuseServices(of backend: Backend) {
        for endpoint in backend.endpoints where endpoint.form == "srv" {
            report(
                .error, at: endpoint.place, backend.metadata.identity, path: endpoint.path,
                rule: "srv",
                "the real CRD has no SRV; name the service in srv of an EndpointPolicy for this "
                    + "Backend, which then has the endpoints that serve when the service has none")
        }
    }

    /// Whether TLS to it is decided by something else than `protocol` beside its endpoints.
    private func isCovered(_ backend: Backend) -> Bool {
        backend.tls != nil || backend.application?.value.usesTLS == true
            || hasTLSPolicy(backend.metadata.identity)
    }

    func hasTLSPolicy(_ identity: ObjectIdentity) -> Bool {
        objects.policies.contains { policy in
            policy.kind == .backendTLSPolicy && policy.metadata.namespace == identity.namespace
                && policy.targets.contains {
                    $0.kind == identity.kind && $0.name.value == identity.name
                }
        }
    }

    private mutating func warnOfSplit(_ change: BackendChange) {
        let names = change.parts.map(\.name).joined(separator: ", ")
        report(
            .warning, at: change.backend.metadata.place, change.identity, path: "spec.endpoints",
            rule: "split",
            "becomes \(names), each with its share of every rule; health, limits and hashing are "
                + "counted for each alone, and one does not take over for another")
        for policy in objects.policies where policy.kind == .endpointPolicy {
            let isAbout =
                policy.metadata.namespace == change.identity.namespace
                && policy.targets.contains { $0.name.value == change.identity.name }
            guard isAbout, policy.spec["srv"] != nil else { continue }
            report(
                .error, at: policy.metadata.place, policy.metadata.identity, path: "spec.srv",
                rule: "split",
                "would serve in place of each of \(names); give srv a Backend of its own")
        }
    }

    // MARK: - Fallbacks

    private mutating func planStandby(of backend: Backend) {
        let identity = backend.metadata.identity
        guard case .other(let reference, let port)? = backend.fallback else { return }
        func refuse(_ message: String) {
            report(
                .error, at: reference.name.place, identity, path: reference.path, rule: "fallback",
                message)
        }
        let source = ReferenceGrant.From(
            group: Kind.envoyGroup, kind: "Backend", namespace: identity.namespace)
        guard index.isPermitted(reference, from: source) else {
            return refuse("no ReferenceGrant permits it, so it never serves; add one or remove it")
        }
        changes[identity]?.standbySource = reference.identity
        if reference.kind == "Service", reference.group.isEmpty {
            guard let port else {
                return refuse("a Service as fallback needs a port; add it")
            }
            return planTwin(ofService: reference, port: port, for: identity)
        }
        guard reference.kind == "Backend", let other = changes[reference.identity] else {
            return refuse("there is no \(reference.identity) in these files; name its file as well")
        }
        guard !other.backend.isDynamicResolver else {
            return refuse(
                "\(reference.identity) has no endpoints that could stand by; name another")
        }
        if case .other(let next, _)? = other.backend.fallback {
            return refuse(
                "\(reference.identity) falls back to \(next.identity) in turn, and the real CRD "
                    + "knows one level; remove one of the two")
        }
        if reference.namespace != identity.namespace {
            let isLocal =
                other.backend.tls.map { $0.authorities.isEmpty && $0.clientCertificate == nil }
                ?? true
            guard isLocal, !hasTLSPolicy(reference.identity) else {
                return refuse(
                    "\(reference.identity) has certificates or a BackendTLSPolicy of its namespace,"
                        + " which a copy in this one cannot use; move one of the Backends")
            }
        } else if other.backend.fallback?.isItself == true {
            changes[identity]?.standby = other.parts.map(\.name)
            return
        }
        planTwin(of: other, for: identity)
    }

    /// A copy that says `fallback: true`, in the namespace of the Backend that it stands by for:
    /// whoever may refer to that may be permitted this as well.
    private mutating func planTwin(of other: BackendChange, for identity: ObjectIdentity) {
        let key = TwinKey(source: other.identity, port: nil, namespace: identity.namespace)
        if let known = knownTwins[key] {
            changes[identity]?.standby = known
            return
        }
        let groups = BackendChange.groups(other.backend, isCovered: isCovered(other.backend))
        var made: [String] = []
        for group in groups {
            let suffix = "-fallback" + group.suffix
            let name = names.name(other.identity.name, suffix, in: identity.namespace)
            made.append(name)
            let part = BackendChange.Part(
                name: name, endpoints: group.endpoints, usesTLS: group.usesTLS, isFallback: true)
            let node = document(part, of: other, isCopy: true)
            twins[identity, default: []].append(Self.moved(node, from: other, to: identity))
        }
        if other.identity.namespace == identity.namespace {
            twinNames[other.identity, default: []] += made
        }
        knownTwins[key] = made
        changes[identity]?.standby = made
    }

    private static func moved(
        _ node: Node, from other: BackendChange, to identity: ObjectIdentity
    ) -> Node {
        guard other.identity.namespace != identity.namespace else { return node }
        return node.editing("metadata") {
            $0.setting("namespace", Node(identity.namespace, at: $0.place))
        }
    }

    /// A Service cannot be a fallback in the real CRD: a Backend with its name in the cluster's DNS
    /// (or its address, where that is written) can.
    private mutating func planTwin(
        ofService reference: ObjectReference, port: UInt16, for identity: ObjectIdentity
    ) {
        let place = reference.name.place
        let key = TwinKey(
            source: reference.identity, port: port, namespace: identity.namespace)
        guard !hasTLSPolicy(reference.identity) else {
            return report(
                .error, at: place, identity, path: reference.path, rule: "fallback",
                "\(reference.identity) has a BackendTLSPolicy, which a Backend for it would not "
                    + "have; write that Backend, with tls, and name it here")
        }
        if let known = knownTwins[key] {
            changes[identity]?.standby = known
            return
        }
        let name = names.name(reference.name.value, "-fallback", in: identity.namespace)
        let service = index.services[reference.identity]
        let address = service?.clusterIP.map { "\($0)" }
        let host =
            service?.externalName
            ?? "\(reference.name.value).\(reference.namespace).svc.cluster.local"
        let target = Node(
            fields: [
                address == nil ? "hostname" : "address": Node(address ?? host, at: place),
                "port": Node(Int(port), at: place),
            ], at: place)
        let endpoint = Self.acceptable(
            Node(fields: [address == nil ? "fqdn" : "ip": target], at: place))
        let list = Node(place: place, value: .sequence([endpoint]))
        var metadata = Node(fields: ["name": Node(name, at: place)], at: place)
        // Where none is written, whoever applies the file chooses it.
        if let namespace = changes[identity]?.node["metadata"]?["namespace"] {
            metadata = metadata.setting("namespace", namespace)
        }
        let node = Node(
            fields: [
                "apiVersion": Node("\(Kind.envoyGroup)/v1alpha1", at: place),
                "kind": Node("Backend", at: place),
                "metadata": metadata,
                "spec": Node(
                    fields: ["endpoints": list, "fallback": Node(true, at: place)], at: place),
            ], at: place)
        twins[identity, default: []].append(node)
        knownTwins[key] = [name]
        changes[identity]?.standby = [name]
        report(
            .warning, at: place, identity, path: reference.path, rule: "fallback",
            "a Service cannot be a fallback in the real CRD; Backend \(name) stands for it, at "
                + "\(address ?? host) port \(port)")
    }

    // MARK: - Documents

    /// What becomes of a Backend's document; nil = nothing.
    mutating func converted(backend identity: ObjectIdentity) -> [Node]? {
        guard let change = changes[identity] else { return nil }
        let twins = twins[identity] ?? []
        if !change.standby.isEmpty, !referred.contains(identity) {
            report(
                .warning, at: change.backend.metadata.place, identity, path: "spec.fallback",
                rule: "fallback",
                "no route in these files refers to it; where one does, add a backendRef to "
                    + change.standby.joined(separator: ", "))
        }
        guard change.isSplit || !twins.isEmpty || change.isOfSeed else { return nil }
        return change.parts.map { document($0, of: change, isCopy: change.isSplit) } + twins
    }

    private func document(
        _ part: BackendChange.Part, of change: BackendChange, isCopy: Bool
    ) -> Node {
        var node = change.node
        if isCopy {
            // What the API server gave belongs to the object that it was given to.
            let given: Set = [
                "creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink",
                "uid",
            ]
            let applied = "kubectl.kubernetes.io/last-applied-configuration"
            node = node.removing(["status"]).editing("metadata") { metadata in
                metadata.removing(given)
                    .editing("annotations") { $0.removing([applied]) }
                    .setting("name", Node(part.name, at: metadata["name"]?.place ?? metadata.place))
            }
        }
        let hasPolicy = hasTLSPolicy(change.identity)
        return node.editing("spec") { spec in
            BackendSpelling(backend: change.backend, part: part, hasTLSPolicy: hasPolicy)
                .converted(spec)
        }
    }

    /// With an address that the real CRD's pattern takes: it knows `fd00::1` and not `::1`.
    static func acceptable(_ endpoint: Node) -> Node {
        endpoint.editing("ip") { target in
            guard let text = target["address"], let shown = text.text,
                let address = IPAddress(shown), !address.isIPv4, !BackendSpelling.isTaken(shown)
            else { return target }
            let groups = [address.high, address.low].flatMap { half in
                stride(from: 48, through: 0, by: -16).map {
                    String((half >> UInt64($0)) & 0xffff, radix: 16)
                }
            }
            return target.setting(
                "address", Node(groups.joined(separator: ":"), at: text.place))
        }
    }
}

/// Which twins there are already.
struct TwinKey: Hashable {
    let source: ObjectIdentity
    let port: UInt16?
    let namespace: String
}
