import Primitives
import Resolver
import Routing
import TLS
import Testing

@testable import Discovery

@Suite("Endpoints by name")
struct EndpointDirectoryTests {
    private static let host = EndpointPlan(.name("host.test", port: 80))
    private static let service = EndpointPlan(.service("_x._tcp.test"))

    private static func plan(_ tiers: [[EndpointPlan]]) -> ClusterPlan {
        ClusterPlan(name: "default/b", route: "TCPRoute/default/r", tiers: tiers)
    }

    private static func lookup(_ endpoint: EndpointPlan) throws -> Lookup {
        try #require(Lookup(endpoint.target, DNSPlan()))
    }

    private static func ip(_ number: UInt32) -> IPAddress { IPAddress(v4: 0x0a00_0000 + number) }

    private static func target(
        _ port: UInt16, _ weight: UInt16, _ numbers: [UInt32]
    )
        -> ServiceTarget
    {
        ServiceTarget(name: "t\(port)", port: port, weight: weight, addresses: numbers.map(ip))
    }

    private func texts(_ tiers: [[ClusterEndpoints.Candidate]]) -> [[String]] {
        tiers.map { $0.map { "\($0.address)*\($0.weight)" } }
    }

    @Test("a name's addresses take its place, and one that is not resolved has none")
    func names() throws {
        let plan = Self.plan([[Self.host, EndpointPlan(.address(.ip(Self.ip(9), port: 1)))]])
        #expect(texts(EndpointDirectory.candidates(of: plan, [:])) == [["10.0.0.9:1*1"]])
        let found = [try Self.lookup(Self.host): Resolution.addresses([Self.ip(1), Self.ip(2)])]
        #expect(
            texts(EndpointDirectory.candidates(of: plan, found)) == [
                ["10.0.0.1:80*1", "10.0.0.2:80*1", "10.0.0.9:1*1"]
            ])
    }

    @Test("a service's priorities are tiers, between those of the plan")
    func services() throws {
        let plan = Self.plan([
            [Self.service], [EndpointPlan(.address(.ip(Self.ip(9), port: 1)))],
        ])
        let found = [
            try Self.lookup(Self.service): Resolution.tiers([
                [Self.target(1, 3, [1]), Self.target(2, 1, [2, 3])], [Self.target(3, 0, [4])],
            ])
        ]
        let tiers = EndpointDirectory.candidates(of: plan, found)
        #expect(
            tiers.map { $0.map(\.address.description) } == [
                ["10.0.0.1:1", "10.0.0.2:2", "10.0.0.3:2"], ["10.0.0.4:3"], ["10.0.0.9:1"],
            ])
        // A target's addresses share its weight.
        #expect(tiers[0][0].weight == 6 * tiers[0][1].weight)
        #expect(tiers[0][1].weight == tiers[0][2].weight)
    }

    @Test("nothing goes in the clear to an endpoint that is to speak TLS")
    func secure() {
        let endpoint = EndpointPlan(
            .address(.ip(Self.ip(1), port: 443)), tls: UpstreamTLSPlan(trust: .system))
        let quiescence = Quiescence(readers: 0)
        let plan = Self.plan([[endpoint]])
        #expect(ClusterEndpoints(plan, quiescence: quiescence).count == 0)
    }

    @Test("an endpoint for TLS has what speaks it, through new plans; datagrams do without both")
    func clients() throws {
        let tls = UpstreamTLSPlan(trust: .nobody)
        let known = [tls: try TLSClient(tls)]
        let directory = try EndpointDirectory(workers: 0)
        func plan(_ count: UInt32, datagrams: Bool = false) -> ClusterPlan {
            let secured = (1...count).map {
                EndpointPlan(.address(.ip(Self.ip($0), port: 443)), tls: tls)
            }
            var plan = Self.plan([secured])
            plan.carriesDatagrams = datagrams
            return plan
        }
        let first = directory.follow(
            [plan(1), plan(1, datagrams: true)], former: [nil, nil], tls: known)
        #expect(first.map(\.count) == [1, 0])
        directory.replaceEndpoints(
            [(place: 0, plan: plan(2)), (place: 1, plan: plan(2, datagrams: true))], tls: known)
        #expect(first.map(\.count) == [2, 0])
        var turn = EndpointTurn(seed: 0)
        for _ in 0..<2 {
            let endpoint = first[0].pick(&turn, hash: nil)?.takeUnretainedValue()
            #expect(endpoint?.tls === known[tls])
        }
        // Whose client is gone stays for those whom it serves, and gets nobody new.
        directory.replaceEndpoints([(place: 0, plan: plan(2))])
        #expect(first[0].count == 0)
    }

    @Test(
        "who an endpoint has to be is its host name, its name, its service's domain or its address")
    func tlsNames() {
        func name(_ target: EndpointPlan.Target, hostname: String? = nil) -> String? {
            EndpointPlan(target, hostname: hostname).tlsName
        }
        let address = SocketAddress.ip(Self.ip(1), port: 443)
        #expect(name(.address(address)) == "10.0.0.1")
        #expect(name(.address(address), hostname: "h.test") == "h.test")
        #expect(name(.address(.unix(path: "/run/a"))) == nil)
        #expect(name(.name("a.test", port: 443)) == "a.test")
        #expect(name(.name("a.test", port: 443), hostname: "h.test") == "h.test")
        #expect(name(.service("_x._tcp.b.test")) == "b.test")
    }

    @Test("names of a plan are looked up, and its clusters get what comes")
    func looksUp() throws {
        let directory = try EndpointDirectory(workers: 0)
        var settings = ResolverThread.Settings()
        // An address needs no server, and no file decides the outcome.
        settings.configurationPath = "/nonexistent"
        settings.hostsPath = "/nonexistent"
        try directory.startResolving(settings)
        let plan = Self.plan([[EndpointPlan(.name("192.0.2.7", port: 80))]])
        let clusters = directory.follow([plan], former: [nil])
        #expect(directory.awaitVerdicts(until: .max) == 0)
        #expect(clusters[0].count == 1)
        let next = Self.plan([[EndpointPlan(.name("192.0.2.8", port: 81))]])
        directory.replaceEndpoints([(place: 0, plan: next)])
        #expect(directory.awaitVerdicts(until: .max) == 0)
        var turn = EndpointTurn(seed: 0)
        let endpoint = clusters[0].pick(&turn, hash: nil)?.takeUnretainedValue()
        #expect(endpoint?.socketAddress.description == "192.0.2.8:81")
    }
}
