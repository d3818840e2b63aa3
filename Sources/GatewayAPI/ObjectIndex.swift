import Manifest

/// The objects by what they are looked up by. Owned by a translation.
struct ObjectIndex {
    let gateways: [ObjectIdentity: Gateway]
    let listenerSets: [ObjectIdentity: ListenerSet]
    var backends: [ObjectIdentity: Backend]
    let services: [ObjectIdentity: Service]
    /// By the identity of their Service.
    let slices: [ObjectIdentity: [EndpointSlice]]
    let routeFilters: [ObjectIdentity: HTTPRouteFilter]
    /// By the namespace whose objects they are about.
    let grants: [String: [ReferenceGrant]]
    let classes: [String: GatewayClass]

    init(_ objects: Objects) {
        gateways = Self.index(objects.gateways, \.metadata)
        listenerSets = Self.index(objects.listenerSets, \.metadata)
        backends = Self.index(objects.backends, \.metadata)
        services = Self.index(objects.services, \.metadata)
        routeFilters = Self.index(objects.routeFilters, \.metadata)
        grants = Dictionary(grouping: objects.grants, by: \.metadata.namespace)
        classes = Dictionary(
            objects.gatewayClasses.map { ($0.metadata.name, $0) },
            uniquingKeysWith: { first, _ in first })
        var slices: [ObjectIdentity: [EndpointSlice]] = [:]
        for slice in objects.endpointSlices {
            guard let service = slice.service else { continue }
            let identity = ObjectIdentity(
                kind: Kind.service.rawValue, namespace: slice.metadata.namespace, name: service)
            slices[identity, default: []].append(slice)
        }
        self.slices = slices.mapValues { $0.sorted { $0.metadata.precedes($1.metadata) } }
    }

    private static func index<Object>(
        _ objects: [Object], _ metadata: (Object) -> Metadata
    ) -> [ObjectIdentity: Object] {
        Dictionary(
            objects.map { (metadata($0).identity, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether an object of `source`'s kind and namespace may refer to `reference`: within one
    /// namespace always, else by a ReferenceGrant there.
    func isPermitted(_ reference: ObjectReference, from source: ReferenceGrant.From) -> Bool {
        guard reference.namespace != source.namespace else { return true }
        return (grants[reference.namespace] ?? []).contains { grant in
            grant.permits(source, reference.group, reference.kind, reference.name.value)
        }
    }
}
