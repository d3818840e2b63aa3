import Manifest
import Routing

/// A route with its references looked up.
struct ResolvedRoute {
    /// What a backendRef leads to.
    enum Target {
        case backend(Backend)
        case service(Service, Service.Port)
    }

    struct Reference {
        /// Nil: the reference is invalid, and its share is refused.
        let target: Target?
        let weight: UInt32
        let filters: [ResolvedFilter]
        /// It stands by while another of the rule serves.
        var isFallback: Bool {
            if case .backend(let backend)? = target {
                backend.fallback?.isItself == true
            } else {
                false
            }
        }
    }

    enum ResolvedFilter {
        case plan(HTTPFilter)
        case mirror(Target?, numerator: UInt32, denominator: UInt32)
    }

    struct Rule {
        let rule: Route.Rule
        var references: [Reference] = []
        var filters: [ResolvedFilter] = []
        /// It cannot be done as written, so that its requests are answered with an error.
        var isRefused = false
    }

    var rules: [Rule] = []
    /// Of the first reference that is invalid.
    var fault: Refusal?
    /// Rules that were left out.
    var partialFault: Refusal?
    /// Of the first reference without any endpoint.
    var unavailable: Refusal?
}
