import Manifest
import Primitives
import Routing

/// The fields of a Backend's `spec` as the real CRD spells them. A value of the conversion of one
/// document.
struct BackendSpelling {
    let backend: Backend
    let part: BackendChange.Part
    /// A BackendTLSPolicy says whom to trust; `tls` must not.
    let hasTLSPolicy: Bool

    private var said: Backend.Application? { backend.application?.value }

    func converted(_ spec: Node) -> Node {
        let application = spec.entry("appProtocol")
        let asksTLS = spec["endpoints"]?.items.contains { $0["protocol"] != nil } ?? false
        var entries: [Node.Entry] = []
        for entry in spec.entries {
            switch entry.key {
            case "appProtocol":
                guard spec["appProtocols"] == nil, said?.framing == .http2 else { continue }
                let word = Node("\(Kind.envoyGroup)/h2c", at: entry.value.place)
                let list = Node(place: entry.value.place, value: .sequence([word]))
                entries.append(
                    .init(key: "appProtocols", keyPlace: entry.keyPlace, value: list))
            case "endpoints": entries.append(with(entry, endpoints(entry.value)))
            case "fallback":
                // `fallback.backendRef` is said by the rules that refer to this.
                guard case .scalar = entry.value.value else { continue }
                entries.append(entry)
            case "tls" where application != nil && !entry.value.isNull:
                entries.append(with(entry, offering(entry.value)))
            default: entries.append(entry)
            }
        }
        let new = Node(place: spec.place, value: .mapping(entries))
        let place = application?.keyPlace ?? protocolPlace(spec) ?? spec.place
        let withTLS =
            spec["tls"] == nil && (application != nil || asksTLS)
            ? tls(at: place).map { new.setting("tls", $0, keyPlace: place) } ?? new : new
        guard part.isFallback else { return withTLS }
        return withTLS.setting("fallback", Node(true, at: spec.place))
    }

    private func with(_ entry: Node.Entry, _ value: Node) -> Node.Entry {
        Node.Entry(key: entry.key, keyPlace: entry.keyPlace, value: value)
    }

    private func protocolPlace(_ spec: Node) -> SourcePlace? {
        spec["endpoints"]?.items.lazy.compactMap { $0.entry("protocol")?.keyPlace }.first
    }

    // MARK: - TLS

    /// `tls` that is there, offering what the protocol implies.
    private func offering(_ tls: Node) -> Node {
        guard tls["alpnProtocols"]?.items.isEmpty ?? true, let said, !said.alpnProtocols.isEmpty
        else { return tls }
        return tls.setting("alpnProtocols", list(said.alpnProtocols, at: tls.place))
    }

    /// The `tls` that the seed's words imply; nil = none.
    private func tls(at place: SourcePlace) -> Node? {
        let offered = said?.alpnProtocols ?? ["http/1.1"]
        if hasTLSPolicy {
            guard said != nil, !offered.isEmpty else { return nil }
            return Node(fields: ["alpnProtocols": list(offered, at: place)], at: place)
        }
        guard said?.usesTLS == true || part.usesTLS else { return nil }
        var tls = Node(
            fields: [
                "wellKnownCACertificates": Node("System", at: place),
                "alpnProtocols": list(offered, at: place),
            ], at: place)
        // The server's name is the endpoint's, as here, and not what the client asked for.
        let isNamed = part.endpoints.allSatisfy { index in
            let endpoint = backend.endpoints[index]
            return endpoint.form == "fqdn" || endpoint.hostname != nil
        }
        if isNamed, !part.endpoints.isEmpty {
            tls = tls.setting("autoSNIFromEndpointHostname", Node(true, at: place))
        }
        return tls
    }

    private func list(_ texts: [String], at place: SourcePlace) -> Node {
        Node(place: place, value: .sequence(texts.map { Node($0, at: place) }))
    }

    // MARK: - Endpoints

    private func endpoints(_ list: Node) -> Node {
        let kept = part.endpoints.map { Conversion.acceptable(Self.converted(list.items[$0])) }
        return Node(place: list.place, value: .sequence(kept))
    }

    /// `fqdn: name` with `port` beside it becomes `fqdn: {hostname: name, port: …}`.
    private static func converted(_ endpoint: Node) -> Node {
        let fields = ["fqdn": "hostname", "ip": "address", "unix": "path"]
        var entries: [Node.Entry] = []
        for entry in endpoint.entries {
            guard let field = fields[entry.key], case .scalar = entry.value.value else {
                if entry.key != "port", entry.key != "protocol" { entries.append(entry) }
                continue
            }
            if entry.value.isNull { continue }
            var inner = [
                Node.Entry(key: field, keyPlace: entry.keyPlace, value: entry.value)
            ]
            if let port = endpoint.entry("port") { inner.append(port) }
            entries.append(
                Node.Entry(
                    key: entry.key, keyPlace: entry.keyPlace,
                    value: Node(place: entry.keyPlace, value: .mapping(inner))))
        }
        return Node(place: endpoint.place, value: .mapping(entries))
    }

    /// What the real CRD's pattern takes of IPv6: all eight groups, or one to five before `::` and
    /// one or two after it.
    static func isTaken(_ address: String) -> Bool {
        if address == "::" { return true }
        guard address.utf8.allSatisfy({ $0.digitValue != nil || $0 == UInt8(ascii: ":") }) else {
            return false
        }
        guard let gap = address.firstRange(of: "::") else { return true }
        func groups(_ text: Substring) -> Int { text.split(separator: ":").count }
        return (1...5).contains(groups(address[..<gap.lowerBound]))
            && (1...2).contains(groups(address[gap.upperBound...]))
    }
}

extension BackendChange {
    /// Whether something in it must be spelled otherwise.
    var isOfSeed: Bool {
        guard let spec = node["spec"] else { return false }
        if spec["appProtocol"] != nil { return true }
        if case .mapping? = spec["fallback"]?.value { return true }
        return spec["endpoints"]?.items.contains { endpoint in
            let isScalar = ["fqdn", "ip", "unix"].contains { name in
                if case .scalar? = endpoint[name]?.value { true } else { false }
            }
            guard !isScalar, let address = endpoint["ip"]?["address"]?.text else { return isScalar }
            return IPAddress(address).map { !$0.isIPv4 && !BackendSpelling.isTaken(address) }
                ?? false
        } ?? false
    }
}
