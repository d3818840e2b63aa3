import Manifest
import Primitives
import Routing

// The plan's listeners: what shares a port, and where its traffic goes.

extension Translation {
    /// One for every port of a Gateway, in the order of their first listeners.
    mutating func buildListeners() {
        struct Place: Hashable {
            let gateway: ObjectIdentity
            let port: UInt16
            let isUDP: Bool
        }
        var order: [Place] = []
        var members: [Place: [Int]] = [:]
        for (number, state) in listeners.enumerated()
        where state.isServed && fault(of: state.gateway) == nil {
            let place = Place(
                gateway: state.gateway.metadata.identity, port: state.listener.port.value,
                isUDP: state.protocol == .udp)
            if members[place, default: []].isEmpty { order.append(place) }
            members[place, default: []].append(number)
        }
        for place in order {
            guard let numbers = members[place], let first = numbers.first else { continue }
            for number in numbers {
                policyChains[listeners[number].planName] = PolicyIndex.chain(at: listeners[number])
            }
            plan.listeners.append(listenerPlan(numbers, first: listeners[first]))
        }
    }

    private mutating func listenerPlan(
        _ numbers: [Int], first: AttachedListener
    ) -> ListenerPlan {
        let client = client(of: first)
        var listener = ListenerPlan(
            name: first.planName, addresses: first.addresses,
            transport: .tcp(client.settings?.tcp ?? TCPListenerPlan()))
        switch first.protocol {
        case .udp:
            let route = opaqueRoute(first)
            listener.transport = .udp(flowCaps(route))
            listener.routes = .opaque(route)
        case .tcp, nil: listener.routes = .opaque(opaqueRoute(first))
        case .http:
            let servers = numbers.map { httpServer(listeners[$0]) }
            listener.routes = .http(
                servers.sorted { $0.host.precedence > $1.host.precedence })
        case .https, .tls:
            let servers = numbers.map { tlsServer(listeners[$0]) }
            listener.routes = .tls(servers.sorted { $0.host.precedence > $1.host.precedence })
        }
        // A policy that cannot be followed is not left out: its listener takes nobody.
        if client.isInvalid {
            listener.authorization = AuthorizationPlan(rules: [], allowsByDefault: false)
        }
        return listener
    }

    // MARK: - TCP and UDP

    /// The oldest route has the listener: routes come by precedence.
    private mutating func opaqueRoute(_ state: AttachedListener) -> RoutePlan? {
        guard let first = state.attachments.first else { return nil }
        for other in state.attachments.dropFirst() {
            report(
                .warning, at: other.route.metadata.place, other.route.metadata.identity,
                path: "spec.parentRefs", rule: "ListenerTaken",
                "listener \(state.planName) is already served by "
                    + "\(planName(first.route.metadata.identity)), which comes first; this route "
                    + "gets nothing from it")
        }
        return routePlan(first, at: state)
    }

    private mutating func routePlan(
        _ attachment: AttachedListener.Attachment, at state: AttachedListener
    ) -> RoutePlan {
        let identity = attachment.route.metadata.identity
        let rule = attachment.backends.rules.first
        return RoutePlan(
            name: planName(identity),
            backends: rule.map { backends($0, of: attachment.route, at: state).all } ?? [],
            authorization: rules(security(of: attachment.route, rule?.rule.name, at: state)))
    }

    /// The caps of a UDP listener are the strictest that the policies of its backends give.
    private func flowCaps(_ route: RoutePlan?) -> UDPListenerPlan {
        var caps = UDPListenerPlan()
        let names = Set((route?.backends ?? []).compactMap(\.cluster)).map {
            plan.clusters[$0].name
        }
        let limits = names.compactMap { name -> EndpointSettings? in
            let parts = name.split(separator: "/", maxSplits: 1)
            let identity = ObjectIdentity(
                kind: "Backend", namespace: String(parts[0]), name: String(parts[1]))
            return endpointSettings(identity)
        }
        caps.flowsMax = limits.compactMap(\.flowsMax).min() ?? caps.flowsMax
        caps.flowsPerSourceMax =
            limits.compactMap(\.flowsPerSourceMax).min() ?? caps.flowsPerSourceMax
        caps.flowsPerSourceMax = min(caps.flowsPerSourceMax, caps.flowsMax)
        return caps
    }

    // MARK: - TLS

    private mutating func tlsServer(_ state: AttachedListener) -> TLSServerPlan {
        let client = client(of: state).settings
        var termination = client?.tls ?? TLSTerminationPlan()
        if let references = client?.authorities, !references.isEmpty {
            termination.clientAuthorities = authorities(references, of: state)
        }
        if let references = client?.revocations, !references.isEmpty {
            var rules = termination.clientRules ?? ClientCertificateRules()
            rules.revocationLists = revocationLists(references, of: state)
            termination.clientRules = rules
        }
        if termination.clientValidation == nil, let validation = state.clientValidation {
            termination.clientValidation = validation
            termination.clientAuthorities = state.clientAuthorities
        }
        termination.certificates = state.certificates
        let mode: TLSServerPlan.Mode
        if state.protocol == .https {
            mode = .http(termination, httpServer(state))
        } else {
            let routes = tlsRoutes(state)
            let isPassthrough = state.listener.tls?.isPassthrough == true
            mode = isPassthrough ? .passthrough(routes) : .terminate(termination, routes)
        }
        return TLSServerPlan(name: state.planName, host: state.host, mode: mode)
    }

    /// The most specific name first; of several routes with one name the oldest has it.
    private mutating func tlsRoutes(_ state: AttachedListener) -> [TLSRoutePlan] {
        var taken: [HostPattern: ObjectIdentity] = [:]
        var routes: [TLSRoutePlan] = []
        for attachment in state.attachments {
            let identity = attachment.route.metadata.identity
            let free = attachment.hosts.filter { taken[$0] == nil }
            for host in attachment.hosts where taken[host] != nil {
                report(
                    .warning, at: attachment.route.metadata.place, identity,
                    path: "spec.hostnames", rule: "HostnameTaken",
                    "\(host) of listener \(state.planName) is already served by "
                        + "\(planName(taken[host] ?? identity)), which comes first")
            }
            for host in free { taken[host] = identity }
            guard !free.isEmpty else { continue }
            routes.append(TLSRoutePlan(hosts: free, route: routePlan(attachment, at: state)))
        }
        return routes
    }

    // MARK: - HTTP

    private mutating func httpServer(_ state: AttachedListener) -> HTTPServerPlan {
        var server = HTTPServerPlan(name: state.planName, host: state.host)
        server.settings = client(of: state).settings?.http ?? HTTPListenerPlan()
        for attachment in state.attachments {
            for (number, rule) in attachment.backends.rules.enumerated() {
                let index = server.rules.count
                server.rules.append(rulePlan(rule, number, attachment.route, at: state))
                for host in attachment.hosts {
                    server.candidates += rule.rule.matches.map {
                        HTTPCandidate(host: host, match: $0, rule: index)
                    }
                }
            }
        }
        server.candidates = server.candidates.sortedByPrecedence
        return server
    }

    private mutating func rulePlan(
        _ rule: ResolvedRoute.Rule, _ number: Int, _ route: Route, at state: AttachedListener
    ) -> HTTPRulePlan {
        let identity = route.metadata.identity
        let traffic = traffic(of: route, rule.rule.name, at: state).settings
        let backends = backends(rule, of: route, at: state)
        let security = security(of: route, rule.rule.name, at: state)
        var plan = HTTPRulePlan(
            name: "\(planName(identity))/rule/\(number)"
                + (rule.rule.name.map { " (\($0))" } ?? ""),
            isGRPC: route.carried == .grpc,
            filters: filters(rule.filters, of: route, rule, at: state),
            backends: backends.all, backendFilters: backends.filters,
            timeouts: rule.rule.timeouts, retry: rule.rule.retry ?? traffic?.retry,
            authorization: rules(security))
        // The route's own filter goes before the policy's, as in Envoy Gateway.
        if let cors = security.settings?.cors, !plan.filters.contains(where: \.isCORS) {
            plan.filters.append(.cors(cors))
        }
        traffic?.apply(to: &plan.timeouts)
        return plan
    }

    private mutating func filters(
        _ filters: [ResolvedRoute.ResolvedFilter], of route: Route, _ rule: ResolvedRoute.Rule,
        at state: AttachedListener
    ) -> [HTTPFilter] {
        var plans: [HTTPFilter] = []
        for filter in filters {
            switch filter {
            case .plan(let filter): plans.append(filter)
            case .mirror(let target, let numerator, let denominator):
                var cluster: Int?
                if let target {
                    cluster = self.cluster(
                        target, standby: [], of: route, rule.rule.name, at: state)
                }
                plans.append(
                    .mirror(
                        .init(cluster: cluster, numerator: numerator, denominator: denominator)))
            }
        }
        return plans
    }

    // MARK: - Clusters

    private mutating func backends(
        _ rule: ResolvedRoute.Rule, of route: Route, at state: AttachedListener
    ) -> (all: [WeightedBackend], filters: [[HTTPFilter]]) {
        let serving = rule.references.filter { !$0.isFallback }
        // A fallback stands by for the others; where there are none it serves.
        let standby = serving.isEmpty ? [] : rule.references.filter(\.isFallback)
        var all: [WeightedBackend] = []
        var filters: [[HTTPFilter]] = []
        for reference in serving.isEmpty ? rule.references : serving {
            var cluster: Int?
            if let target = reference.target, !rule.isRefused {
                cluster = self.cluster(
                    target, standby: standby.compactMap(\.target), of: route, rule.rule.name,
                    at: state)
            }
            all.append(WeightedBackend(cluster: cluster, weight: reference.weight))
            filters.append(self.filters(reference.filters, of: route, rule, at: state))
        }
        return (all, filters.allSatisfy(\.isEmpty) ? [] : filters)
    }

    /// Who may come; nobody where the policy that says so cannot be followed.
    private func rules(_ security: InForce<SecuritySettings>) -> AuthorizationPlan? {
        switch security {
        case .none: nil
        case .invalid: AuthorizationPlan(rules: [], allowsByDefault: false)
        case .settings(let settings): settings.authorization
        }
    }

    /// PEM of the authorities of client certificates. Where one is missing, nobody is trusted.
    private func authorities(
        _ references: [ObjectReference], of state: AttachedListener
    ) -> [String] {
        switch authorities(references) {
        case .success(let texts): return texts
        case .failure(let fault):
            report(
                .error, at: references[0].name.place, state.owner.identity,
                path: references[0].path, rule: fault.reason, fault.message)
            return []
        }
    }

    /// PEM of revocation lists. Where one is missing, an empty one stands for them, which no server
    /// takes: nobody is let in.
    private func revocationLists(
        _ references: [ObjectReference], of state: AttachedListener
    ) -> [String] {
        var texts: [String] = []
        for reference in references {
            let identity = reference.identity
            let bytes =
                reference.kind == "ConfigMap"
                ? objects.configMaps[identity]?.data["ca.crl"].map { Array($0.utf8) }
                : objects.secrets[identity]?.data["ca.crl"]
            let text = bytes.map { String(decoding: $0, as: UTF8.self) } ?? ""
            guard text.contains("-----BEGIN X509 CRL-----") else {
                report(
                    .error, at: reference.name.place, state.owner.identity, path: reference.path,
                    rule: "InvalidRevocationList",
                    "there is no \(identity) with a revocation list (PEM) in ca.crl; clients of "
                        + "\(state.planName) are refused")
                return [""]
            }
            texts.append(text)
        }
        return texts
    }

    /// A tier serves until it has nobody left before a fallback that names another Backend, and
    /// among the priorities of a service (RFC 2782: the lowest that can be reached), which become
    /// more tiers than are known here.
    private func failoverPercents(
        of target: ResolvedRoute.Target, _ backend: Backend, _ route: Route, isService: Bool
    ) -> [UInt32] {
        let hasService = backend.endpoints.contains { endpoint in
            if case .service = endpoint.target { true } else { false }
        }
        if isService || hasService { return [0] }
        let usual = TierPlan.failoverBelowPercentDefault
        guard case .other = backend.fallback else { return [usual] }
        return Array(repeating: 0, count: tiers(of: target, route).count - 1) + [usual]
    }

    /// The index of the cluster that stands for `target` as `route` reaches it.
    private mutating func cluster(
        _ target: ResolvedRoute.Target, standby: [ResolvedRoute.Target], of route: Route,
        _ rule: String?, at state: AttachedListener
    ) -> Int {
        var source = ClusterSource(target: target, standby: standby, route: route)
        var cluster = ClusterPlan(
            name: Self.name(of: target), route: planName(route.metadata.identity), tiers: [])
        cluster.carriesDatagrams = route.carried == .udp
        switch traffic(of: route, rule, at: state) {
        case .none: break
        // Nothing is sent by a policy that cannot be followed.
        case .invalid: source.isRefused = true
        case .settings(let traffic):
            traffic.apply(to: &cluster, isUDP: route.carried == .udp)
        }
        switch target {
        case .backend(let backend):
            let settings = endpointSettings(backend.metadata.identity)
            cluster.tierChange.failoverBelowPercents = failoverPercents(
                of: target, backend, route, isService: settings?.service != nil)
            cluster.isDynamic = backend.isDynamicResolver
            cluster.framing = framing(backend.application?.value.framing, route)
            if let settings {
                settings.apply(to: &cluster, isUDP: route.carried == .udp)
                source.service = settings.service
            }
        case .service(_, let port):
            cluster.framing = framing(Self.framing(port.application), route)
        }
        cluster.tiers = tiers(of: source)
        let namesakes = clusterIndices[cluster.name] ?? []
        if let known = namesakes.first(where: { plan.clusters[$0] == cluster }) { return known }
        let number = plan.clusters.count
        clusterIndices[cluster.name, default: []].append(number)
        clusterSources.append(source)
        plan.clusters.append(cluster)
        return number
    }

    private static func name(of target: ResolvedRoute.Target) -> String {
        switch target {
        case .backend(let backend): "\(backend.metadata.namespace)/\(backend.metadata.name)"
        case .service(let service, let port):
            "\(service.metadata.namespace)/\(service.metadata.name):\(port.port)"
        }
    }

    /// Only routes of requests have framing: TCP, UDP and TLS routes carry what comes.
    private func framing(_ said: ClusterPlan.Framing?, _ route: Route) -> ClusterPlan.Framing {
        switch route.carried {
        case .tcp, .udp, .tls: .opaque
        case .grpc: .http2
        case .http: said ?? .http1
        }
    }

    /// `Service.spec.ports[].appProtocol` (KEP-3726, and gRPC's own name).
    private static func framing(_ application: String?) -> ClusterPlan.Framing? {
        switch application {
        case "kubernetes.io/h2c", "grpc": .http2
        case "kubernetes.io/ws", "kubernetes.io/wss": .websocket
        default: nil
        }
    }

    /// `Kind/namespace/name`.
    func planName(_ identity: ObjectIdentity) -> String {
        "\(identity.kind)/\(identity.namespace)/\(identity.name)"
    }
}

extension HTTPFilter {
    fileprivate var isCORS: Bool { if case .cors = self { true } else { false } }
}
