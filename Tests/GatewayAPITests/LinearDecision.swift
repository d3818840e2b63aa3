import Primitives

@testable import GatewayAPI
@testable import Routing

/// What becomes of a question by the words of the Gateway API, followed through every listener,
/// host and candidate one by one: what explanations and the tables of the data path are compared
/// with. It shares nothing with them but the plan; slow on purpose.
struct LinearDecision {
    let plan: Plan

    // MARK: - Listeners

    func listener(at destination: SocketAddress, isDatagram: Bool) -> Int? {
        guard case .ip(let wanted, let port) = destination else { return nil }
        func first(_ isBound: (IPAddress) -> Bool) -> Int? {
            plan.listeners.firstIndex { listener in
                Self.isDatagram(listener) == isDatagram
                    && listener.addresses.contains { address in
                        guard case .ip(let bound, port) = address else { return false }
                        return isBound(bound)
                    }
            }
        }
        return first { $0 == wanted } ?? first { $0 == (wanted.isIPv4 ? .anyIPv4 : .anyIPv6) }
            ?? first { $0 == .anyIPv6 }
    }

    static func isDatagram(_ listener: ListenerPlan) -> Bool {
        if case .udp = listener.transport { true } else { false }
    }

    // MARK: - Names

    /// The index of the most specific pattern that stands for a name; empty = there is none.
    private func closest(_ patterns: [HostPattern], _ name: String) -> Int? {
        var name = name.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        func length(_ pattern: HostPattern) -> Int? {
            switch pattern {
            case .any: return 0
            case .exact(let exact): return !name.isEmpty && exact == name ? 1_000 : nil
            case .suffix(let suffix):
                return name.hasSuffix(suffix) && name.count > suffix.count ? suffix.count : nil
            }
        }
        let ranked = patterns.indices.compactMap { index in
            length(patterns[index]).map { (index: index, length: $0) }
        }
        return ranked.max { ($0.length, -$0.index) < ($1.length, -$1.index) }?.index
    }

    func tls(_ servers: [TLSServerPlan], _ name: String) -> ListenerTable.TLSDecision {
        guard let server = closest(servers.map(\.host), name) else { return .noServer }
        switch servers[server].mode {
        case .http: return .requests(server: server)
        case .passthrough(let routes), .terminate(_, let routes):
            let all = routes.enumerated().flatMap { number, route in
                route.hosts.map { (host: $0, route: number) }
            }
            guard let found = closest(all.map(\.host), name) else {
                return .noRoute(server: server)
            }
            return .route(server: server, route: all[found].route)
        }
    }

    // MARK: - Requests

    struct Request {
        var method: String
        var host: String
        var path: String
        var query: [(name: String, value: String)]
        var headers: [(name: String, value: String)]
    }

    func http(
        _ servers: [HTTPServerPlan?], _ hosts: [HostPattern], _ request: Request, accepting: Int?
    ) -> ListenerTable.HTTPDecision {
        guard let server = closest(hosts, request.host) else { return .noServer }
        if let accepting, accepting != server { return .misdirected(server: server) }
        guard let candidates = servers[server]?.candidates else { return .noRoute(server: server) }
        var best: Int?
        for index in candidates.indices where matches(candidates[index], request) {
            guard let known = best else {
                best = index
                continue
            }
            if rank(candidates[known]).lexicographicallyPrecedes(rank(candidates[index])) {
                best = index
            }
        }
        return best.map { .candidate(server: server, candidate: $0) } ?? .noRoute(server: server)
    }

    private func matches(_ candidate: HTTPCandidate, _ request: Request) -> Bool {
        guard closest([candidate.host], request.host) != nil else { return false }
        let match = candidate.match
        switch match.path {
        case .exact(let path): guard request.path == path else { return false }
        case .prefix(let path):
            guard path.isEmpty || request.path == path || request.path.hasPrefix(path + "/") else {
                return false
            }
        // The only one that is drawn: any one segment.
        case .expression:
            guard request.path.dropFirst().firstIndex(of: "/") == nil else {
                return false
            }
        }
        guard match.method.map({ $0 == request.method }) ?? true else { return false }
        func has(_ fields: [(name: String, value: String)], _ wanted: HTTPMatch.Field) -> Bool {
            fields.contains { $0.name == wanted.name && .exact($0.value) == wanted.value }
        }
        return match.headers.allSatisfy { has(request.headers, $0) }
            && match.query.allSatisfy { has(request.query, $0) }
    }

    /// HTTPRoute `spec.rules[].matches`: the longest host, an exact path, the longest prefix, a
    /// method, most headers, most parameters. Expressions stand between exact paths and prefixes.
    private func rank(_ candidate: HTTPCandidate) -> [Int] {
        let match = candidate.match
        let host =
            switch candidate.host {
            case .any: 0
            case .suffix(let suffix): suffix.count
            case .exact: 1_000
            }
        let path =
            switch match.path {
            case .prefix(let path): path.count
            case .expression: 1_000
            case .exact: 2_000
            }
        return [host, path, match.method == nil ? 0 : 1, match.headers.count, match.query.count]
    }

    // MARK: - Clients

    /// - Parameter request: nil = it is a connection.
    func authorization(
        _ plans: [AuthorizationPlan?], client: IPAddress?, _ request: Request?
    ) -> AuthorizationPlan.Verdict? {
        var last: AuthorizationPlan.Verdict?
        for case let plan? in plans {
            // Who asks decides, and is not known.
            if client == nil, plan.rules.contains(where: { !$0.clients.isEmpty }) { continue }
            var verdict = AuthorizationPlan.Verdict(isAllowed: plan.allowsByDefault)
            for (number, rule) in plan.rules.enumerated() where isMet(rule, client, request) {
                verdict = .init(isAllowed: rule.allows, rule: number)
                break
            }
            last = verdict
            if !verdict.isAllowed { break }
        }
        return last
    }

    private func isMet(
        _ rule: AuthorizationPlan.Rule, _ client: IPAddress?, _ request: Request?
    ) -> Bool {
        let isNear =
            rule.clients.isEmpty
            || rule.clients.contains { range in
                // All blocks that are drawn are of /24.
                client.map { "\($0)".hasPrefix("\(range.address)".dropLast()) } ?? false
            }
        guard let request else { return isNear && rule.headers.isEmpty && rule.methods.isEmpty }
        return isNear && (rule.methods.isEmpty || rule.methods.contains(request.method))
            && rule.headers.allSatisfy { header in
                request.headers.contains {
                    $0.name == header.name && header.values.contains($0.value)
                }
            }
    }
}
