import Manifest
import Primitives
import Routing

/// Answers questions about a configuration, as the data path decides: every choice is asked of the
/// functions of `Routing`, and why a candidate was not chosen is found by asking them about it
/// alone. Pure; tables are made once and kept. Owned by who asks.
public struct Explainer {
    let result: Configuration.Result
    let places: [String: SourcePlace]
    let rules: [String: AskedRule]
    let refusals: [String: [PolicyRefusal]]
    private var tables: [Int: ListenerTable] = [:]
    /// Only what is decided, and not why, with what settings, and what else there would have been.
    var isBrief = false

    public init(_ result: Configuration.Result) {
        self.result = result
        places = result.places
        rules = Self.rules(result.objects.routes)
        refusals = Self.refusals(result.conditions)
    }

    var plan: Plan { result.plan }

    /// One answer for every listener that may be meant: a question that names no address may mean
    /// several. Never empty.
    public mutating func explain(_ question: Explanation.Question) -> [Explanation] {
        switch question {
        case .listener(let name): return listeners(named: name)
        case .arrival(let source, let destination, let isDatagram):
            return [arrival(source, destination, isDatagram)]
        case .serverName(let name, let port, let client):
            let numbers = plan.listeners.indices.filter { number in
                guard case .tls = plan.listeners[number].routes else { return false }
                return port == nil || plan.listeners[number].has(port: port ?? 0)
            }
            guard !numbers.isEmpty else {
                let whereabouts = port.map { " on port \($0)" } ?? ""
                return [nobody("no listener speaks TLS\(whereabouts)", \.protocolName)]
            }
            return numbers.map { stream($0, serverName: name, from: client) }
        case .request(let request, let serverName, let client):
            return self.request(request, serverName: serverName, from: client)
        }
    }

    mutating func table(_ listener: Int) -> ListenerTable {
        if let table = tables[listener] { return table }
        let table = ListenerTable(plan.listeners[listener])
        tables[listener] = table
        return table
    }

    // MARK: - Listeners

    private mutating func listeners(named name: String) -> [Explanation] {
        let numbers = plan.listeners.indices.filter { number in
            plan.listeners[number].names.contains { $0 == name || $0.hasSuffix("/" + name) }
        }
        guard numbers.isEmpty else { return numbers.map { whole($0) } }
        let refused = result.conditions.compactMap { condition -> String? in
            guard case .listener(let owner, let listener) = condition.subject else { return nil }
            let full = "\(owner.namespace)/\(owner.name)/\(listener)"
            guard full == name || full.hasSuffix("/" + name) else { return nil }
            guard !condition.status, condition.type != "Conflicted" || condition.status else {
                return nil
            }
            return "\(condition.reason): \(condition.message)"
        }
        let reason =
            refused.isEmpty
            ? "there is no listener \(name)"
            : "listener \(name) is not in the plan: " + refused.joined(separator: "; ")
        return [nobody(reason) { _ in "has another name" }]
    }

    /// Everything that a listener has.
    private mutating func whole(_ number: Int) -> Explanation {
        let listener = plan.listeners[number]
        var answer = begun(number, "it is the one that was asked for")
        switch listener.routes {
        case .opaque: finishOpaque(&answer, listener, from: nil)
        case .tls(let servers):
            answer.outcome = .open("the name that the client asks for decides; ask with --sni")
            for server in servers {
                answer.others.append(candidate(.server, server.name, "has host \(server.host)"))
            }
        case .http(let servers):
            answer.outcome = .open("the request decides; ask with --request")
            for server in servers {
                answer.others.append(candidate(.server, server.name, "has host \(server.host)"))
            }
        }
        return answer
    }

    // MARK: - TCP and UDP

    private mutating func arrival(
        _ source: SocketAddress?, _ destination: SocketAddress, _ isDatagram: Bool
    ) -> Explanation {
        let chosen = plan.listener(at: destination, isDatagram: isDatagram)
        func reason(_ listener: ListenerPlan) -> String {
            if listener.isDatagram != isDatagram {
                return listener.isDatagram ? "takes datagrams" : "takes TCP connections"
            }
            let alone = Plan(listeners: [listener])
            return alone.listener(at: destination, isDatagram: isDatagram) == nil
                ? "does not listen at \(destination), but on \(listener.addressText)"
                : "listens there too, on \(listener.addressText), which fits \(destination) no "
                    + "better"
        }
        guard let chosen else {
            return nobody("nobody listens at \(destination)", reason)
        }
        let listener = plan.listeners[chosen]
        var answer = begun(chosen, "it listens on \(listener.addressText)")
        answer.others = otherListeners(than: chosen, reason)
        var client: IPAddress?
        if case .ip(let address, _)? = source { client = address }
        switch listener.routes {
        case .opaque: finishOpaque(&answer, listener, from: client)
        case .tls:
            answer.outcome = .open("the name that the client asks for decides; ask with --sni")
        case .http: answer.outcome = .open("the request decides; ask with --request")
        }
        return answer
    }

    func finishOpaque(
        _ answer: inout Explanation, _ listener: ListenerPlan, from client: IPAddress?
    ) {
        guard let route = listener.route else {
            answer.outcome = .refused("the listener has no route")
            return
        }
        answer.chosen.append(candidate(.route, route.name, "it has the listener"))
        finish(&answer, route, of: listener.name, at: listener, from: client)
    }

    /// From the route of a stream on.
    /// - Parameter server: the listener of the Gateway that has the route.
    func finish(
        _ answer: inout Explanation, _ route: RoutePlan, of server: String,
        at listener: ListenerPlan, from client: IPAddress?
    ) {
        let chain = chain(route.name, at: server)
        let traffic = note(&answer, .backendTrafficPolicy, chain)
        let security = note(&answer, .securityPolicy, chain)
        admit(
            &answer, listener.authorization, listener.name,
            listener.authorization?.decide(client: client), client, by: clients(of: listener.name))
        admit(
            &answer, route.authorization, route.name,
            route.authorization?.decide(client: client), client, by: security)
        reach(&answer, route.backends, by: traffic)
    }

    /// The ClientTrafficPolicy of a listener.
    func clients(of server: String) -> PolicyIndex.Effective? {
        result.policies.effective(.clientTrafficPolicy, chain(server))
    }

    // MARK: - Parts of an answer

    /// With the listener, its settings, and what keeps it from being served.
    func begun(_ number: Int, _ reason: String) -> Explanation {
        let listener = plan.listeners[number]
        var answer = Explanation()
        answer.decision.listener = number
        answer.chosen = [candidate(.listener, listener.name, reason)]
        let source: SettingSource
        if isBrief { return answer }
        if listener.isDatagram {
            let caps = Set((listener.route?.backends ?? []).compactMap(\.cluster)).sorted().map {
                result.policies.effective(.endpointPolicy, chain(backend: plan.clusters[$0].name))
            }
            source = self.source(SettingSource.ofDatagrams, caps)
        } else {
            let clients = note(&answer, .clientTrafficPolicy, chain(listener.name))
            source = self.source(SettingSource.ofListener, [clients])
        }
        answer.settings = SettingList.settings(
            of: listener.transport, named: "listener", from: [source])
        return answer
    }

    /// Nobody takes it; of each listener is said why.
    func nobody(_ outcome: String, _ reason: (ListenerPlan) -> String) -> Explanation {
        var answer = Explanation()
        answer.outcome = .refused(outcome)
        answer.others = otherListeners(than: nil, reason)
        return answer
    }

    func otherListeners(
        than chosen: Int?, _ reason: (ListenerPlan) -> String
    ) -> [Explanation.Candidate] {
        if isBrief { return [] }
        return plan.listeners.indices.filter { $0 != chosen }.map { number in
            candidate(.listener, plan.listeners[number].name, reason(plan.listeners[number]))
        }
    }

    func candidate(
        _ role: Explanation.Candidate.Role, _ name: String, _ reason: String
    ) -> Explanation.Candidate {
        Explanation.Candidate(role: role, name: name, place: place(of: name), reason: reason)
    }

    /// Of a name of the plan. A rule's is that of its route where it has none of its own.
    private func place(of name: String) -> SourcePlace? {
        if let place = places[name] { return place }
        let parts = name.split(separator: "/").prefix(3)
        return places[parts.joined(separator: "/")]
    }

    /// What one authorization says; the first that refuses decides.
    /// - Parameter client: nil = nobody said who it is.
    func admit(
        _ answer: inout Explanation, _ authorization: AuthorizationPlan?, _ name: String,
        _ verdict: AuthorizationPlan.Verdict?, _ client: IPAddress?,
        by policy: PolicyIndex.Effective?
    ) {
        guard let authorization, let verdict else { return }
        // Over a Unix socket nobody has an address, and that is known.
        let isUnix = answer.decision.listener.map { plan.listeners[$0].isUnix } ?? false
        if client == nil, !isUnix, authorization.rules.contains(where: { !$0.clients.isEmpty }) {
            answer.admissions.append(
                Explanation.Admission(
                    name: name, verdict: nil,
                    reason: "depends on the client's address, which was not given", origin: nil))
            return
        }
        let invalid = policy.flatMap { $0.isInvalid ? fault(of: $0) : nil }
        let reason =
            invalid.map { "its policy cannot be followed: \($0)" }
            ?? authorization.name(of: verdict).map { "by rule \($0)" }
            ?? "by default: no rule matches"
        answer.admissions.append(
            Explanation.Admission(
                name: name, verdict: verdict, reason: reason, origin: origin(of: verdict, policy)))
        if answer.decision.authorization?.isAllowed != false {
            answer.decision.authorization = verdict
        }
        if !verdict.isAllowed, case .forwarded = answer.outcome {
            answer.outcome = .refused("\(name) does not let the client in, \(reason)")
        }
    }

    /// The backends of a rule.
    /// - Parameter traffic: the BackendTrafficPolicy of the rule.
    func reach(
        _ answer: inout Explanation, _ backends: [WeightedBackend],
        by traffic: PolicyIndex.Effective?
    ) {
        let sum = backends.reduce(0) { $0 + UInt64($1.weight) }
        for backend in backends {
            let reached = destination(backend, sum, by: traffic, &answer)
            answer.destinations.append(reached)
        }
        guard case .forwarded = answer.outcome else { return }
        let isReachable = answer.destinations.contains { destination in
            destination.weight > 0 && destination.name != nil
                && destination.tiers.contains { !$0.isEmpty }
        }
        let isDynamic = backends.contains { backend in
            backend.cluster.map { plan.clusters[$0].isDynamic } ?? false
        }
        guard !isReachable, !isDynamic else { return }
        let isValid = backends.contains { $0.cluster != nil }
        answer.outcome = .refused(
            isValid ? "no endpoint is left" : "no reference to a backend is valid")
    }

    private func destination(
        _ backend: WeightedBackend, _ sum: UInt64, by traffic: PolicyIndex.Effective?,
        _ answer: inout Explanation
    ) -> Explanation.Destination {
        guard let number = backend.cluster else {
            return Explanation.Destination(
                name: nil, place: nil, weight: backend.weight, weightSum: sum, tiers: [],
                settings: [])
        }
        let cluster = plan.clusters[number]
        let tiers = cluster.tiers.map { $0.map(Explanation.Destination.Endpoint.init) }
        guard !isBrief else {
            return Explanation.Destination(
                name: cluster.name, place: nil, weight: backend.weight, weightSum: sum,
                tiers: tiers, settings: [])
        }
        let chain = chain(backend: cluster.name)
        let endpoints = note(&answer, .endpointPolicy, chain)
        _ = note(&answer, .backendTLSPolicy, chain)
        let isDatagram = answer.decision.listener.map { plan.listeners[$0].isDatagram } ?? false
        let table = isDatagram ? SettingSource.ofBalancing : SettingSource.ofCluster
        return Explanation.Destination(
            name: cluster.name, place: places[cluster.name], weight: backend.weight,
            weightSum: sum,
            tiers: tiers,
            settings: SettingList.settings(
                of: cluster, named: "", without: ["name", "route", "tiers"],
                silent: cluster.settingsUnused(isDatagram: isDatagram),
                from: [
                    source(backend: cluster.name),
                    source(SettingSource.ofEndpoints, [endpoints]),
                    source(table, [traffic]),
                ]))
    }
}

extension Explanation.Destination.Endpoint {
    init(_ plan: EndpointPlan) {
        switch plan.target {
        case .address(let address): target = "\(address)"
        case .name(let name, let port): target = "\(name):\(port)"
        case .service(let name): target = name
        }
        var remarks = plan.hostname.map { ["as \($0)"] } ?? []
        if let zone = plan.zone { remarks.append("zone \(zone)") }
        if let tls = plan.tls {
            let name = tls.serverName ?? plan.tlsName
            remarks.append("TLS" + (name.map { " for \($0)" } ?? ""))
        }
        remark = remarks.joined(separator: ", ")
    }
}

extension ListenerPlan {
    var addressText: String { addresses.map(\.description).joined(separator: ", ") }

    var isUnix: Bool {
        addresses.allSatisfy { if case .unix = $0 { true } else { false } }
    }

    var protocolName: String {
        if isDatagram { return "takes datagrams" }
        return switch routes {
        case .opaque: "relays TCP as it comes"
        case .tls: "speaks TLS"
        case .http: "speaks HTTP in the clear"
        }
    }

    /// Of all listeners that share the port.
    var names: [String] {
        switch routes {
        case .opaque: [name]
        case .tls(let servers): servers.map(\.name)
        case .http(let servers): servers.map(\.name)
        }
    }

    func has(port: UInt16) -> Bool {
        addresses.contains { address in
            if case .ip(_, port) = address { true } else { false }
        }
    }
}

extension ClusterPlan {
    /// Settings that change nothing of what this cluster does while they have their defaults.
    func settingsUnused(isDatagram: Bool) -> Set<String> {
        var unused: Set<String> = ["isDynamic", "sourceLimit"]
        if isDatagram {
            unused.formUnion([
                "framing", "connectTimeoutMilliseconds", "proxyHeader", "keepalive",
                "bufferBytesMax",
            ])
        } else {
            unused.insert("udp")
        }
        if framing == .opaque { unused.formUnion(["connectionIdleTimeout", "framing"]) }
        if framing != .http2 { unused.insert("http2") }
        if tiers.count < 2 { unused.insert("tierChange") }
        if healthCheck.active == nil, healthCheck.passive == nil { unused.insert("healthCheck") }
        if case .consistentHash = loadBalancer.kind {
        } else {
            unused.insert("loadBalancer.tableSize")
        }
        let isNamed = tiers.joined().contains { endpoint in
            if case .address = endpoint.target { false } else { true }
        }
        if !isNamed, !isDynamic { unused.insert("dns") }
        return unused
    }
}
