import Primitives
import Testing

@testable import GatewayAPI
@testable import Routing

/// Explanations, the data path, and the Gateway API's own words decide alike about a hundred
/// thousand things drawn at random.
@Suite("Explained decisions")
struct ExplainerDecisionTests {
    private static let plans = 400
    private static let questions = 250

    private static func result(_ plan: Plan) -> Configuration.Result {
        Configuration.Result(
            plan: plan, conditions: [], listeners: [], process: nil, findings: [], dialects: [],
            objects: Objects(), policies: PolicyIndex(), policyChains: [:])
    }

    /// - Parameter part: one of four, so that they may run beside each other.
    @Test("an explanation decides as the data path does", arguments: 0..<4 as Range<UInt64>)
    func agreement(part: UInt64) {
        var seen: Set<String> = []
        for seed in stride(from: part, to: UInt64(Self.plans), by: 4) {
            var random = RandomPlan(seed: seed)
            let plan = random.plan
            let linear = LinearDecision(plan: plan)
            let tables = plan.listeners.map { ListenerTable($0) }
            var brief = Explainer(Self.result(plan))
            brief.isBrief = true
            var whole = Explainer(Self.result(plan))
            for number in 0..<Self.questions {
                let asked = Asked(&random)
                let explained = brief.explain(asked.question).map(\.decision)
                let wanted = asked.decisions(by: linear)
                let taken = asked.decisions(by: tables, of: plan)
                seen.formUnion(wanted.map(Self.kind))
                guard explained == wanted, taken == wanted else {
                    Issue.record(
                        """
                        RandomPlan(seed: \(seed)), question \(number): \(asked.question)
                        explained \(explained)
                        data path \(taken)
                        by words  \(wanted)
                        """)
                    return
                }
                // To say why as well must change nothing.
                guard number % 50 == 0 else { continue }
                #expect(whole.explain(asked.question).map(\.decision) == wanted)
            }
        }
        // That they agree says something only where all of it comes up.
        #expect(seen.isSuperset(of: Self.kinds), "\(seen)")
    }

    private static let kinds: Set<String> = [
        "nobody", "stream", "tls noServer", "tls noRoute", "tls route", "tls requests",
        "http noServer", "http noRoute", "http candidate", "allowed", "denied",
    ]

    private static func kind(_ decision: Explanation.Decision) -> String {
        if let verdict = decision.authorization { return verdict.isAllowed ? "allowed" : "denied" }
        switch decision.http {
        case .candidate: return "http candidate"
        case .noServer: return "http noServer"
        case .noRoute: return "http noRoute"
        case .misdirected: return "http misdirected"
        case nil: break
        }
        switch decision.tls {
        case .noServer: return "tls noServer"
        case .noRoute: return "tls noRoute"
        case .route: return "tls route"
        case .requests: return "tls requests"
        case nil: return decision.listener == nil ? "nobody" : "stream"
        }
    }
}

/// Something to ask, and how it is decided without an explanation.
private struct Asked {
    enum Kind {
        case arrival(SocketAddress, isDatagram: Bool)
        case name(String, port: UInt16)
        case request(LinearDecision.Request, port: UInt16, isTLS: Bool)
    }

    let kind: Kind
    let client: IPAddress?

    init(_ random: inout RandomPlan) {
        client = random.client()
        let port = random.element(RandomPlan.ports)
        switch random.element([0, 1, 2, 2]) {
        case 0:
            let address = random.element(RandomPlan.addresses.filter { !$0.isAny })
            kind = .arrival(.ip(address, port: port), isDatagram: random.isTrue(oneIn: 3))
        case 1:
            let name = random.host()
            kind = .name(random.isTrue(oneIn: 8) ? "" : name, port: port)
        default: kind = .request(random.request(), port: port, isTLS: random.isTrue(oneIn: 2))
        }
    }

    var question: Explanation.Question {
        switch kind {
        case .arrival(let destination, let isDatagram):
            return .arrival(
                from: client.map { .ip($0, port: 4_000) }, to: destination, isDatagram: isDatagram)
        case .name(let name, let port): return .serverName(name, port: port, from: client)
        case .request(let request, let port, let isTLS):
            let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
            let url =
                "\(isTLS ? "https" : "http")://\(request.host):\(port)\(request.path)"
                + (query.isEmpty ? "" : "?\(query)")
            guard
                let asked = Explanation.Request(
                    method: request.method, url: url,
                    headers: request.headers.map { .init(name: $0.name, value: $0.value) })
            else { preconditionFailure("\(url) is no URL") }
            return .request(asked, from: client)
        }
    }

    // MARK: - By the Gateway API's words

    func decisions(by linear: LinearDecision) -> [Explanation.Decision] {
        let arrived: (SocketAddress, Bool) -> Int? = {
            linear.listener(at: $0, isDatagram: $1)
        }
        return decisions(of: linear.plan, arrived) { _, servers, name in
            linear.tls(servers, name)
        } http: { listener, request, accepting in
            switch listener.plan.routes {
            case .http(let servers):
                linear.http(servers, servers.map(\.host), request, accepting: accepting)
            case .tls(let servers):
                linear.http(
                    servers.map { if case .http(_, let plan) = $0.mode { plan } else { nil } },
                    servers.map(\.host), request, accepting: accepting)
            case .opaque: preconditionFailure("no requests are read")
            }
        } authorization: { plans, request in
            linear.authorization(plans, client: client, request)
        }
    }

    // MARK: - By the tables of the data path

    func decisions(by tables: [ListenerTable], of plan: Plan) -> [Explanation.Decision] {
        decisions(of: plan) {
            plan.listener(at: $0, isDatagram: $1)
        } tls: { listener, _, name in
            guard !name.isEmpty else { return tables[listener].decide(serverName: nil) }
            return Array(name.utf8).withUnsafeBytes { tables[listener].decide(serverName: $0) }
        } http: { listener, request, accepting in
            tables[listener.number].decide(Self.head(request), server: accepting)
        } authorization: { plans, request in
            var last: AuthorizationPlan.Verdict?
            for case let plan? in plans {
                if client == nil, plan.rules.contains(where: { !$0.clients.isEmpty }) { continue }
                let verdict =
                    request.map { plan.decide(client: client, head: Self.head($0)) }
                    ?? plan.decide(client: client)
                last = verdict
                if !verdict.isAllowed { break }
            }
            return last
        }
    }

    private static func head(_ request: LinearDecision.Request) -> HTTPRequest {
        let query = request.query.map { "?\($0.name)=\($0.value)" }.joined()
        return HTTPRequest(
            method: request.method, authority: request.host, target: request.path + query,
            headers: request.headers)
    }

    // MARK: - Both

    private typealias Place = (number: Int, plan: ListenerPlan)

    /// The order in which things are decided; who decides each is given.
    private func decisions(
        of plan: Plan, _ arrived: (SocketAddress, Bool) -> Int?,
        tls: (Int, [TLSServerPlan], String) -> ListenerTable.TLSDecision,
        http: (Place, LinearDecision.Request, Int?) -> ListenerTable.HTTPDecision,
        authorization: ([AuthorizationPlan?], LinearDecision.Request?) -> AuthorizationPlan.Verdict?
    ) -> [Explanation.Decision] {
        let numbers: [Int]
        switch kind {
        case .arrival(let destination, let isDatagram):
            numbers = arrived(destination, isDatagram).map { [$0] } ?? []
        case .name(_, let port):
            numbers = plan.listeners.indices.filter {
                if case .tls = plan.listeners[$0].routes {
                    plan.listeners[$0].has(port: port)
                } else {
                    false
                }
            }
        case .request(_, let port, _):
            numbers = plan.listeners.indices.filter {
                !LinearDecision.isDatagram(plan.listeners[$0]) && plan.listeners[$0].has(port: port)
            }
        }
        guard !numbers.isEmpty else { return [Explanation.Decision()] }
        return numbers.map { number in
            let listener = plan.listeners[number]
            var decision = Explanation.Decision(listener: number)
            func stream(_ servers: [TLSServerPlan], _ name: String) {
                let chosen = tls(number, servers, name)
                decision.tls = chosen
                guard case .route(let server, let route) = chosen else { return }
                let plan = servers[server].routes[route].route
                decision.authorization = authorization(
                    [listener.authorization, plan.authorization], nil)
            }
            func request(
                _ request: LinearDecision.Request, _ servers: [HTTPServerPlan?], _ accepting: Int?
            ) {
                let chosen = http((number, listener), request, accepting)
                decision.http = chosen
                guard case .candidate(let server, let candidate) = chosen,
                    let plan = servers[server]
                else { return }
                let rule = plan.rules[plan.candidates[candidate].rule]
                decision.authorization = authorization(
                    [listener.authorization, rule.authorization], request)
            }
            switch (listener.routes, kind) {
            case (.opaque(let route?), _):
                decision.authorization = authorization(
                    [listener.authorization, route.authorization], nil)
            case (.tls(let servers), .name(let name, _)): stream(servers, name)
            case (.tls(let servers), .request(let asked, _, isTLS: true)):
                stream(servers, asked.host)
                guard case .requests(let server) = decision.tls else { break }
                request(
                    asked,
                    servers.map { if case .http(_, let plan) = $0.mode { plan } else { nil } },
                    server)
            case (.http(let servers), .request(let asked, _, isTLS: false)):
                request(asked, servers, nil)
            default: break
            }
            return decision
        }
    }
}
