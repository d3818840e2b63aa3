import Primitives

/// Random documents of the older dialect, with the newer mixed in: Backends of every form, and all
/// that refers to them. Most are right; some refer to what is not there or not permitted. The same
/// for the same seed.
struct SeedDocuments {
    private var random: SeededRandom
    private var count = 0

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    private mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &random)
    }

    private mutating func happens(_ percent: Int) -> Bool { number(1...100) <= percent }

    private mutating func one(_ texts: [String]) -> String {
        texts.randomElement(using: &random) ?? ""
    }

    private static let envoy = "gateway.envoyproxy.io"
    private static let gateway = "gateway.networking.k8s.io"

    mutating func documents() -> [String] {
        count = number(1...6)
        var all = [gatewayDocument()]
        for index in 0..<count { all.append(backend(index)) }
        for index in 0..<number(1...4) { all.append(route(index)) }
        if happens(50) { all.append(grant()) }
        if happens(30) { all.append(endpointPolicy()) }
        if happens(20) { all.append(trust()) }
        if happens(30) { all.append(healthCheck()) }
        all.append(
            """
            {apiVersion: v1, kind: Service, metadata: {name: s},
             spec: {clusterIP: 10.7.0.1, ports: [{port: 80}]}}
            """)
        return all.map { $0 + "\n" }
    }

    private mutating func gatewayDocument() -> String {
        """
        # Where it all comes in.
        apiVersion: \(Self.gateway)/v1
        kind: Gateway
        metadata: {name: edge}
        spec:
          \(happens(80) ? "gatewayClassName: apus" : "# no class")
          listeners:
          - {name: web, protocol: HTTP, port: 8080, allowedRoutes: {namespaces: {from: All}}}
          - {name: raw, protocol: TCP, port: 8081, allowedRoutes: {namespaces: {from: All}}}
          - {name: udp, protocol: UDP, port: 8082, allowedRoutes: {namespaces: {from: All}}}
          - {name: tls, protocol: TLS, port: 8083, tls: {mode: Passthrough}}
        """
    }

    // MARK: - Backends

    /// Every third stands in another namespace.
    private func namespace(_ index: Int) -> String { index % 3 == 2 ? "far" : "default" }

    private mutating func backend(_ index: Int) -> String {
        let form = one(["fqdn", "ip", "unix", "mixed", "mixed"])
        let endpoints = (0..<number(1...4)).map { _ in
            "\n  - \(endpoint(form == "mixed" ? one(["fqdn", "ip", "unix"]) : form))"
        }
        var text = """
            apiVersion: \(Self.envoy)/v1alpha1
            kind: Backend
            metadata: {name: b\(index), namespace: \(namespace(index)), generation: 3}
            spec:
              endpoints: # of b\(index)\(endpoints.joined())
            """
        if happens(25) {
            text += "\n  appProtocol: " + one(["http", "https", "h2c", "h2", "grpc", "grpcs"])
        } else if happens(8) {
            text += "\n  appProtocol: " + one(["tcp", "udp"])
        } else if happens(10) {
            text += "\n  appProtocols: [\(Self.envoy)/\(one(["h2c", "ws"]))]"
        }
        if happens(10) { text += "\n  tls: {wellKnownCACertificates: System, sni: x.example.com}" }
        // Chains are refused, so that most fallbacks lead to the last Backend, which has none.
        let last = count - 1
        if index < last, happens(30) {
            let target = happens(85) ? last : number(index + 1...last)
            text += "\n  # when all else fails"
            text += "\n  fallback: {backendRef: {kind: Backend, name: b\(target)"
            text += ", namespace: \(namespace(target))}}"
        } else if index == last, happens(20) {
            text += "\n  fallback: true"
        }
        return text
    }

    private mutating func endpoint(_ form: String) -> String {
        let isOld = happens(60)
        let port = number(1...65_535)
        let more =
            (happens(10) ? ", hostname: h.example.com" : "") + (happens(10) ? ", zone: z" : "")
        let asksTLS = isOld && happens(15) ? ", protocol: HTTPS" : ""
        switch form {
        case "fqdn":
            let name = one(["a.example.com", "b.example.com", "c.example.com", "localhost"])
            return isOld
                ? "{fqdn: \(name), port: \(port)\(asksTLS)\(more)}"
                : "{fqdn: {hostname: \(name), port: \(port)}\(more)}"
        case "ip":
            let address = one([
                "10.0.0.\(number(1...9))", "fd00::\(number(1...9))", "'::1'", "fe80::1:2:3",
                "'::ffff:10.0.0.1'",
            ])
            return isOld
                ? "{ip: \(address), port: \(port)\(asksTLS)\(more)}"
                : "{ip: {address: \(address), port: \(port)}\(more)}"
        default:
            let path = one(["/run/\(number(1...9)).sock", "'@abstract'"])
            return isOld ? "{unix: \(path)\(more)}" : "{unix: {path: \(path)}\(more)}"
        }
    }

    // MARK: - Routes

    private mutating func route(_ index: Int) -> String {
        let kind = one([
            "HTTPRoute", "HTTPRoute", "HTTPRoute", "GRPCRoute", "TCPRoute", "UDPRoute", "TLSRoute",
        ])
        let sections = [
            "HTTPRoute": "web", "GRPCRoute": "web", "TCPRoute": "raw", "UDPRoute": "udp",
            "TLSRoute": "tls",
        ]
        let isHTTP = kind == "HTTPRoute" || kind == "GRPCRoute"
        let names = kind == "TLSRoute" ? "\n  hostnames: [t\(index).example.com]" : ""
        var text = """
            apiVersion: \(Self.gateway)/v1
            kind: \(kind)
            metadata: {name: r\(index)}
            spec:
              parentRefs: [{name: edge, sectionName: \(sections[kind] ?? "")}]\(names)
              rules:
            """
        for rule in 0..<(isHTTP ? number(1...3) : 1) {
            let references = (0..<number(1...3)).map { _ in "\n    - \(reference(isHTTP))" }
            text += "\n  - backendRefs: # of rule \(rule)\(references.joined())"
            if kind == "HTTPRoute" {
                text += "\n    matches: [{path: {type: PathPrefix, value: /\(index)/\(rule)}}]"
            }
            if isHTTP, happens(20) { text += "\n    filters: [\(mirror())]" }
        }
        return text
    }

    private mutating func target() -> String {
        // One more than there are.
        let index = happens(95) ? number(0...count - 1) : count
        return "group: \(Self.envoy), kind: Backend, name: b\(index), "
            + "namespace: \(namespace(index))"
    }

    private mutating func reference(_ isHTTP: Bool) -> String {
        let weight = happens(50) ? ", weight: \(number(0...7))" : ""
        guard happens(90) else { return "{name: s, port: 80\(weight)}" }
        let filters = isHTTP && happens(10) ? ", filters: [\(mirror())]" : ""
        return "{\(target())\(weight)\(filters)}"
    }

    private mutating func mirror() -> String {
        let part = one(["", ", percent: 30", ", fraction: {numerator: 1, denominator: 7}"])
        return "{type: RequestMirror, requestMirror: {backendRef: {\(target())}\(part)}}"
    }

    // MARK: - The rest

    private mutating func grant() -> String {
        let index = number(0...count - 1)
        let name = happens(60) ? "" : ", name: b\(index)"
        let kinds = ["HTTPRoute", "GRPCRoute", "TCPRoute", "UDPRoute", "TLSRoute"]
        let routes = kinds.map { "{group: \(Self.gateway), kind: \($0), namespace: default}" }
        let backends = ["default", "far"].map {
            "{group: \(Self.envoy), kind: Backend, namespace: \($0)}"
        }
        return """
            apiVersion: \(Self.gateway)/v1
            kind: ReferenceGrant
            metadata: {name: g, namespace: far}
            spec:
              from: [\((routes + backends).joined(separator: ", "))]
              to: [{group: \(Self.envoy), kind: Backend\(name)}]
            """
    }

    private mutating func endpointPolicy() -> String {
        let index = number(0...count - 1)
        let target = "{group: \(Self.envoy), kind: Backend, name: b\(index)}"
        let field = happens(50) ? "targetRef: \(target)" : "targetRefs: [\(target)]"
        let srv = happens(15) ? "\n  srv: {name: _x._tcp.example.com}" : ""
        return """
            apiVersion: apus.dev/v1alpha1
            kind: EndpointPolicy
            metadata: {name: p, namespace: \(namespace(index))}
            spec:
              \(field)
              dns: {refreshInterval: 7s}\(srv)
            """
    }

    private mutating func trust() -> String {
        let index = number(0...count - 1)
        return """
            apiVersion: \(Self.gateway)/v1
            kind: BackendTLSPolicy
            metadata: {name: t, namespace: \(namespace(index))}
            spec:
              targetRefs: [{group: \(Self.envoy), kind: Backend, name: b\(index)}]
              validation: {wellKnownCACertificates: System, hostname: v.example.com}
            """
    }

    private mutating func healthCheck() -> String {
        let (kind, fields) = happens(50) ? ("http", "{path: /up}") : ("tcp", "{}")
        return """
            apiVersion: \(Self.envoy)/v1alpha1
            kind: BackendTrafficPolicy
            metadata: {name: h}
            spec:
              targetRefs: [{group: \(Self.gateway), kind: HTTPRoute, name: r0}]
              healthCheck: {active: {\(kind): \(fields)}}
            """
    }
}
