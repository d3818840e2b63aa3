import Primitives
import Routing

/// A plan in lines, for golden files: everything that differs from a value made without arguments
/// is shown, whatever its type, so that a new field shows up by itself.
enum PlanText {
    static func text(_ plan: Plan) -> String {
        var lines: [String] = []
        for listener in plan.listeners {
            let addresses = listener.addresses.map(\.description).joined(separator: ", ")
            lines.append("listener \(listener.name) on \(addresses): \(transport(listener))")
            lines += routes(listener).map { "  " + $0 }
        }
        for (index, cluster) in plan.clusters.enumerated() {
            lines.append("cluster \(index) \(cluster.name) of \(cluster.route)\(settings(cluster))")
            for (number, tier) in cluster.tiers.enumerated() {
                let mark = cluster.tiers.count > 1 ? "tier \(number): " : ""
                lines += tier.map { "  \(mark)\(endpoint($0))" }
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func transport(_ listener: ListenerPlan) -> String {
        let rules = listener.authorization.map { " authorization: \(authorization($0))" } ?? ""
        return switch listener.transport {
        case .tcp(let plan): "tcp" + differences(plan, TCPListenerPlan()) + rules
        case .udp(let plan): "udp" + differences(plan, UDPListenerPlan()) + rules
        }
    }

    private static func routes(_ listener: ListenerPlan) -> [String] {
        switch listener.routes {
        case .opaque(let route): route.map(lines) ?? ["no route"]
        case .http(let servers): servers.flatMap(lines)
        case .tls(let servers): servers.flatMap(lines)
        }
    }

    private static func lines(_ route: RoutePlan) -> [String] {
        let rules = route.authorization.map { " authorization: \(authorization($0))" } ?? ""
        return ["route \(route.name)\(rules)"] + route.backends.map { "  " + text($0) }
    }

    private static func text(_ backend: WeightedBackend) -> String {
        "weight \(backend.weight): " + (backend.cluster.map { "cluster \($0)" } ?? "refused")
    }

    private static func lines(_ server: TLSServerPlan) -> [String] {
        let head = "server \(server.host) of \(server.name)"
        switch server.mode {
        case .passthrough(let routes):
            return ["\(head): passthrough"] + routes.flatMap(lines)
        case .terminate(let plan, let routes):
            return ["\(head): terminate\(text(plan))"] + routes.flatMap(lines)
        case .http(let plan, let http):
            return ["\(head): terminate\(text(plan))"] + lines(http)
        }
    }

    private static func text(_ plan: TLSTerminationPlan) -> String {
        var shown = plan
        shown.certificates = []
        let names = plan.certificates.map { $0.name + ($0.ocspStaple == nil ? "" : " (stapled)") }
            .joined(separator: ", ")
        return " with \(names)" + differences(shown, TLSTerminationPlan())
    }

    private static func lines(_ route: TLSRoutePlan) -> [String] {
        let hosts = route.hosts.map(\.description).joined(separator: ", ")
        return ["  for \(hosts)"] + lines(route.route).map { "    " + $0 }
    }

    private static func lines(_ server: HTTPServerPlan) -> [String] {
        var lines = ["host \(server.host)" + differences(server.settings, HTTPListenerPlan())]
        for candidate in server.candidates {
            lines.append("  \(candidate.host) \(match(candidate.match)): rule \(candidate.rule)")
        }
        for (number, rule) in server.rules.enumerated() {
            var shown = rule
            shown.backends = []
            shown.authorization = nil
            let usual = HTTPRulePlan(name: rule.name)
            let rules = rule.authorization.map { " authorization: \(authorization($0))" } ?? ""
            lines.append("  rule \(number) \(rule.name)\(differences(shown, usual))\(rules)")
            lines += rule.backends.map { "    " + text($0) }
        }
        return lines
    }

    private static func match(_ match: HTTPMatch) -> String {
        var text: String =
            switch match.path {
            case .exact(let path): "= \(path)"
            case .prefix(let path): "\(path)/..."
            case .expression(let path): "~ \(path)"
            }
        if let method = match.method { text = "\(method) \(text)" }
        for field in match.headers { text += " \(field.name)[\(value(field.value))]" }
        for field in match.query { text += " ?\(field.name)[\(value(field.value))]" }
        return text
    }

    private static func value(_ value: HTTPMatch.Field.Value) -> String {
        switch value {
        case .exact(let text): "= \(text)"
        case .expression(let text): "~ \(text)"
        }
    }

    private static func authorization(_ plan: AuthorizationPlan) -> String {
        let rules = plan.rules.map { rule in
            let clients = rule.clients.map { "\($0.address)/\($0.prefixBits)" }
            let headers = rule.headers.map { "\($0.name)=\($0.values.joined(separator: "|"))" }
            let what = (clients + headers + rule.methods).joined(separator: " ")
            return "\(rule.allows ? "allow" : "deny") \(what) (\(rule.name))"
        }
        return (rules + [plan.allowsByDefault ? "else allow" : "else deny"]).joined(separator: ", ")
    }

    private static func endpoint(_ endpoint: EndpointPlan) -> String {
        let target: String =
            switch endpoint.target {
            case .address(let address): "\(address)"
            case .name(let name, let port): "\(name):\(port)"
            case .service(let name): "SRV \(name)"
            }
        return target + differences(endpoint, EndpointPlan(endpoint.target))
    }

    private static func settings(_ cluster: ClusterPlan) -> String {
        differences(
            cluster, ClusterPlan(name: cluster.name, route: cluster.route, tiers: cluster.tiers))
    }

    /// ` field=value` for every field that differs, structures field by field.
    private static func differences(_ value: Any, _ usual: Any) -> String {
        var text = ""
        for (field, other) in zip(
            Mirror(reflecting: value).children, Mirror(reflecting: usual).children)
        where "\(field.value)" != "\(other.value)" {
            let mirror = Mirror(reflecting: field.value)
            let name = field.label ?? ""
            if mirror.displayStyle == .struct, !mirror.children.isEmpty {
                text += " \(name){\(differences(field.value, other.value).dropFirst())}"
            } else {
                text += " \(name)=\(shown(field.value))"
            }
        }
        return text
    }

    private static func shown(_ value: Any) -> String {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional {
            return mirror.children.first.map { shown($0.value) } ?? "nil"
        }
        return "\(value)".replacing("Routing.", with: "")
    }
}
