import Manifest
import Routing

// BackendTrafficPolicy `spec.healthCheck`, and EndpointPolicy's.

extension HealthCheckPlan {
    init?(_ fields: Fields?) throws(PolicyFault) {
        guard let fields else { return nil }
        self.init(passive: fields.mapping("passive").map(Passive.init))
        if let active = fields.mapping("active") { self.active = try Active(active) }
        panicPercent = fields.number("panicThreshold")?.value ?? panicPercent
    }
}

extension HealthCheckPlan.Active {
    init(_ fields: Fields) throws(PolicyFault) {
        let probe: HealthCheckPlan.Probe
        switch fields.text("type")?.value {
        case "HTTP": probe = .http(try .init(fields.mapping("http")))
        case "GRPC": probe = .grpc(service: fields.mapping("grpc")?.text("service")?.value ?? "")
        default:
            let tcp = fields.mapping("tcp")
            probe = .tcp(
                send: try payload(tcp?.mapping("send")),
                expect: try payload(tcp?.mapping("receive")))
        }
        self.init(probe: probe)
        timeout = try fields.positiveDuration("timeout") ?? timeout
        interval = try fields.positiveDuration("interval") ?? interval
        readRest(fields)
        port = fields.mapping("overrides")?.port()?.value
    }

    /// EndpointPolicy `spec.healthCheck`, whose schema lets nothing through that is no duration of
    /// more than 0 or no base64.
    init(datagrams fields: Fields) {
        let payload = { (name: String) -> [UInt8] in
            let fields = fields.mapping("udp")?.mapping(name)
            return fields?.text("text").map { Array($0.value.utf8) }
                ?? fields?.text("binary").flatMap { Base64.decode($0.value) } ?? []
        }
        self.init(probe: .udp(send: payload("send"), expect: payload("expect")))
        timeout = fields.duration("timeout")?.value ?? timeout
        interval = fields.duration("interval")?.value ?? interval
        readRest(fields)
    }

    private mutating func readRest(_ fields: Fields) {
        initialJitter = fields.duration("initialJitter")?.value ?? initialJitter
        unhealthyThreshold = fields.number("unhealthyThreshold")?.value ?? unhealthyThreshold
        healthyThreshold = fields.number("healthyThreshold")?.value ?? healthyThreshold
    }
}

extension HealthCheckPlan.HTTPProbe {
    init(_ fields: Fields?) throws(PolicyFault) {
        self.init(
            host: fields?.text("hostname")?.value, path: fields?.text("path")?.value ?? "/",
            method: fields?.text("method")?.value ?? "GET")
        let expected = fields?.numbers("expectedStatuses") ?? []
        statuses = expected.isEmpty ? statuses : expected
        retriableStatuses = fields?.numbers("retriableStatuses") ?? []
        expectedBody = try payload(fields?.mapping("expectedResponse"))
        body = try payload(fields?.mapping("requestBody"))
        guard let fields, !Self.isRequestMethod(method) else { return }
        throw PolicyFault(fields, "method", "\(method) is no method that a check can use")
    }

    /// A token (RFC 9110 §9.1), and not the one whose answer is a tunnel.
    private static func isRequestMethod(_ method: String) -> Bool {
        !method.isEmpty && method != "CONNECT"
            && method.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}

extension HealthCheckPlan.Passive {
    init(_ fields: Fields) {
        self.init()
        interval = fields.duration("interval")?.value ?? interval
        localFailures = fields.number("consecutiveLocalOriginFailures")?.value ?? localFailures
        splitsLocalFailures =
            fields.boolean("splitExternalLocalOriginErrors")?.value ?? splitsLocalFailures
        gatewayErrors = fields.number("consecutiveGatewayErrors")?.value
        serverErrors = fields.number("consecutive5XxErrors")?.value ?? serverErrors
        ejectionTime = fields.duration("baseEjectionTime")?.value ?? ejectionTime
        ejectionPercentMax = fields.number("maxEjectionPercent")?.value ?? ejectionPercentMax
        failurePercent = fields.number("failurePercentageThreshold")?.value
        alwaysEjectsOne = fields.boolean("alwaysEjectOneEndpoint")?.value ?? alwaysEjectsOne
    }
}

/// `ActiveHealthCheckPayload`: text, or base64.
private func payload(_ fields: Fields?) throws(PolicyFault) -> [UInt8] {
    guard let fields else { return [] }
    if let text = fields.text("text") { return Array(text.value.utf8) }
    guard let binary = fields.text("binary") else { return [] }
    guard let bytes = Base64.decode(binary.value) else {
        throw PolicyFault(fields, "binary", "is no base64 (RFC 4648)")
    }
    return bytes
}
