import Control
import Health
import Manifest
import Primitives
import Resolver

/// What there is to see, by path: from the bytes of a request to those of the answer. Holds where
/// the data come from, so that tests can give their own. A value; any thread may have it.
struct Pages: Sendable {
    let hosts: HostRule
    let state: @Sendable () -> Insight.State
    let snapshot: @Sendable () -> Snapshot
    /// nil = the resolver does not answer.
    let names: @Sendable () -> ResolverReport?
    /// nil = the thread of the checks does not.
    let checks: @Sendable () -> HealthReport?

    /// What can be asked for, with what it may be asked with; in the order of `/help`.
    enum Page: String, CaseIterable {
        case home = "/"
        case clusters = "/clusters"
        case dns = "/dns"
        case endpoints = "/endpoints"
        case help = "/help"
        case listeners = "/listeners"
        case ready = "/ready"
        case serverInfo = "/server_info"
        case stats = "/stats"
        case prometheus = "/stats/prometheus"

        var summary: String {
            switch self {
            case .home, .help: "what there is to see"
            case .clusters: "each cluster (a Backend as one route reaches it) and its endpoints"
            case .dns: "each name: answers, TTL, next refresh, last error"
            case .endpoints:
                "each endpoint in a table: state and why, connections, failures; its names"
            case .listeners: "where it listens"
            case .ready: "200 LIVE, or 503 INITIALIZING or DRAINING"
            case .serverInfo: "version, state, age, settings"
            case .stats: "all counters and gauges"
            case .prometheus: "the same for Prometheus"
            }
        }

        var parameters: [(name: String, text: String)] {
            switch self {
            case .clusters, .listeners, .dns: [("format", "text or json")]
            case .endpoints:
                [("format", "table or json"), ("cluster", "a part of the cluster's name")]
            case .stats:
                [
                    ("format", "text, json or prometheus"),
                    ("filter", "a regular expression; statistics with a name that has it"),
                    ("usedonly", "only those that are not zero"),
                ]
            case .prometheus:
                [
                    ("filter", "a regular expression; statistics with a name that has it"),
                    ("usedonly", "only those that are not zero"),
                ]
            case .home, .help, .ready, .serverInfo: []
            }
        }
    }

    // MARK: - From bytes to bytes

    /// - Parameters:
    ///   - bytes: what was sent so far.
    ///   - local: our side of the connection.
    /// - Returns: nil = more is needed.
    func answer(_ bytes: [UInt8], local: SocketAddress?) -> [UInt8]? {
        switch RequestHead.parse(bytes) {
        case .needMore: nil
        case .fault(let fault): Self.refusal(fault).bytes(hasBody: true)
        case .match(let request):
            answer(request, local: local).bytes(hasBody: request.method != "HEAD")
        }
    }

    private static func refusal(_ fault: RequestHead.Fault) -> Response {
        switch fault {
        case .malformed: .text("this is no HTTP/1.1 request (RFC 9112)\n", .badRequest)
        case .hostMissing: .text("an HTTP/1.1 request needs a Host field\n", .badRequest)
        case .version: .text("only HTTP/1.0 and HTTP/1.1 are spoken\n", .versionNotSupported)
        case .tooLong:
            .text("the request is longer than \(RequestHead.bytesMax) bytes\n", .headerTooLong)
        }
    }

    func answer(_ request: RequestHead, local: SocketAddress?) -> Response {
        guard hosts.allows(request.host, local: local) else {
            return .text(
                "this server does not answer to the name '\(Self.shown(request.host ?? ""))', so "
                    + "that no web page can look in; ask for localhost or for its address\n",
                .misdirected)
        }
        guard request.method == "GET" || request.method == "HEAD" else {
            return .text("nothing can be changed here: only GET and HEAD\n", .methodNotAllowed)
        }
        let target = RequestTarget(request.target)
        guard let page = Page(rawValue: target.path) else {
            return .text(
                "there is no \(Self.shown(target.path)); there are:\n" + Self.help, .notFound)
        }
        do throws(Fault) {
            return try render(page, target)
        } catch {
            return .text(error.message + "\n", error.status)
        }
    }

    /// What somebody sent, so that it can be put on a page.
    private static func shown(_ text: String) -> String {
        let isLong = text.count > 100
        return String(text.prefix(100).map { $0.isASCII && !$0.isNewline ? $0 : "?" })
            + (isLong ? "…" : "")
    }

    // MARK: - Pages

    /// Why a page cannot be shown as asked.
    struct Fault: Error {
        let message: String
        var status = Response.Status.badRequest
    }

    private func render(_ page: Page, _ target: RequestTarget) throws(Fault) -> Response {
        switch page {
        case .home, .help: return .text(Self.help)
        case .ready:
            let state = state()
            return .text(state.name + "\n", state == .live ? .ok : .unavailable)
        case .clusters:
            let isJSON = try format(target, ["text", "json"]) == "json"
            let clusters = snapshot().clusters
            return isJSON ? .json(ClustersPage.json(clusters)) : .text(ClustersPage.text(clusters))
        case .endpoints:
            let isJSON = try format(target, ["table", "json"]) == "json"
            let part = target["cluster"] ?? ""
            let all = snapshot().clusters
            let clusters = part.isEmpty ? all : all.filter { $0.name.contains(part) }
            let page = EndpointsPage(clusters, names: names(), checks: checks())
            return isJSON ? .json(page.json) : .text(page.text)
        case .listeners:
            let isJSON = try format(target, ["text", "json"]) == "json"
            let listeners = snapshot().listeners
            return isJSON
                ? .json(ListenersPage.json(listeners)) : .text(ListenersPage.text(listeners))
        case .dns:
            let isJSON = try format(target, ["text", "json"]) == "json"
            guard let report = names() else {
                throw Fault(message: "the resolver does not answer", status: .unavailable)
            }
            return isJSON ? .json(NamesPage.json(report)) : .text(NamesPage.text(report))
        case .serverInfo: return .json(ServerInfoPage.json(snapshot()))
        case .stats:
            return try statistics(target, format: format(target, ["text", "json", "prometheus"]))
        case .prometheus: return try statistics(target, format: "prometheus")
        }
    }

    private func statistics(
        _ target: RequestTarget, format: String
    ) throws(Fault) -> Response {
        var pattern: Pattern?
        if let text = target["filter"], !text.isEmpty {
            do throws(PatternError) {
                pattern = try Pattern(text)
            } catch {
                throw Fault(message: "no regular expression: \(error.message): \(text)")
            }
        }
        let families = Statistic.all(of: snapshot()).compactMap {
            $0.filtered(by: pattern, isUsedOnly: target["usedonly"] != nil)
        }
        switch format {
        case "json": return .json(StatisticsPage.json(families))
        case "prometheus":
            var response = Response.text(StatisticsPage.prometheus(families))
            response.contentType = "text/plain; version=0.0.4; charset=utf-8"
            return response
        default: return .text(StatisticsPage.text(families))
        }
    }

    /// The first of those that there are is what comes when none is asked for.
    private func format(
        _ target: RequestTarget, _ known: [String]
    ) throws(Fault) -> String {
        guard let asked = target["format"] else { return known[0] }
        guard known.contains(asked) else {
            throw Fault(
                message: "usage: \(target.path)?format=(\(known.joined(separator: "|")))")
        }
        return asked
    }

    static let help = Page.allCases.map { page in
        "  \(page.rawValue): \(page.summary)\n"
            + page.parameters.map { "      \($0.name): \($0.text)\n" }.joined()
    }.joined()
}

extension Pages {
    /// Of the running process.
    init(_ insight: Insight, at address: SocketAddress) {
        hosts = HostRule(address: address)
        state = { insight.state }
        snapshot = { insight.snapshot }
        names = {
            do throws(Errno) {
                return try insight.names(waitMilliseconds: Self.waitMilliseconds)
            } catch {
                // Out of descriptors: that is no answer either.
                return nil
            }
        }
        checks = {
            do throws(Errno) {
                return try insight.checks(waitMilliseconds: Self.waitMilliseconds)
            } catch {
                return nil
            }
        }
    }

    /// Neither thread ever waits for long.
    private static let waitMilliseconds: Int32 = 2_000
}
