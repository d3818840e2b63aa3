import Manifest
import Routing

/// A ClientTrafficPolicy (gateway.envoyproxy.io/v1alpha1): how listeners treat their clients.
struct ClientTrafficPolicy: Sendable {
    let metadata: Metadata
    let targets: [PolicyTarget]
    /// What the policy says, and the default of what it leaves out.
    let settings: TCPListenerPlan
}

extension ClientTrafficPolicy {
    init(metadata: Metadata, spec: Fields) {
        self.metadata = metadata
        targets = spec.targets
        var settings = TCPListenerPlan()
        if let header = spec.mapping("proxyProtocol") {
            settings.proxyHeader = header.boolean("optional")?.value == true ? .optional : .required
        } else if spec.boolean("enableProxyProtocol")?.value == true {
            settings.proxyHeader = .required
        }
        settings.keepalive = spec.keepalive
        let limit = spec.mapping("connection")?.mapping("connectionLimit")
        settings.connectionsMax = limit?.number("value")?.value
        let timeout = spec.mapping("timeout")?.mapping("tcp")
        if let idle = timeout?.duration("idleTimeout") {
            settings.idleTimeoutMilliseconds = idle.value
        }
        if let inspection = timeout?.duration("connectionInspectionTimeout") {
            settings.inspectionTimeoutMilliseconds = inspection.value
        }
        self.settings = settings
    }
}
