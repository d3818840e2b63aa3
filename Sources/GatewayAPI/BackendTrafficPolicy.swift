import Manifest
import Routing

/// A BackendTrafficPolicy (gateway.envoyproxy.io/v1alpha1): how routes reach their backends.
struct BackendTrafficPolicy: Sendable {
    let metadata: Metadata
    let targets: [PolicyTarget]
    let connectTimeoutMilliseconds: UInt32
    let proxyHeader: ClusterPlan.ProxyHeader
    let keepalive: TCPKeepalive?

    static let targetKinds = [
        "Gateway", "ListenerSet", "HTTPRoute", "GRPCRoute", "TCPRoute", "UDPRoute", "TLSRoute",
    ]
}

extension BackendTrafficPolicy {
    init(metadata: Metadata, spec: Fields) {
        self.metadata = metadata
        targets = spec.targets
        keepalive = spec.keepalive
        switch spec.mapping("proxyProtocol")?.text("version")?.value {
        case "V1": proxyHeader = .v1
        case "V2": proxyHeader = .v2
        default: proxyHeader = .none
        }
        connectTimeoutMilliseconds =
            spec.mapping("timeout")?.mapping("tcp")?.duration("connectTimeout")?.value
            ?? ClusterPlan.connectTimeoutMillisecondsDefault
    }
}
