import Primitives

@testable import Routing

/// Plans, and what is asked of them, drawn from so few names, ports and addresses that they meet
/// often. The same for the same seed.
struct RandomPlan {
    private var random: SeededRandom
    let plan: Plan

    static let addresses = ["10.0.0.1", "10.0.0.2", "0.0.0.0", "::", "2001:db8::1"]
        .compactMap { IPAddress($0) }
    static let ports: [UInt16] = [80, 443, 8080]
    private static let labels = ["a", "b", "c"]
    private static let segments = ["a", "b", "ab"]

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var listeners: [ListenerPlan] = []
        for number in 0..<Int.random(in: 1...6, using: &random) {
            listeners.append(Self.listener(number, &random))
        }
        let address = SocketAddress.ip(IPAddress(v4: 0x0a00_0101), port: 9)
        let clusters = (0..<3).map {
            ClusterPlan(name: "default/b\($0)", route: "", endpoints: $0 == 2 ? [] : [address])
        }
        plan = Plan(listeners: listeners, clusters: clusters)
        self.random = random
    }

    // MARK: - What is asked

    mutating func isTrue(oneIn count: Int) -> Bool { .random(in: 0..<count, using: &random) == 0 }
    mutating func element<Element>(_ list: [Element]) -> Element {
        list[.random(in: list.indices, using: &random)]
    }
    mutating func host() -> String { Self.host(&random) }

    mutating func client() -> IPAddress? {
        isTrue(oneIn: 4) ? nil : IPAddress(v4: 0x0a01_0000 + .random(in: 0..<1_024, using: &random))
    }

    mutating func request() -> LinearDecision.Request {
        let segments = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            element(Self.segments)
        }
        return LinearDecision.Request(
            method: element(["GET", "POST"]), host: host(),
            path: "/" + segments.joined(separator: "/"),
            query: isTrue(oneIn: 2) ? [("q", element(["1", "2"]))] : [],
            headers: ["x-a", "x-b"].filter { _ in isTrue(oneIn: 2) }.map {
                ($0, element(["1", "2"]))
            })
    }

    // MARK: - Parts of a plan

    private static func host(_ random: inout SeededRandom) -> String {
        (0..<Int.random(in: 1...3, using: &random)).map { _ in labels.draw(&random) }
            .joined(separator: ".")
    }

    private static func pattern(_ random: inout SeededRandom) -> HostPattern {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: .any
        case 1, 2: .suffix("." + host(&random))
        default: .exact(host(&random))
        }
    }

    private static func patterns(_ random: inout SeededRandom) -> [HostPattern] {
        var patterns: [HostPattern] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let pattern = pattern(&random)
            if !patterns.contains(pattern) { patterns.append(pattern) }
        }
        return patterns
    }

    private static func listener(_ number: Int, _ random: inout SeededRandom) -> ListenerPlan {
        let port = ports.draw(&random)
        let isDatagram = Int.random(in: 0..<5, using: &random) == 0
        let addresses = (0..<Int.random(in: 1...2, using: &random)).map { _ in
            SocketAddress.ip(Self.addresses.draw(&random), port: port)
        }
        let routes: ListenerPlan.Routes
        switch isDatagram ? 0 : Int.random(in: 0..<4, using: &random) {
        case 0: routes = .opaque(Bool.random(using: &random) ? route(&random) : nil)
        case 1:
            routes = .http(patterns(&random).map { server("s", $0, &random) })
        default: routes = .tls(patterns(&random).map { tlsServer($0, &random) })
        }
        return ListenerPlan(
            name: "default/gw/l\(number)", addresses: addresses,
            transport: isDatagram ? .udp(UDPListenerPlan()) : .tcp(TCPListenerPlan()),
            routes: routes,
            authorization: Int.random(in: 0..<6, using: &random) == 0
                ? authorization(&random, isHTTP: false) : nil)
    }

    private static func tlsServer(
        _ host: HostPattern, _ random: inout SeededRandom
    ) -> TLSServerPlan {
        let mode: TLSServerPlan.Mode
        if Bool.random(using: &random) {
            mode = .http(TLSTerminationPlan(), server("s", host, &random))
        } else {
            var taken: Set<HostPattern> = []
            var routes: [TLSRoutePlan] = []
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let hosts = patterns(&random).filter { taken.insert($0).inserted }
                if !hosts.isEmpty {
                    routes.append(TLSRoutePlan(hosts: hosts, route: route(&random)))
                }
            }
            mode =
                Bool.random(using: &random)
                ? .passthrough(routes) : .terminate(TLSTerminationPlan(), routes)
        }
        return TLSServerPlan(name: "s", host: host, mode: mode)
    }

    private static func server(
        _ name: String, _ host: HostPattern, _ random: inout SeededRandom
    ) -> HTTPServerPlan {
        var server = HTTPServerPlan(name: name, host: host)
        for rule in 0..<Int.random(in: 0...6, using: &random) {
            server.rules.append(
                HTTPRulePlan(
                    name: "HTTPRoute/default/r/rule/\(rule)", backends: backends(&random),
                    authorization: Int.random(in: 0..<3, using: &random) == 0
                        ? authorization(&random, isHTTP: true) : nil))
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                server.candidates.append(
                    HTTPCandidate(host: pattern(&random), match: match(&random), rule: rule))
            }
        }
        server.candidates = server.candidates.sortedByPrecedence
        return server
    }

    private static func match(_ random: inout SeededRandom) -> HTTPMatch {
        let parts = (0..<Int.random(in: 0...2, using: &random)).map { _ in segments.draw(&random) }
        let path = parts.map { "/" + $0 }.joined()
        func fields(_ names: [String]) -> [HTTPMatch.Field] {
            names.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }.map {
                .init(name: $0, value: .exact(["1", "2"].draw(&random)))
            }
        }
        var match = HTTPMatch()
        switch Int.random(in: 0..<6, using: &random) {
        case 0: match.path = .expression("/[^/]*")
        case 1, 2: match.path = .exact(path.isEmpty ? "/" : path)
        default: match.path = .prefix(path)
        }
        match.method = [nil, nil, "GET", "POST"].draw(&random)
        match.headers = fields(["x-a", "x-b"])
        match.query = fields(["q"])
        return match
    }

    private static func route(_ random: inout SeededRandom) -> RoutePlan {
        RoutePlan(
            name: "TCPRoute/default/r", backends: backends(&random),
            authorization: Bool.random(using: &random)
                ? authorization(&random, isHTTP: false) : nil)
    }

    private static func backends(_ random: inout SeededRandom) -> [WeightedBackend] {
        (0..<Int.random(in: 1...2, using: &random)).map { _ in
            WeightedBackend(
                cluster: [nil, 0, 1, 2].draw(&random), weight: [0, 1, 9].draw(&random))
        }
    }

    private static func authorization(
        _ random: inout SeededRandom, isHTTP: Bool
    ) -> AuthorizationPlan {
        let rules = (0..<Int.random(in: 0...3, using: &random)).map { number in
            var rule = AuthorizationPlan.Rule(
                name: "\(number)", allows: .random(using: &random))
            if Bool.random(using: &random) {
                rule.clients = ["10.1.0.0/24", "10.1.1.0/24"].compactMap { AddressRange($0) }
                    .filter { _ in Bool.random(using: &random) }
            }
            if isHTTP, Bool.random(using: &random) { rule.methods = ["POST"] }
            if isHTTP, Bool.random(using: &random) {
                rule.headers = [.init(name: "x-a", values: ["1"])]
            }
            return rule
        }
        return AuthorizationPlan(rules: rules, allowsByDefault: .random(using: &random))
    }
}

extension Array {
    fileprivate func draw(_ random: inout SeededRandom) -> Element {
        self[.random(in: indices, using: &random)]
    }
}
