import Primitives
import Routing

/// A plan in lines, for golden files: everything that differs from the default is shown.
enum PlanText {
    static func text(_ plan: Plan) -> String {
        var lines: [String] = []
        for listener in plan.listeners {
            let addresses = listener.addresses.map(\.description).joined(separator: ", ")
            lines.append("listener \(listener.name) on \(addresses): \(transport(listener))")
            guard let route = listener.route else {
                lines.append("  no route")
                continue
            }
            lines.append("  route \(route.name)")
            for backend in route.backends {
                let cluster = backend.cluster.map { "cluster \($0)" } ?? "refused"
                lines.append("    weight \(backend.weight): \(cluster)")
            }
        }
        for (index, cluster) in plan.clusters.enumerated() {
            lines.append("cluster \(index) \(cluster.name) of \(cluster.route)\(settings(cluster))")
            lines += cluster.endpoints.map { "  \($0)" }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func transport(_ listener: ListenerPlan) -> String {
        switch listener.transport {
        case .tcp(let plan):
            var text = "tcp"
            let usual = TCPListenerPlan()
            if plan.proxyHeader != .none { text += " proxyHeader=\(plan.proxyHeader)" }
            if plan.inspectionTimeoutMilliseconds != usual.inspectionTimeoutMilliseconds {
                text += " inspection=\(plan.inspectionTimeoutMilliseconds)ms"
            }
            if plan.idleTimeoutMilliseconds != usual.idleTimeoutMilliseconds {
                text += " idle=\(plan.idleTimeoutMilliseconds)ms"
            }
            if let limit = plan.connectionsMax { text += " connectionsMax=\(limit)" }
            return text + keepalive(plan.keepalive)
        case .udp(let plan):
            return "udp flowsMax=\(plan.flowsMax) perSource=\(plan.flowsPerSourceMax)"
        }
    }

    private static func settings(_ cluster: ClusterPlan) -> String {
        var text = ""
        if cluster.proxyHeader != .none { text += " proxyHeader=\(cluster.proxyHeader)" }
        if cluster.connectTimeoutMilliseconds != ClusterPlan.connectTimeoutMillisecondsDefault {
            text += " connect=\(cluster.connectTimeoutMilliseconds)ms"
        }
        if cluster.udp != UDPFlowPlan() {
            let answers = cluster.udp.expectedResponses.map(String.init) ?? "any"
            text += " flowIdle=\(cluster.udp.idleTimeoutMilliseconds)ms answers=\(answers)"
        }
        return text + keepalive(cluster.keepalive)
    }

    private static func keepalive(_ keepalive: TCPKeepalive?) -> String {
        guard let keepalive else { return "" }
        let values = [keepalive.probes, keepalive.idleSeconds, keepalive.intervalSeconds]
        return " keepalive=" + values.map { $0.map(String.init) ?? "-" }.joined(separator: "/")
    }
}
