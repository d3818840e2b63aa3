import Manifest
import Routing

/// A TCPRoute, UDPRoute, TLSRoute, HTTPRoute or GRPCRoute (gateway.networking.k8s.io): which
/// listeners it attaches to, and where their traffic goes.
final class Route: Sendable {
    /// What its rules choose by, and so what listeners it can attach to.
    enum Carried: String, Sendable {
        case tcp = "TCPRoute"
        case udp = "UDPRoute"
        case tls = "TLSRoute"
        case http = "HTTPRoute"
        case grpc = "GRPCRoute"

        /// Rules with nothing to choose by: a route has one.
        var isOpaque: Bool { self == .tcp || self == .udp || self == .tls }
        var isHTTP: Bool { self == .http || self == .grpc }
    }

    let metadata: Metadata
    let carried: Carried
    let parents: [ParentRef]
    /// `spec.hostnames`; empty = those of the listener.
    let hostnames: [Located<String>]
    let rules: [Rule]

    /// `spec.parentRefs[]`.
    struct ParentRef: Sendable {
        let reference: ObjectReference
        let sectionName: String?
        let port: UInt16?

        /// `namespace/name/section:port`, as far as given.
        var description: String {
            "\(reference.namespace)/\(reference.name.value)"
                + (sectionName.map { "/\($0)" } ?? "") + (port.map { ":\($0)" } ?? "")
        }
    }

    /// `spec.rules[]`.
    struct Rule: Sendable {
        /// What a policy's `sectionName` refers to.
        let name: String?
        let place: SourcePlace
        let path: String
        let matches: [HTTPMatch]
        let filters: [RouteFilter]
        let backends: [BackendRef]
        let timeouts: HTTPTimeouts
        let retry: RetryPlan?
    }

    /// `spec.rules[].backendRefs[]`.
    struct BackendRef: Sendable {
        let reference: ObjectReference
        let port: UInt16?
        let weight: UInt32
        let filters: [RouteFilter]
    }

    init(metadata: Metadata, carrying carried: Carried, spec: Fields) {
        self.metadata = metadata
        self.carried = carried
        parents = spec.mappings("parentRefs").compactMap {
            ParentRef($0, namespace: metadata.namespace)
        }
        hostnames = spec.texts("hostnames")
        rules = spec.mappings("rules").map {
            Rule($0, carrying: carried, namespace: metadata.namespace)
        }
    }
}

extension Route.ParentRef {
    init?(_ fields: Fields, namespace: String) {
        guard
            let reference = ObjectReference(
                fields, group: Kind.gatewayGroup, kind: "Gateway", namespace: namespace)
        else { return nil }
        self.reference = reference
        sectionName = fields.text("sectionName")?.value
        port = fields.port()?.value
    }
}

extension Route.Rule {
    init(_ fields: Fields, carrying carried: Route.Carried, namespace: String) {
        name = fields.text("name")?.value
        place = fields.place
        path = fields.path
        backends = fields.mappings("backendRefs").compactMap {
            Route.BackendRef($0, namespace: namespace)
        }
        filters = fields.mappings("filters").map { RouteFilter($0, namespace: namespace) }
        let matches = fields.mappings("matches").map {
            carried == .grpc ? HTTPMatch(grpc: $0) : HTTPMatch(http: $0)
        }
        // A rule without matches takes every request.
        self.matches = carried.isHTTP && matches.isEmpty ? [HTTPMatch()] : matches
        let limits = fields.mapping("timeouts")
        // 0 switches a limit off (HTTPRouteTimeouts).
        func limit(_ name: String) -> UInt32? {
            limits?.duration(name).flatMap { $0.value == 0 ? nil : $0.value }
        }
        timeouts = HTTPTimeouts(request: limit("request"), backendRequest: limit("backendRequest"))
        retry = fields.mapping("retry").map { fields in
            var retry = RetryPlan()
            retry.attemptsMax = fields.number("attempts")?.value ?? 1
            retry.statuses = fields.list("codes").compactMap { item in
                guard case .scalar(let scalar) = item.node.value else { return nil }
                return UInt16(scalar.text)
            }
            retry.backOff = fields.duration("backoff")?.value ?? retry.backOff
            return retry
        }
    }
}

extension Route.BackendRef {
    init?(_ fields: Fields, namespace: String) {
        guard
            let reference = ObjectReference(fields, kind: "Service", namespace: namespace)
        else { return nil }
        self.reference = reference
        port = fields.port()?.value
        weight = fields.number("weight")?.value ?? 1
        filters = fields.mappings("filters").map { RouteFilter($0, namespace: namespace) }
    }
}
