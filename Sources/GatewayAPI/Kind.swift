/// The kinds of objects that are read, and those that are known to exist.
enum Kind: String, CaseIterable {
    case gateway = "Gateway"
    case tcpRoute = "TCPRoute"
    case udpRoute = "UDPRoute"
    case referenceGrant = "ReferenceGrant"
    case backend = "Backend"
    case clientTrafficPolicy = "ClientTrafficPolicy"
    case backendTrafficPolicy = "BackendTrafficPolicy"
    case endpointPolicy = "EndpointPolicy"

    static let gatewayGroup = "gateway.networking.k8s.io"
    static let envoyGroup = "gateway.envoyproxy.io"
    static let apusGroup = "apus.dev"

    var group: String {
        switch self {
        case .gateway, .tcpRoute, .udpRoute, .referenceGrant: Self.gatewayGroup
        case .backend, .clientTrafficPolicy, .backendTrafficPolicy: Self.envoyGroup
        case .endpointPolicy: Self.apusGroup
        }
    }

    /// The best version first.
    var versions: [String] {
        switch self {
        case .gateway, .referenceGrant: ["v1", "v1beta1"]
        case .tcpRoute, .udpRoute: ["v1", "v1alpha2"]
        case .backend, .clientTrafficPolicy, .backendTrafficPolicy, .endpointPolicy: ["v1alpha1"]
        }
    }

    /// Kinds that belong to the same world, and that this version does not act on.
    static let notServed: [String: [String]] = [
        gatewayGroup: [
            "BackendTLSPolicy", "GRPCRoute", "GatewayClass", "HTTPRoute", "ListenerSet", "TLSRoute",
        ],
        envoyGroup: [
            "EnvoyExtensionPolicy", "EnvoyPatchPolicy", "EnvoyProxy", "HTTPRouteFilter",
            "SecurityPolicy",
        ],
        apusGroup: ["ApusConfig"],
        "": ["ConfigMap", "Namespace", "Secret", "Service"],
        "discovery.k8s.io": ["EndpointSlice"],
    ]
}
