import Manifest
import Primitives
import Routing

/// What becomes of one Backend when it is written for the real CRD: one Backend or several, and
/// those that stand by for it. A value of a `Conversion`.
struct BackendChange {
    /// A Backend to be: some of the endpoints.
    struct Part {
        let name: String
        /// Indices into the endpoints.
        let endpoints: [Int]
        /// Its endpoints ask for TLS by `protocol: HTTPS`.
        let usesTLS: Bool
        /// What was `fallback.backendRef` elsewhere names it.
        var isFallback = false
        /// A note of the Backend's own; those of a Service's twin have another.
        var node: Node?
    }

    let backend: Backend
    let node: Node
    /// At least one; the only one has the Backend's own name.
    var parts: [Part] = []
    /// What serves when it does not: Backends of its own namespace that say `fallback: true`.
    var standby: [String] = []
    /// Of the standby: the same for all backendRefs of a rule, or the rule cannot be said.
    var standbySource: ObjectIdentity?

    var identity: ObjectIdentity { backend.metadata.identity }
    var isSplit: Bool { parts.count > 1 }

    /// How many of the endpoints a part has for routes of a kind: Unix sockets take no datagrams
    /// from here and are left out of UDPRoutes.
    func share(_ part: Part, for kind: String) -> Int {
        guard kind == Kind.udpRoute.rawValue else { return part.endpoints.count }
        return part.endpoints.count { backend.endpoints[$0].form != "unix" }
    }

    func shares(for kind: String) -> Int { parts.reduce(0) { $0 + share($1, for: kind) } }
}

extension BackendChange {
    /// The endpoints in groups that the real CRD takes together, with what a group's name ends in.
    /// - Parameter isCovered: something else than `protocol` says whether TLS is used.
    static func groups(
        _ backend: Backend, isCovered: Bool
    ) -> [(suffix: String, endpoints: [Int], usesTLS: Bool)] {
        let forms = backend.endpoints.map(\.form)
        let isMixed = forms.contains("fqdn") && forms.contains { $0 != "fqdn" }
        let uses = backend.endpoints.map { !isCovered && $0.usesTLS }
        let isPartlyTLS = Set(uses).count > 1
        var groups: [(suffix: String, endpoints: [Int], usesTLS: Bool)] = []
        for index in forms.indices {
            var suffix = isMixed ? "-\(forms[index])" : ""
            if isPartlyTLS { suffix += uses[index] ? "-tls" : "-plain" }
            if let known = groups.firstIndex(where: { $0.suffix == suffix }) {
                groups[known].endpoints.append(index)
            } else {
                groups.append((suffix, [index], uses[index]))
            }
        }
        return groups.isEmpty ? [("", [], false)] : groups
    }
}

extension Backend.Endpoint {
    /// The field that it stands in.
    var form: String {
        switch target {
        case .name: "fqdn"
        case .service: "srv"
        case .address(.ip): "ip"
        case .address(.unix): "unix"
        }
    }
}

/// Names for new objects: none that another has, none that Kubernetes refuses. A value of a
/// `Conversion`.
struct FreeNames {
    private var taken: Set<ObjectIdentity>

    static let bytesMax = 253

    init(_ taken: Set<ObjectIdentity>) { self.taken = taken }

    /// `base` with `suffix`, cut to what is allowed, and numbered where that is taken.
    mutating func name(_ base: String, _ suffix: String, in namespace: String) -> String {
        var number = 1
        while true {
            let end = number == 1 ? suffix : "\(suffix)-\(number)"
            var start = base.prefix(Self.bytesMax - end.utf8.count)
            while let last = start.last, last == "-" || last == "." { start.removeLast() }
            let name = start + end
            let identity = ObjectIdentity(
                kind: Kind.backend.rawValue, namespace: namespace, name: String(name))
            if taken.insert(identity).inserted { return String(name) }
            number += 1
        }
    }
}
