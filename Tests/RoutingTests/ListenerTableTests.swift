import Testing

@testable import Routing

@Suite("Listener table")
struct ListenerTableTests {
    private static func listener(_ routes: ListenerPlan.Routes) -> ListenerTable {
        let plan = ListenerPlan(
            name: "a", addresses: [.ip(.anyIPv6, port: 443)], transport: .tcp(TCPListenerPlan()),
            routes: routes)
        return ListenerTable(plan) { _ in nil }
    }

    private func decide(_ table: ListenerTable, _ name: String?) -> ListenerTable.TLSDecision {
        guard let name else { return table.decide(serverName: nil) }
        return Array(name.utf8).withUnsafeBytes { table.decide(serverName: $0) }
    }

    private static func route(_ hosts: String?...) -> TLSRoutePlan {
        TLSRoutePlan(
            hosts: hosts.map { HostPattern($0) }, route: RoutePlan(name: "a", backends: []))
    }

    private static let mixed = listener(
        .tls([
            TLSServerPlan(
                name: "exact", host: .exact("a.example.com"),
                mode: .passthrough([route("a.example.com")])),
            TLSServerPlan(
                name: "wildcard", host: .suffix(".example.com"),
                mode: .terminate(
                    TLSTerminationPlan(),
                    [route("b.example.com", "*.c.example.com"), route("*.example.com")])),
            TLSServerPlan(
                name: "requests", host: .suffix(".web.example.com"),
                mode: .http(
                    TLSTerminationPlan(),
                    HTTPServerPlan(name: "requests", host: .suffix(".web.example.com")))),
            TLSServerPlan(name: "empty", host: .exact("empty.example.com"), mode: .passthrough([])),
            TLSServerPlan(
                name: "narrow", host: .suffix(".example.net"),
                mode: .passthrough([route("a.example.net")])),
        ]))

    @Test(
        "the most specific server of a name is asked, and then its most specific route",
        arguments: [
            ("a.example.com", .route(server: 0, route: 0)),
            ("A.EXAMPLE.com.", .route(server: 0, route: 0)),
            ("b.example.com", .route(server: 1, route: 0)),
            ("x.c.example.com", .route(server: 1, route: 0)),
            ("c.example.com", .route(server: 1, route: 1)),
            ("x.a.example.com", .route(server: 1, route: 1)),
            ("x.web.example.com", .requests(server: 2)),
            ("web.example.com", .route(server: 1, route: 1)),
            ("empty.example.com", .noRoute(server: 3)),
            ("a.example.net", .route(server: 4, route: 0)),
            ("b.example.net", .noRoute(server: 4)),
            ("example.com", .noServer), ("other", .noServer), ("", .noServer), (nil, .noServer),
        ] as [(String?, ListenerTable.TLSDecision)])
    func serverName(name: String?, decision: ListenerTable.TLSDecision) {
        #expect(decide(Self.mixed, name) == decision)
    }

    @Test("without a name only the server and the route of every name are left")
    func noServerName() {
        let routes = [Self.route("a"), Self.route(nil)]
        let any = Self.listener(
            .tls([TLSServerPlan(name: "a", host: .any, mode: .passthrough(routes))]))
        #expect(decide(any, nil) == .route(server: 0, route: 1))
        #expect(decide(any, "a") == .route(server: 0, route: 0))
        let named = Self.listener(
            .tls([TLSServerPlan(name: "a", host: .any, mode: .passthrough([routes[0]]))]))
        #expect(decide(named, nil) == .noRoute(server: 0))
        #expect(decide(Self.listener(.opaque(nil)), nil) == .noServer)
    }

    // MARK: - Requests

    private static func server(_ host: String?, _ paths: String...) -> HTTPServerPlan {
        HTTPServerPlan(
            name: "a", host: HostPattern(host),
            candidates: paths.map {
                HTTPCandidate(
                    host: HostPattern(host), match: HTTPMatch(path: .exact($0)), rule: 0)
            })
    }

    private func decide(
        _ table: ListenerTable, _ authority: String?, _ path: String, _ server: Int? = nil
    ) -> ListenerTable.HTTPDecision {
        table.decide(HTTPRequest(authority: authority, target: path), server: server)
    }

    @Test("a server that has no route for a request hides the less specific ones")
    func isolation() {
        let table = Self.listener(
            .http([
                Self.server("a.example.com", "/1"), Self.server("*.example.com", "/1", "/2"),
                Self.server(nil, "/1", "/2", "/3"),
            ]))
        #expect(decide(table, "a.example.com", "/1") == .candidate(server: 0, candidate: 0))
        #expect(decide(table, "a.example.com:80", "/2") == .noRoute(server: 0))
        #expect(decide(table, "b.example.com", "/2") == .candidate(server: 1, candidate: 1))
        #expect(decide(table, "b.example.com", "/3") == .noRoute(server: 1))
        #expect(decide(table, "b", "/3") == .candidate(server: 2, candidate: 2))
        #expect(decide(table, nil, "/3") == .candidate(server: 2, candidate: 2))
        let named = Self.listener(.http([Self.server("a", "/")]))
        #expect(decide(named, "b", "/") == .noServer)
        #expect(decide(named, nil, "/") == .noServer)
    }

    @Test("a request for a host of another server than its connection's is misdirected")
    func misdirected() {
        func https(_ host: String?) -> TLSServerPlan {
            TLSServerPlan(
                name: "a", host: HostPattern(host),
                mode: .http(TLSTerminationPlan(), Self.server(host, "/")))
        }
        let table = Self.listener(
            .tls([
                https("a.example.com"), https("*.example.com"), https("b.example.net"),
                TLSServerPlan(name: "p", host: .exact("p"), mode: .passthrough([])),
            ]))
        // The accepting server has the host as well, but another has it more specifically.
        #expect(decide(table, "a.example.com", "/", 1) == .misdirected(server: 0))
        // The accepting server does not have it: another does, or none.
        #expect(decide(table, "b.example.com", "/", 0) == .misdirected(server: 1))
        #expect(decide(table, "b.example.net", "/", 0) == .misdirected(server: 2))
        #expect(decide(table, "p", "/", 0) == .misdirected(server: 3))
        #expect(decide(table, "other", "/", 0) == .noServer)
        #expect(decide(table, "x.example.com", "/", 1) == .candidate(server: 1, candidate: 0))
        #expect(decide(table, "x.example.com", "/x", 1) == .noRoute(server: 1))
        #expect(decide(table, "p", "/") == .noRoute(server: 3))
    }
}
