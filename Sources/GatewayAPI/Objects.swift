import Manifest

/// Everything that the files say, as typed objects. Made by `ObjectDecoder`, read by `translate()`.
struct Objects: Sendable {
    var gatewayClasses: [GatewayClass] = []
    var gateways: [Gateway] = []
    var listenerSets: [ListenerSet] = []
    var routes: [Route] = []
    var backends: [Backend] = []
    var grants: [ReferenceGrant] = []
    var policies: [Policy] = []
    var configurations: [ApusConfig] = []
    var services: [Service] = []
    var endpointSlices: [EndpointSlice] = []
    var routeFilters: [HTTPRouteFilter] = []
    var secrets: [ObjectIdentity: Secret] = [:]
    var configMaps: [ObjectIdentity: ConfigMap] = [:]
    /// Labels of namespaces, by name.
    var namespaces: [String: [String: String]] = [:]
    /// Objects that are written but could not be read. Their own errors tell; that others do not
    /// find them is no news.
    var refused: Set<ObjectIdentity> = []
    /// Objects of kinds that are known and ignored, so that references to them are not missing.
    var ignored: Set<ObjectIdentity> = []

    mutating func merge(_ other: Objects) {
        gatewayClasses += other.gatewayClasses
        gateways += other.gateways
        listenerSets += other.listenerSets
        routes += other.routes
        backends += other.backends
        grants += other.grants
        policies += other.policies
        configurations += other.configurations
        services += other.services
        endpointSlices += other.endpointSlices
        routeFilters += other.routeFilters
        secrets.merge(other.secrets) { first, _ in first }
        configMaps.merge(other.configMaps) { first, _ in first }
        namespaces.merge(other.namespaces) { first, _ in first }
        refused.formUnion(other.refused)
        ignored.formUnion(other.ignored)
    }

    /// Without those that stand at `places`: each was defined before.
    func without(_ places: Set<SourcePlace>) -> Objects {
        func isFirst(_ metadata: Metadata) -> Bool { !places.contains(metadata.place) }
        var kept = self
        kept.gatewayClasses.removeAll { !isFirst($0.metadata) }
        kept.gateways.removeAll { !isFirst($0.metadata) }
        kept.listenerSets.removeAll { !isFirst($0.metadata) }
        kept.routes.removeAll { !isFirst($0.metadata) }
        kept.backends.removeAll { !isFirst($0.metadata) }
        kept.grants.removeAll { !isFirst($0.metadata) }
        kept.policies.removeAll { !isFirst($0.metadata) }
        kept.configurations.removeAll { places.contains($0.place) }
        kept.services.removeAll { !isFirst($0.metadata) }
        kept.endpointSlices.removeAll { !isFirst($0.metadata) }
        kept.routeFilters.removeAll { !isFirst($0.metadata) }
        return kept
    }
}
