import Manifest
import Routing

// BackendTrafficPolicy `spec.healthCheck`.

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
        case "HTTP": probe = .http(.init(fields.mapping("http")))
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
        initialJitter = fields.duration("initialJitter")?.value ?? initialJitter
        unhealthyThreshold = fields.number("unhealthyThreshold")?.value ?? unhealthyThreshold
        healthyThreshold = fields.number("healthyThreshold")?.value ?? healthyThreshold
        port = fields.mapping("overrides")?.port()?.value
    }
}

extension HealthCheckPlan.HTTPProbe {
    init(_ fields: Fields?) {
        self.init(
            host: fields?.text("hostname")?.value, path: fields?.text("path")?.value ?? "/",
            method: fields?.text("method")?.value ?? "GET")
        let expected = fields?.numbers("expectedStatuses") ?? []
        statuses = expected.isEmpty ? statuses : expected
        retriableStatuses = fields?.numbers("retriableStatuses") ?? []
        let body = fields?.mapping("expectedResponse")
        expectedBody =
            body?.text("text").map { Array($0.value.utf8) }
            ?? body?.text("binary").flatMap { Base64.decode($0.value) } ?? []
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
