import Manifest
import Routing

/// A filter of a rule or backendRef (`HTTPRouteFilter`, `GRPCRouteFilter`). What refers to other
/// objects becomes part of a plan only when these are found.
struct RouteFilter: Sendable {
    enum Effect: Sendable {
        case plan(HTTPFilter)
        case mirror(Route.BackendRef, numerator: UInt32, denominator: UInt32)
        /// A filter object, such as an HTTPRouteFilter of Envoy Gateway.
        case `extension`(ObjectReference)
        case unknown
    }

    let type: String
    let effect: Effect
    let place: SourcePlace
    let path: String
}

extension RouteFilter {
    init(_ fields: Fields, namespace: String) {
        type = fields.text("type")?.value ?? ""
        place = fields.place
        path = fields.path
        effect = Self.effect(type, fields, namespace) ?? .unknown
    }

    private static func effect(_ type: String, _ fields: Fields, _ namespace: String) -> Effect? {
        switch type {
        case "RequestHeaderModifier":
            fields.mapping("requestHeaderModifier").map { .plan(.requestHeaders(.init($0))) }
        case "ResponseHeaderModifier":
            fields.mapping("responseHeaderModifier").map { .plan(.responseHeaders(.init($0))) }
        case "RequestRedirect":
            fields.mapping("requestRedirect").map { .plan(.redirect(.init($0))) }
        case "URLRewrite": fields.mapping("urlRewrite").map { .plan(.rewrite(.init($0))) }
        case "CORS": fields.mapping("cors").map { .plan(.cors(.init($0))) }
        case "RequestMirror": fields.mapping("requestMirror").flatMap { mirror($0, namespace) }
        case "ExtensionRef":
            fields.reference("extensionRef", kind: "", namespace: namespace).map {
                .extension($0)
            }
        default: nil
        }
    }

    private static func mirror(_ fields: Fields, _ namespace: String) -> Effect? {
        guard let backend = fields.mapping("backendRef"),
            let reference = Route.BackendRef(backend, namespace: namespace)
        else { return nil }
        if let percent: Located<UInt32> = fields.number("percent") {
            return .mirror(reference, numerator: percent.value, denominator: 100)
        }
        let fraction = fields.mapping("fraction")
        return .mirror(
            reference, numerator: fraction?.number("numerator")?.value ?? 100,
            denominator: fraction?.number("denominator")?.value ?? 100)
    }
}

extension HTTPFilter.HeaderEdit {
    init(_ fields: Fields) {
        func pairs(_ name: String) -> [Field] {
            fields.mappings(name).compactMap { fields in
                guard let name = fields.text("name"), let value = fields.text("value") else {
                    return nil
                }
                return Field(name: name.value.lowercased(), value: value.value)
            }
        }
        self.init(
            set: pairs("set"), add: pairs("add"),
            remove: fields.texts("remove").map { $0.value.lowercased() })
    }
}

extension HTTPFilter.PathEdit {
    init?(_ fields: Fields?) {
        if let path = fields?.text("replaceFullPath") {
            self = .full(path.value)
        } else if let prefix = fields?.text("replacePrefixMatch") {
            self = .prefix(prefix.value)
        } else {
            return nil
        }
    }
}

extension HTTPFilter.Redirect {
    init(_ fields: Fields) {
        self.init(
            scheme: fields.text("scheme")?.value, host: fields.text("hostname")?.value,
            port: fields.port()?.value, path: .init(fields.mapping("path")),
            status: fields.number("statusCode")?.value ?? 302)
    }
}

extension HTTPFilter.Rewrite {
    init(_ fields: Fields) {
        self.init(host: fields.text("hostname")?.value, path: .init(fields.mapping("path")))
    }
}

extension HTTPFilter.CORS {
    init(_ fields: Fields) {
        self.init()
        origins = fields.texts("allowOrigins").map(\.value)
        methods = fields.texts("allowMethods").map(\.value)
        headers = fields.texts("allowHeaders").map(\.value)
        exposedHeaders = fields.texts("exposeHeaders").map(\.value)
        allowsCredentials = fields.boolean("allowCredentials")?.value ?? false
        ageMaxSeconds = fields.number("maxAge")?.value
    }
}
