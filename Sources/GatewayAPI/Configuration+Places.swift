import Manifest

extension Configuration.Result {
    /// Where the objects stand that the names in the plan are made of: listeners
    /// (`namespace/gateway/listener`), routes (`Kind/namespace/name`), their rules
    /// (`…/rule/number`), Backends (`namespace/name`) and Services (`namespace/name:port`). No two
    /// of these forms are ever alike. Made when it is asked for: a reload needs none of it.
    public var places: [String: SourcePlace] {
        var places: [String: SourcePlace] = [:]
        func add(_ name: String, _ place: SourcePlace) {
            if places[name] == nil { places[name] = place }
        }
        for gateway in objects.gateways {
            addListeners(gateway.listeners, of: gateway.metadata, add)
        }
        for set in objects.listenerSets { addListeners(set.listeners, of: set.metadata, add) }
        for route in objects.routes {
            let identity = route.metadata.identity
            let name = "\(identity.kind)/\(identity.namespace)/\(identity.name)"
            add(name, route.metadata.place)
            for (number, rule) in route.rules.enumerated() {
                let own = rule.name.map { " (\($0))" } ?? ""
                add("\(name)/rule/\(number)\(own)", rule.place)
            }
        }
        for backend in objects.backends {
            add("\(backend.metadata.namespace)/\(backend.metadata.name)", backend.metadata.place)
        }
        for service in objects.services {
            for port in service.ports {
                add(
                    "\(service.metadata.namespace)/\(service.metadata.name):\(port.port)",
                    service.metadata.place)
            }
        }
        return places
    }

    private func addListeners(
        _ listeners: [Listener], of owner: Metadata, _ add: (String, SourcePlace) -> Void
    ) {
        for listener in listeners {
            add("\(owner.namespace)/\(owner.name)/\(listener.name.value)", listener.name.place)
        }
    }
}
