import Routing

/// A plan in lines with every endpoint's exact share of every rule, whatever the clusters are
/// called and however many there are: two plans with the same lines serve alike.
enum SharesText {
    /// Reduced, not negative.
    private struct Fraction: CustomStringConvertible {
        private var numerator: Int
        private var denominator: Int

        init(_ numerator: Int, _ denominator: Int) {
            var (left, right) = (numerator, denominator)
            while right != 0 { (left, right) = (right, left % right) }
            self.numerator = numerator / max(left, 1)
            self.denominator = denominator / max(left, 1)
        }

        static func + (left: Fraction, right: Fraction) -> Fraction {
            Fraction(
                left.numerator * right.denominator + right.numerator * left.denominator,
                left.denominator * right.denominator)
        }

        var description: String { "\(numerator)/\(denominator)" }
    }

    static func lines(_ plan: Plan) -> [String] {
        plan.listeners.flatMap { listener -> [String] in
            var shown = listener
            shown.routes = .opaque(nil)
            return ["\(shown)"] + routes(listener.routes, plan).map { "  " + $0 }
        }
    }

    private static func routes(_ routes: ListenerPlan.Routes, _ plan: Plan) -> [String] {
        switch routes {
        case .opaque(let route): route.map { lines($0, plan) } ?? ["none"]
        case .http(let servers): servers.flatMap { lines($0, plan) }
        case .tls(let servers):
            servers.flatMap { server -> [String] in
                switch server.mode {
                case .passthrough(let routes), .terminate(_, let routes):
                    ["\(server.host)"]
                        + routes.flatMap { ["\($0.hosts)"] + lines($0.route, plan) }
                case .http(_, let http): lines(http, plan)
                }
            }
        }
    }

    private static func lines(_ route: RoutePlan, _ plan: Plan) -> [String] {
        ["\(route.name) \(String(describing: route.authorization))"]
            + shares(route.backends, [], plan)
    }

    private static func lines(_ server: HTTPServerPlan, _ plan: Plan) -> [String] {
        ["\(server.host) \(server.settings) \(server.candidates)"]
            + server.rules.flatMap { rule -> [String] in
                var shown = rule
                shown.backends = []
                shown.backendFilters = []
                shown.filters = []
                return ["\(shown)", filters(rule.filters, plan)]
                    + shares(rule.backends, rule.backendFilters, plan)
            }
    }

    /// One line an endpoint (with all that stands by for it and all its settings).
    private static func shares(
        _ backends: [WeightedBackend], _ filters: [[HTTPFilter]], _ plan: Plan
    ) -> [String] {
        let whole = backends.reduce(0) { $0 + Int($1.weight) }
        var shares: [String: Fraction] = [:]
        for (number, backend) in backends.enumerated() where backend.weight > 0 {
            let filter = filters.isEmpty ? "" : self.filters(filters[number], plan)
            for (endpoint, share) in endpoints(backend.cluster, plan) {
                let part = Fraction(Int(backend.weight), whole * share)
                shares["\(endpoint) \(filter)", default: Fraction(0, 1)] =
                    shares["\(endpoint) \(filter)", default: Fraction(0, 1)] + part
            }
        }
        return shares.map { "  \($0.value) \($0.key)" }.sorted()
    }

    /// Each endpoint of the first tier, and among how many it is.
    private static func endpoints(_ cluster: Int?, _ plan: Plan) -> [(String, Int)] {
        guard let cluster else { return [("refused", 1)] }
        var shown = plan.clusters[cluster]
        let tiers = shown.tiers
        shown.name = ""
        shown.tiers = []
        // A tier of nobody is passed over.
        let rest = tiers.dropFirst().filter { !$0.isEmpty }.map { tier in
            tier.map { "\($0)" }.sorted()
        }
        let first = tiers.first ?? []
        guard !first.isEmpty else { return [("nobody, then \(rest) \(shown)", 1)] }
        return first.map { ("\($0), then \(rest) \(shown)", first.count) }
    }

    private static func filters(_ filters: [HTTPFilter], _ plan: Plan) -> String {
        var mirrored: [String: Fraction] = [:]
        var others: [String] = []
        for filter in filters {
            guard case .mirror(let mirror) = filter else {
                others.append("\(filter)")
                continue
            }
            for (endpoint, share) in endpoints(mirror.cluster, plan) {
                let part = Fraction(Int(mirror.numerator), Int(mirror.denominator) * share)
                mirrored[endpoint, default: Fraction(0, 1)] =
                    mirrored[endpoint, default: Fraction(0, 1)] + part
            }
        }
        return "filters \(others) mirrors \(mirrored.map { "\($0.value) \($0.key)" }.sorted())"
    }
}
