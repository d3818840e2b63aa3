/// Where connections and requests of one listener go: its `ListenerPlan` made ready for looking
/// up. Servers are kept apart: what the most specific one has no route for, no other one is asked
/// (Gateway `spec.listeners`, listener isolation).
///
/// Made once of a plan and never changed; every worker and `apus explain` may read the same one.
public final class ListenerTable: Sendable {
    /// Where a TLS connection goes by the name that its client asks for.
    public enum TLSDecision: Hashable, Sendable {
        /// On to this one of the server's `TLSRoutePlan`s.
        case route(server: Int, route: Int)
        /// It ends here, and its requests are decided by `decide(_:server:)`.
        case requests(server: Int)
        /// No server has the name.
        case noServer
        /// The server that has the name has no route for it.
        case noRoute(server: Int)
    }

    /// Where a request goes by its head.
    public enum HTTPDecision: Hashable, Sendable {
        /// To the rule of this candidate.
        case candidate(server: Int, candidate: Int)
        /// No server has the host (404).
        case noServer
        /// No route of the server matches (404).
        case noRoute(server: Int)
        /// The host is another server's than the one whose name the connection was made with (421,
        /// RFC 9110 section 15.5.20).
        case misdirected(server: Int)
    }

    /// What a server that reads no requests has.
    private struct StreamServer {
        var routes: HostTable
        /// Of each pattern in `routes`: a place among the server's routes.
        var routeOf: [Int]
    }

    public let plan: ListenerPlan
    private let servers: HostTable
    /// Of each server, one or the other.
    private let streams: [StreamServer?]
    private let requests: [HTTPTable?]

    /// - Parameter compile: see `HTTPTable`.
    public init(_ plan: ListenerPlan, compile: (String) -> HTTPTable.Expression?) {
        self.plan = plan
        switch plan.routes {
        case .opaque:
            servers = HostTable([])
            streams = []
            requests = []
        case .http(let list):
            servers = HostTable(list.map(\.host))
            streams = list.map { _ in nil }
            requests = list.map { HTTPTable($0, compile: compile) }
        case .tls(let list):
            servers = HostTable(list.map(\.host))
            streams = list.map(Self.stream)
            requests = list.map { server in
                guard case .http(_, let plan) = server.mode else { return nil }
                return HTTPTable(plan, compile: compile)
            }
        }
    }

    private static func stream(_ server: TLSServerPlan) -> StreamServer? {
        if case .http = server.mode { return nil }
        let all = server.streamRoutes.enumerated().flatMap { index, route in
            route.hosts.map { (host: $0, route: index) }
        }
        return StreamServer(
            routes: HostTable(all.map(\.host)), routeOf: all.map(\.route))
    }

    /// - Parameter serverName: of the ClientHello (RFC 6066 section 3), in any case; nil = it has
    ///   none: then only what stands for every name is left.
    public func decide(serverName: UnsafeRawBufferPointer?) -> TLSDecision {
        let server = Int(servers.find(serverName))
        guard server >= 0 else { return .noServer }
        guard let stream = streams[server] else { return .requests(server: server) }
        let found = stream.routes.find(serverName)
        guard found != HostTable.absent else { return .noRoute(server: server) }
        return .route(server: server, route: stream.routeOf[Int(found)])
    }

    /// - Parameter server: which `TLSDecision` gave for the request's connection; nil = it came in
    ///   the clear.
    public func decide(
        _ head: borrowing some HTTPRequestHead & ~Copyable, server accepting: Int? = nil
    ) -> HTTPDecision {
        let server = Int(servers.find(head.host))
        guard server >= 0 else { return .noServer }
        // Another listener stands for the host better, or alone (Gateway
        // `listeners[].hostname`, the part on misdirected requests).
        if let accepting, accepting != server { return .misdirected(server: server) }
        guard let table = requests[server] else { return .noRoute(server: server) }
        guard let candidate = table.decide(head) else { return .noRoute(server: server) }
        return .candidate(server: server, candidate: candidate)
    }

    /// The table of a server that reads requests: what `apus explain` goes through.
    public func requests(of server: Int) -> HTTPTable? { requests[server] }
}
