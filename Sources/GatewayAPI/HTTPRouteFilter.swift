import Manifest
import Routing

/// An HTTPRouteFilter (gateway.envoyproxy.io/v1alpha1): filters that the Gateway API has none for,
/// referred to by a rule's `extensionRef`.
struct HTTPRouteFilter: Sendable {
    let metadata: Metadata
    /// Nil: it asks for something that no plan can say.
    let filter: HTTPFilter?

    init(metadata: Metadata, spec: Fields) {
        self.metadata = metadata
        filter = spec.mapping("directResponse").flatMap { fields in
            let body = fields.mapping("body")
            guard body == nil || body?.text("inline") != nil else { return nil }
            return .respond(
                status: fields.number("statusCode")?.value ?? 200,
                body: body?.text("inline")?.value ?? "")
        }
    }
}
