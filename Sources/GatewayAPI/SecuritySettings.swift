import Manifest
import Routing

/// What a SecurityPolicy (gateway.envoyproxy.io/v1alpha1) says: who may use a listener or route,
/// and which origins' pages may. Its other features are refused by name, and what they protect with
/// them: to serve it unprotected would be worse than not to serve it.
struct SecuritySettings {
    let authorization: AuthorizationPlan?
    let cors: HTTPFilter.CORS?

    private static let otherFeatures = [
        "apiKeyAuth", "basicAuth", "csrf", "extAuth", "jwt", "oidc", "rateLimit",
    ]

    /// - Parameter isTCP: it is for connections, which have no headers and methods.
    init(_ spec: Fields, isTCP: Bool) throws(PolicyFault) {
        for name in Self.otherFeatures + (isTCP ? ["cors"] : []) where spec.node(name) != nil {
            throw PolicyFault(
                spec, name,
                isTCP
                    ? "Only authorization is supported for TCP"
                    : "\(name) is not supported; only authorization and cors are")
        }
        cors = try spec.mapping("cors").map { fields throws(PolicyFault) in
            try HTTPFilter.CORS(policy: fields)
        }
        guard let fields = spec.mapping("authorization") else {
            authorization = nil
            return
        }
        var plan = AuthorizationPlan(
            allowsByDefault: fields.text("defaultAction")?.value == "Allow")
        for (number, rule) in fields.mappings("rules").enumerated() {
            plan.rules.append(try AuthorizationPlan.Rule(rule, number, isTCP: isTCP))
        }
        authorization = plan
    }
}

extension HTTPFilter.CORS {
    /// What the Gateway API's schema sees to and Envoy Gateway's does not is seen to here: that all
    /// of it can be sent.
    fileprivate init(policy fields: Fields) throws(PolicyFault) {
        self.init(fields)
        ageMaxSeconds = (fields.duration("maxAge")?.value).map { $0 / 1_000 }
        for name in ["allowMethods", "allowHeaders", "exposeHeaders"] {
            for item in fields.texts(name) where !item.value.isToken {
                throw PolicyFault(fields, name, "\(item.value) is no name")
            }
        }
    }
}

extension AuthorizationPlan.Rule {
    init(_ fields: Fields, _ number: Int, isTCP: Bool) throws(PolicyFault) {
        self.init(
            name: fields.text("name")?.value ?? "rule \(number)",
            allows: fields.text("action")?.value == "Allow")
        if fields.node("cel") != nil {
            throw PolicyFault(fields, "cel", "cel is not supported")
        }
        if let operation = fields.mapping("operation") {
            guard !isTCP else {
                throw PolicyFault(fields, "operation", "Only authorization is supported for TCP")
            }
            if operation.node("path") != nil || operation.node("paths") != nil {
                throw PolicyFault(operation, "path", "paths are not supported; match by route")
            }
            methods = operation.texts("methods").map(\.value)
        }
        guard let principal = fields.mapping("principal") else { return }
        for name in ["jwt", "clientIPGeoLocations"] where principal.node(name) != nil {
            throw PolicyFault(principal, name, "\(name) is not supported")
        }
        for range in principal.texts("clientCIDRs") {
            guard let block = AddressRange(range.value) else {
                throw PolicyFault(
                    principal, "clientCIDRs", "\(range.value) is no CIDR block such as 10.0.0.0/8")
            }
            clients.append(block)
        }
        for header in principal.mappings("headers") {
            guard !isTCP else {
                throw PolicyFault(
                    principal, "headers", "only clientCIDRs are supported for TCP")
            }
            headers.append(
                .init(
                    name: header.text("name")?.value.lowercased() ?? "",
                    values: header.texts("values").map(\.value)))
        }
    }
}
