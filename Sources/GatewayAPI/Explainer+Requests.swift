import Primitives
import Routing

// Names and requests: which server has them, and which of its routes or rules.

extension Explainer {
    // MARK: - TLS

    /// - Parameter serverName: empty = the client names nobody.
    mutating func stream(
        _ number: Int, serverName: String, from client: IPAddress?
    ) -> Explanation {
        let listener = plan.listeners[number]
        var answer = begun(number, "it speaks TLS on \(listener.addressText)")
        answer.others = otherListeners(than: number) { other in
            if case .tls = other.routes { "is explained by itself" } else { other.protocolName }
        }
        let decision = table(number).decide(serverName)
        decided(&answer, decision, serverName, listener, from: client)
        if case .requests = decision {
            answer.outcome = .open("TLS ends here and the request decides; ask with --request")
        }
        return answer
    }

    private func decided(
        _ answer: inout Explanation, _ decision: ListenerTable.TLSDecision, _ name: String,
        _ listener: ListenerPlan, from client: IPAddress?
    ) {
        guard case .tls(let servers) = listener.routes else { return }
        answer.decision.tls = decision
        let shown = name.isEmpty ? "no name" : name
        switch decision {
        case .noServer:
            tell(&answer, servers.map { ($0.name, $0.host) }, shown, listener, chosen: nil)
            answer.outcome = .refused("no listener of the port has \(shown)")
        case .noRoute(let server):
            tell(&answer, servers.map { ($0.name, $0.host) }, shown, listener, chosen: server)
            tell(&answer, servers[server], name, chosen: nil)
            answer.outcome = .refused("no route of \(servers[server].name) has \(shown)")
        case .requests(let server):
            tell(&answer, servers.map { ($0.name, $0.host) }, shown, listener, chosen: server)
            terminate(&answer, servers[server])
        case .route(let server, let route):
            tell(&answer, servers.map { ($0.name, $0.host) }, shown, listener, chosen: server)
            tell(&answer, servers[server], name, chosen: route)
            terminate(&answer, servers[server])
            finish(
                &answer, servers[server].routes[route].route, of: servers[server].name,
                at: listener, from: client)
        }
    }

    /// How TLS ends here, if it does.
    private func terminate(_ answer: inout Explanation, _ server: TLSServerPlan) {
        guard !isBrief, let termination = server.termination else { return }
        let clients = note(&answer, .clientTrafficPolicy, chain(server.name))
        answer.settings += SettingList.settings(
            of: termination, named: "tls",
            from: [source(SettingSource.ofTLS, [clients]), source(gatewayOf: server.name)])
    }

    /// The servers of a listener, each asked alone.
    private func tell(
        _ answer: inout Explanation, _ servers: [(name: String, host: HostPattern)],
        _ name: String, _ listener: ListenerPlan, chosen: Int?
    ) {
        if isBrief { return }
        for (number, server) in servers.enumerated() {
            if number == chosen {
                answer.chosen.append(
                    candidate(
                        .server, server.name,
                        "its host \(server.host) stands for \(name) most closely"))
                continue
            }
            let alone = ListenerTable(
                ListenerPlan(
                    name: "", addresses: [], transport: listener.transport,
                    routes: .tls([
                        TLSServerPlan(
                            name: server.name, host: server.host, mode: .passthrough([]))
                    ])))
            let stands = alone.decide(name == "no name" ? "" : name) != .noServer
            answer.others.append(
                candidate(
                    .server, server.name,
                    stands
                        ? "its host \(server.host) stands for \(name) too, and less closely"
                        : "its host \(server.host) does not stand for \(name)"))
        }
    }

    /// The routes of a server that reads no requests, each asked alone.
    private func tell(
        _ answer: inout Explanation, _ server: TLSServerPlan, _ name: String, chosen: Int?
    ) {
        if isBrief { return }
        for (number, route) in server.routes.enumerated() {
            let hosts = route.hosts.map(\.description).joined(separator: ", ")
            if number == chosen {
                answer.chosen.append(candidate(.route, route.route.name, "it has \(hosts)"))
                continue
            }
            let alone = ListenerTable(
                ListenerPlan(
                    name: "", addresses: [], transport: .tcp(TCPListenerPlan()),
                    routes: .tls([
                        TLSServerPlan(name: "", host: .any, mode: .passthrough([route]))
                    ])))
            let stands = alone.decide(name) != .noRoute(server: 0)
            answer.others.append(
                candidate(
                    .route, route.route.name,
                    stands ? "has \(hosts), which is less close" : "has only \(hosts)"))
        }
    }

    // MARK: - Requests

    mutating func request(
        _ request: Explanation.Request, serverName: String?, from client: IPAddress?
    ) -> [Explanation] {
        guard let parts = URLParts(request.url) else { preconditionFailure("no URL was let in") }
        var numbers = plan.listeners.indices.filter { number in
            !plan.listeners[number].isDatagram && plan.listeners[number].has(port: parts.port)
        }
        if let address = parts.address {
            let destination = SocketAddress.ip(address, port: parts.port)
            numbers = plan.listener(at: destination).map { [$0] } ?? []
        }
        guard !numbers.isEmpty else {
            return [
                nobody("nobody listens for TCP on port \(parts.port)") { other in
                    other.isDatagram ? "takes datagrams" : "listens on \(other.addressText)"
                }
            ]
        }
        return numbers.map { number in
            var answer = begun(number, "it listens on \(plan.listeners[number].addressText)")
            answer.others = otherListeners(than: number) { other in
                numbers.contains { plan.listeners[$0] == other }
                    ? "is explained by itself" : "listens on \(other.addressText)"
            }
            answerRequest(&answer, number, request, parts, serverName, from: client)
            return answer
        }
    }

    private mutating func answerRequest(
        _ answer: inout Explanation, _ number: Int, _ request: Explanation.Request,
        _ parts: URLParts, _ serverName: String?, from client: IPAddress?
    ) {
        let listener = plan.listeners[number]
        switch listener.routes {
        case .opaque:
            // Nothing of the request is looked at.
            finishOpaque(&answer, listener, from: client)
        case .http(let servers):
            guard parts.scheme == "http" else {
                answer.outcome = .refused("\(listener.name) speaks HTTP in the clear, not TLS")
                return
            }
            decideRequest(&answer, number, servers, nil, request, parts, from: client)
        case .tls(let servers):
            guard parts.scheme == "https" else {
                answer.outcome = .refused("\(listener.name) speaks TLS, and the URL says http")
                return
            }
            // Addresses are no server names (RFC 6066 section 3).
            let name = serverName ?? (parts.address == nil ? parts.host : "")
            let decision = table(number).decide(name)
            decided(&answer, decision, name, listener, from: client)
            guard case .requests(let server) = decision else { return }
            let plans = servers.map { server in
                if case .http(_, let plan) = server.mode { return plan }
                return HTTPServerPlan(name: server.name, host: server.host)
            }
            decideRequest(&answer, number, plans, server, request, parts, from: client)
        }
    }

    private mutating func decideRequest(
        _ answer: inout Explanation, _ number: Int, _ servers: [HTTPServerPlan],
        _ accepting: Int?, _ request: Explanation.Request, _ parts: URLParts,
        from client: IPAddress?
    ) {
        guard let head = request.head else { preconditionFailure("no URL was let in") }
        let table = table(number)
        let listener = plan.listeners[number]
        let decision = table.decide(head, server: accepting)
        answer.decision.http = decision
        func tellServers(_ chosen: Int?) {
            guard accepting == nil else { return }
            tell(
                &answer, servers.map { ($0.name, $0.host) }, parts.host, listener, chosen: chosen)
        }
        switch decision {
        case .noServer:
            tellServers(nil)
            answer.outcome = .refused("404: no listener of the port has host \(parts.host)")
        case .misdirected(let server):
            answer.outcome = .refused(
                "421: the connection is \(servers[accepting ?? server].name)'s, and the host "
                    + "\(servers[server].name)'s")
        case .noRoute(let server):
            tellServers(server)
            tellRules(&answer, servers[server], table.requests(of: server), head, chosen: nil)
            answer.outcome = .refused("404: no rule of \(servers[server].name) matches")
        case .candidate(let server, let chosen):
            tellServers(server)
            tellRules(&answer, servers[server], table.requests(of: server), head, chosen: chosen)
            let plan = servers[server]
            let rule = plan.rules[plan.candidates[chosen].rule]
            let traffic = tellSettings(&answer, plan, rule)
            let security = note(&answer, .securityPolicy, chain(rule.name, at: plan.name))
            admit(
                &answer, listener.authorization, listener.name,
                listener.authorization?.decide(client: client, head: head), client,
                by: clients(of: listener.name))
            admit(
                &answer, rule.authorization, rule.name,
                rule.authorization?.decide(client: client, head: head), client, by: security)
            answerHere(&answer, rule, plan.candidates[chosen].match, head, parts)
            reach(&answer, rule.backends, by: traffic)
        }
    }

    /// - Returns: the BackendTrafficPolicy of the rule.
    private func tellSettings(
        _ answer: inout Explanation, _ server: HTTPServerPlan, _ rule: HTTPRulePlan
    ) -> PolicyIndex.Effective? {
        if isBrief { return nil }
        let clients = note(&answer, .clientTrafficPolicy, chain(server.name))
        answer.settings += SettingList.settings(
            of: server.settings, named: "http", from: [source(SettingSource.ofHTTP, [clients])])
        let traffic = note(&answer, .backendTrafficPolicy, chain(rule.name, at: server.name))
        var sources = [source(rule: rule.name), source(SettingSource.ofTimeouts, [traffic])]
        // The retries of a route stand in the place of the policy's, all of them.
        if rules[rule.name]?.rule?.retry == nil {
            sources.append(source(SettingSource.ofRetry, [traffic]))
        }
        answer.settings += SettingList.settings(
            of: rule, named: "rule",
            without: ["name", "backends", "backendFilters", "authorization", "isGRPC"],
            from: sources)
        return traffic
    }

    /// Redirects and responses of the listener's own.
    private func answerHere(
        _ answer: inout Explanation, _ rule: HTTPRulePlan, _ match: HTTPMatch,
        _ head: borrowing HTTPRequest, _ parts: URLParts
    ) {
        guard case .forwarded = answer.outcome else { return }
        for filter in rule.filters {
            switch filter {
            case .redirect(let redirect):
                let location = redirect.location(
                    for: head, scheme: parts.scheme, port: parts.port, matched: match.path)
                answer.outcome = .answered(
                    "\(redirect.status), Location: \(String(decoding: location, as: UTF8.self))")
                return
            case .respond(let status, _):
                answer.outcome = .answered("\(status), with a body of its own")
                return
            default: continue
            }
        }
    }

    /// All candidates of a server, each asked alone.
    private func tellRules(
        _ answer: inout Explanation, _ server: HTTPServerPlan, _ table: HTTPTable?,
        _ head: borrowing HTTPRequest, chosen: Int?
    ) {
        guard let table, !isBrief else { return }
        for (number, other) in server.candidates.enumerated() {
            let rule = server.rules[other.rule].name
            if number == chosen {
                answer.chosen.append(
                    candidate(.rule, rule, "\(other) is the first that matches"))
                continue
            }
            let reason: String
            switch table.mismatch(of: number, with: head) {
            case nil: reason = "matches too, and comes later"
            case .host: reason = "another host"
            case .path: reason = "another path"
            case .method: reason = "another method"
            case .header(let place): reason = "not its header \(other.match.headers[place].name)"
            case .query(let place): reason = "not its parameter \(other.match.query[place].name)"
            }
            answer.others.append(candidate(.rule, rule, "\(other): \(reason)"))
        }
    }
}

extension Explanation.Request {
    /// Nil = the URL is none; `init` let no such in.
    var head: HTTPRequest? {
        HTTPRequest(
            method: method, url: url,
            headers: headers.map { (name: $0.name, value: $0.value) })
    }
}

extension ListenerTable {
    /// - Parameter serverName: empty = there is none.
    func decide(_ serverName: String) -> TLSDecision {
        guard !serverName.isEmpty else { return decide(serverName: nil) }
        return Array(serverName.utf8).withUnsafeBytes { decide(serverName: $0) }
    }
}

extension TLSServerPlan {
    /// Of a server that reads no requests.
    var routes: [TLSRoutePlan] {
        switch mode {
        case .passthrough(let routes), .terminate(_, let routes): routes
        case .http: []
        }
    }
}

extension HTTPCandidate: CustomStringConvertible {
    /// As in `GET www.example.com/a* with header x`.
    public var description: String {
        if host == .any, match == HTTPMatch() { return "every request" }
        var text = match.method.map { "\($0) " } ?? ""
        text += "\(host)"
        switch match.path {
        case .exact(let path): text += path
        case .prefix(let path): text += path + "/…"
        case .expression(let expression): text += " ~ \(expression)"
        }
        if !match.headers.isEmpty {
            text += " with header " + match.headers.map(\.name).joined(separator: ", ")
        }
        if !match.query.isEmpty {
            text += " with parameter " + match.query.map(\.name).joined(separator: ", ")
        }
        return text
    }
}
