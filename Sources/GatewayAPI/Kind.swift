import Manifest

/// The kinds of objects that are read, and those that are known to exist.
enum Kind: String, CaseIterable {
    case gatewayClass = "GatewayClass"
    case gateway = "Gateway"
    case listenerSet = "ListenerSet"
    case httpRoute = "HTTPRoute"
    case grpcRoute = "GRPCRoute"
    case tlsRoute = "TLSRoute"
    case tcpRoute = "TCPRoute"
    case udpRoute = "UDPRoute"
    case referenceGrant = "ReferenceGrant"
    case backendTLSPolicy = "BackendTLSPolicy"
    case backend = "Backend"
    case httpRouteFilter = "HTTPRouteFilter"
    case clientTrafficPolicy = "ClientTrafficPolicy"
    case backendTrafficPolicy = "BackendTrafficPolicy"
    case securityPolicy = "SecurityPolicy"
    case endpointPolicy = "EndpointPolicy"
    case apusConfig = "ApusConfig"
    case service = "Service"
    case endpointSlice = "EndpointSlice"
    case secret = "Secret"
    case configMap = "ConfigMap"
    case namespace = "Namespace"

    static let gatewayGroup = "gateway.networking.k8s.io"
    static let envoyGroup = "gateway.envoyproxy.io"
    static let apusGroup = "apus.dev"

    var group: String {
        switch self {
        case .gatewayClass, .gateway, .listenerSet, .httpRoute, .grpcRoute, .tlsRoute, .tcpRoute,
            .udpRoute, .referenceGrant, .backendTLSPolicy:
            Self.gatewayGroup
        case .backend, .httpRouteFilter, .clientTrafficPolicy, .backendTrafficPolicy,
            .securityPolicy:
            Self.envoyGroup
        case .endpointPolicy, .apusConfig: Self.apusGroup
        case .endpointSlice: "discovery.k8s.io"
        case .service, .secret, .configMap, .namespace: ""
        }
    }

    /// The best version first.
    var versions: [String] { SchemaCatalog.versions(kind: rawValue, group: group) }

    /// Of `apiVersion`.
    var prefix: String { group.isEmpty ? "" : group + "/" }

    /// Objects without a namespace.
    var isOfCluster: Bool { self == .gatewayClass || self == .namespace }

    /// Kinds that belong to the same world and mean nothing here; they are left aside with a note.
    static let ignored: [String: [String]] = [
        envoyGroup: ["EnvoyExtensionPolicy", "EnvoyPatchPolicy", "EnvoyProxy"]
    ]
}
