import Manifest
import Routing

/// What a BackendTrafficPolicy says of a route to its backends.
struct TrafficSettings {
    let policy: BackendTrafficPolicy
    var retry: RetryPlan? { nil }

    func apply(to cluster: inout ClusterPlan, isUDP: Bool) {
        guard !isUDP else { return }
        cluster.connectTimeoutMilliseconds = policy.connectTimeoutMilliseconds
        cluster.proxyHeader = policy.proxyHeader
        cluster.keepalive = policy.keepalive
    }

    func apply(to timeouts: inout HTTPTimeouts) {}
}

/// What a ClientTrafficPolicy says of a listener.
struct ClientSettings {
    var tcp = TCPListenerPlan()
    var http = HTTPListenerPlan()
    var tls = TLSTerminationPlan()
}

/// What an EndpointPolicy says of a Backend.
struct EndpointSettings {
    let policy: EndpointPolicy
    var flowsMax: UInt32? { policy.udp.flowsMax }
    var flowsPerSourceMax: UInt32? { policy.udp.flowsPerSourceMax }

    func apply(to cluster: inout ClusterPlan) {
        cluster.udp = UDPFlowPlan(
            idleTimeoutMilliseconds: policy.udp.idleTimeoutMilliseconds
                ?? UDPFlowPlan.idleTimeoutMillisecondsDefault,
            expectedResponses: policy.udp.expectedResponses)
    }
}

extension PolicyIndex {
    func traffic(
        route: ObjectIdentity, rule: String?, gateway: ObjectIdentity, listener: String,
        listenerSet: ObjectIdentity?
    ) -> TrafficSettings? {
        backendPolicy(route: route, rule: rule, gateway: gateway, listener: listener).map {
            TrafficSettings(policy: $0)
        }
    }

    func client(
        gateway: ObjectIdentity, listener: String, listenerSet: ObjectIdentity?
    ) -> ClientSettings? {
        clientPolicy(gateway: gateway, listener: listener).map { ClientSettings(tcp: $0.settings) }
    }

    func authorization(
        gateway: ObjectIdentity, listener: String, listenerSet: ObjectIdentity?
    ) -> AuthorizationPlan? { nil }

    func authorization(route: ObjectIdentity, rule: String?) -> AuthorizationPlan? { nil }

    func backendTLS(backend: ObjectIdentity) -> BackendTLS { .none }

    func backendTLS(service: ObjectIdentity, port: String) -> BackendTLS { .none }

    func endpoint(backend: ObjectIdentity) -> EndpointSettings? {
        endpointPolicy(backend: backend).map { EndpointSettings(policy: $0) }
    }
}
