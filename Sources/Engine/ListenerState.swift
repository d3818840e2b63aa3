import Primitives
import Routing
import TLS

/// A worker's own state for a listener, of the plan it serves or of one before that still has
/// connections. It is the listener's, not the plan's: one that goes on in the next plan keeps it,
/// with its count and its limit. Owned by the worker's roster.
struct ListenerState {
    private(set) var plan: ListenerPlan
    private(set) var tcp = TCPListenerPlan()
    private(set) var udp = UDPListenerPlan()
    /// 0 = connections may be idle for ever.
    private(set) var idleTicks: UInt64 = 0
    private(set) var inspectionTicks: UInt64 = 0
    /// `connectionsMax`, over all workers; it counts each of the connections that `count` does.
    private(set) var limit: ConnectionBudget?
    /// Sockets that were there before the plan may have another keepalive than it says.
    private(set) var isKeepaliveNew = true
    /// What chooses among servers and routes by the name that a client asks for; nil = nothing is
    /// looked at, and the first route is everybody's.
    private(set) var table: ListenerTable?
    /// Of each server that ends TLS; nil = it does not, or cannot.
    private(set) var tls: [TLSServer?] = []
    private(set) var handshakeTicks: UInt64 = 0
    /// How requests are served: the roster's number of it, where `hasProgram`.
    var program: UInt32 = 0
    var hasProgram = false
    /// Of each server; one that reads no requests has the defaults.
    private var requests: [RequestLimits] = []
    /// Counts the plans: places of servers are good for one of them.
    private(set) var serversVersion: UInt32 = 0
    /// In the order of the plan: the one route, or those of each server after those of the last.
    private var routes: [RouteState] = []
    /// Of each server the place of its first route.
    private var routesOfServer: [Int] = []
    /// Connections that live, or flows.
    var count = 0
    /// Copies of requests that live.
    var mirrorCount = 0
    /// Sockets that let clients in for it.
    var socketCount = 0
    /// The tick by which its last connection is to end; nil while the plan has it.
    var departure: UInt64?

    /// - Parameters:
    ///   - table: of the same plan, where it has one.
    ///   - clusters: where the roster has the plan's clusters; nil = at the same places.
    init(
        _ plan: ListenerPlan, table: ListenerTable? = nil, tls: [TLSServer?] = [],
        limit: ConnectionBudget? = nil, clusters: [UInt32]? = nil
    ) {
        self.plan = plan
        adopt(plan, table: table, tls: tls, limit: limit, clusters: clusters)
        isKeepaliveNew = true
    }

    /// Goes on under a new plan. Connections that live keep what they were accepted with.
    mutating func adopt(
        _ new: ListenerPlan, table: ListenerTable?, tls: [TLSServer?], limit: ConnectionBudget?,
        clusters places: [UInt32]?
    ) {
        (self.table, self.tls) = (table, tls)
        takeRoutes(of: new, clusters: places)
        if self.limit !== limit {
            self.limit?.give(count)
            limit?.adopt(count)
            self.limit = limit
        }
        let keepaliveFormer = tcp.keepalive
        plan = new
        switch new.transport {
        case .tcp(let tcp): (self.tcp, udp) = (tcp, UDPListenerPlan())
        case .udp(let udp): (tcp, self.udp) = (TCPListenerPlan(), udp)
        }
        isKeepaliveNew = tcp.keepalive != keepaliveFormer
        idleTicks = Tick.count(milliseconds: tcp.idleTimeoutMilliseconds)
        handshakeTicks = max(1, Tick.count(milliseconds: tcp.handshakeTimeout))
        inspectionTicks = max(1, Tick.count(milliseconds: tcp.inspectionTimeoutMilliseconds))
    }

    private mutating func takeRoutes(of new: ListenerPlan, clusters places: [UInt32]?) {
        var plans: [RoutePlan] = []
        routesOfServer = []
        serversVersion &+= 1
        switch new.routes {
        case .opaque(let route): plans = route.map { [$0] } ?? []
        case .tls(let servers):
            for server in servers {
                routesOfServer.append(plans.count)
                plans += server.streamRoutes.map(\.route) + Self.routes(server.requests)
            }
        case .http(let servers):
            for server in servers {
                routesOfServer.append(plans.count)
                plans += Self.routes(server)
            }
        }
        requests = HTTPProgram.requestServers(of: new).map { server in
            RequestLimits(server?.settings ?? HTTPListenerPlan())
        }
        let former = routes
        routes = plans.enumerated().map { place, plan in
            RouteState(
                plan, former: former.indices.contains(place) ? former[place] : nil,
                clusters: places)
        }
    }

    private static func routes(_ server: HTTPServerPlan?) -> [RoutePlan] {
        (server?.rules ?? []).map { rule in
            var route = RoutePlan(
                name: rule.name, backends: rule.backends, authorization: rule.authorization)
            for case .mirror(let mirror) in rule.filters { route.mirrors.append(mirror) }
            return route
        }
    }

    /// - Parameter server: which the connection's name has chosen; nil = the connection is in the
    ///   clear, and which server it is for is known when its request is read.
    func requestLimits(_ server: Int?) -> RequestLimits {
        let place = server ?? 0
        return requests.indices ~= place ? requests[place] : Self.requestLimitsDefault
    }

    private static let requestLimitsDefault = RequestLimits(HTTPListenerPlan())

    /// The clusters of all backends in the worker's roster, which counts these references: a
    /// listener that goes still leads those who had been let in to them.
    var clusters: [UInt32] {
        routes.flatMap { $0.clusters.compactMap(\.self) + $0.mirrors.map(\.cluster) }
    }

    func mirrors(_ route: Int) -> [RouteState.Mirror] {
        routes.indices ~= route ? routes[route].mirrors : []
    }

    /// The place among all routes of one that the table has found.
    func place(server: Int, route: Int) -> Int { routesOfServer[server] + route }

    /// A ClientHello comes first.
    var readsHello: Bool {
        if case .tls = plan.routes { true } else { false }
    }

    var readsRequests: Bool {
        if case .http = plan.routes { true } else { false }
    }

    /// Where it listens; 0 = at no address of the Internet.
    var port: UInt16 {
        for case .ip(_, let port) in plan.addresses { return port }
        return 0
    }

    /// Whether the server ends TLS.
    func terminates(_ server: Int) -> Bool {
        guard case .tls(let servers) = plan.routes, case .terminate = servers[server].mode else {
            return false
        }
        return true
    }

    // MARK: - Clients

    /// Whether it matters who the client is.
    func isRestricted(_ route: Int) -> Bool {
        plan.authorization != nil || routes.indices ~= route && routes[route].authorization != nil
    }

    /// A client must pass the listener's rules and then its route's.
    /// - Parameter client: nil = it has no address, as over a Unix socket.
    func allows(_ client: IPAddress?, _ route: Int) -> Bool {
        if let own = plan.authorization, !own.decide(client: client).isAllowed { return false }
        guard routes.indices ~= route, let rules = routes[route].authorization else { return true }
        return rules.decide(client: client).isAllowed
    }

    /// The same of a request.
    func allows(
        _ client: IPAddress?, _ route: Int, _ head: borrowing RequestView
    ) -> Bool {
        if let own = plan.authorization, !own.decide(client: client, head: head).isAllowed {
            return false
        }
        guard routes.indices ~= route, let rules = routes[route].authorization else { return true }
        return rules.decide(client: client, head: head).isAllowed
    }

    /// What a new client gets.
    enum Choice {
        case cluster(UInt32)
        case refusal(TerminationReason)
    }

    mutating func pick(_ route: Int) -> Choice {
        guard routes.indices ~= route else { return .refusal(.noRoute) }
        return routes[route].pick().map { .cluster($0) } ?? .refusal(.noEndpoint)
    }

    /// The backend whose turn it is, by its place in the route, and its cluster; nil = it is an
    /// invalid reference's, or there is no backend.
    mutating func pickBackend(_ route: Int) -> (place: Int, cluster: UInt32)? {
        routes[route].pickBackend()
    }

    /// The route of everybody, where nothing is looked at.
    static let onlyRoute = 0
}
