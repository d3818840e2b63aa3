import Manifest
import Routing

/// A ClientTrafficPolicy (gateway.envoyproxy.io/v1alpha1): how listeners treat their clients.
struct ClientTrafficPolicy: Sendable {
    let metadata: Metadata
    let targets: [PolicyTarget]
    /// What the policy says, and the default of what it leaves out.
    let settings: TCPListenerPlan

    /// Of the real kind, and without effect in this version.
    static let fieldsNotServed = [
        "clientIPDetection", "grpc", "headers", "healthCheck", "http1", "http2", "http3", "path",
        "scheme", "tls",
    ]
}

extension ClientTrafficPolicy {
    init(metadata: Metadata, spec: inout Fields) {
        self.metadata = metadata
        targets = spec.targets(group: Kind.gatewayGroup, kinds: ["Gateway", "ListenerSet"])
        var settings = TCPListenerPlan()
        settings.proxyHeader = Self.proxyHeader(&spec)
        settings.keepalive = spec.keepalive()
        if var connection = spec.mapping("connection") {
            if var limit = connection.mapping("connectionLimit") {
                let value = limit.integer("value", in: 1...Int64(UInt32.max))
                settings.connectionsMax = value.map { UInt32($0.value) }
                limit.finish(later: [
                    "closeDelay", "maxConnectionDuration", "maxRequestsPerConnection",
                    "maxStreamDuration",
                ])
            }
            connection.finish(later: [
                "bufferLimit", "maxAcceptPerSocketEvent", "socketBufferLimit",
            ])
        }
        if var timeout = spec.mapping("timeout") {
            if var tcp = timeout.mapping("tcp") {
                if let idle = tcp.duration("idleTimeout", in: 0...UInt32.max) {
                    settings.idleTimeoutMilliseconds = idle.value
                }
                if let inspection = tcp.duration(
                    "connectionInspectionTimeout", in: 1...UInt32.max)
                {
                    settings.inspectionTimeoutMilliseconds = inspection.value
                }
                tcp.finish(later: ["tlsHandshakeTimeout"])
            }
            timeout.finish(later: ["http"])
        }
        spec.finish(later: Self.fieldsNotServed)
        self.settings = settings
    }

    /// The presence of `proxyProtocol` asks for the header; `optional` lets clients without one in.
    private static func proxyHeader(_ spec: inout Fields) -> TCPListenerPlan.ProxyHeader {
        let deprecated = spec.boolean("enableProxyProtocol")
        if let deprecated {
            spec.log.report(
                .warning, .admission, at: deprecated.place,
                path: spec.path(of: "enableProxyProtocol"),
                "is deprecated; write proxyProtocol: {} instead")
        }
        guard var fields = spec.mapping("proxyProtocol") else {
            return deprecated?.value == true ? .required : .none
        }
        let isOptional = fields.boolean("optional")?.value == true
        fields.finish()
        return isOptional ? .optional : .required
    }
}
