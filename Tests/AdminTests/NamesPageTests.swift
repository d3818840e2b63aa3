import Control
import Primitives
import Routing
import Testing
import Wire

@testable import Admin
@testable import Resolver

@Suite("Pages of names")
struct NamesPageTests {
    private static func record(
        _ type: String, _ data: RecordData?, _ change: (inout ResolverReport.Record) -> Void
    ) -> ResolverReport.Record {
        var record = ResolverReport.Record(
            type: type, data: data, remainingMilliseconds: nil, nextAskMilliseconds: nil,
            answeredAgoMilliseconds: nil, trouble: nil, troubledAgoMilliseconds: nil,
            failureCount: 0, ignoredCount: 0)
        change(&record)
        return record
    }

    private static let host = ResolverReport.Name(
        lookup: Lookup(.host("cart.test")), isWanted: true,
        resolution: .addresses([.loopbackIPv4]), isFixed: false,
        records: [
            record("A", .addresses([.loopbackIPv4, IPAddress(v4: 0x7f00_0002)])) {
                $0.remainingMilliseconds = -1_500
                $0.nextAskMilliseconds = 250
                $0.answeredAgoMilliseconds = 61_000
                ($0.trouble, $0.troubledAgoMilliseconds) = (.failed(.timedOut), 2_000)
                ($0.failureCount, $0.ignoredCount) = (3, 1)
            },
            record("AAAA", nil) { $0.trouble = .absent(isNameMissing: false) },
        ])

    private static func service(_ target: DNSName) -> ResolverReport.Name {
        ResolverReport.Name(
            lookup: Lookup(.service("_cart._tcp.test")), isWanted: true, isFixed: false,
            records: [
                record(
                    "SRV",
                    .services([.init(priority: 1, weight: 2, port: 3, target: target)])
                ) { _ in }
            ])
    }

    private static func report(_ names: [ResolverReport.Name]) -> ResolverReport {
        var counters = ResolverCounters()
        counters.sent = 7
        return ResolverReport(
            names: names, counters: counters, system: SystemConfiguration(), waitingCount: 1,
            flyingCount: 2)
    }

    @Test("have a line for everything that is known of a name and each of its record types")
    func text() {
        #expect(
            NamesPage.text(Self.report([Self.host])) == """
                cart.test::state::resolved
                cart.test::addresses::127.0.0.1
                cart.test::servers::the system's
                cart.test::A::answers::127.0.0.1,127.0.0.2
                cart.test::A::ttl_left::-1.500s
                cart.test::A::next_refresh::0.250s
                cart.test::A::answered_ago::61.000s
                cart.test::A::last_error::\(LookupFailure.timedOut)
                cart.test::A::last_error_ago::2.000s
                cart.test::A::failures_in_row::3
                cart.test::A::records_ignored::1
                cart.test::AAAA::answers::
                cart.test::AAAA::ttl_left::-
                cart.test::AAAA::next_refresh::now
                cart.test::AAAA::answered_ago::never
                cart.test::AAAA::last_error::the name has no such record
                cart.test::AAAA::last_error_ago::never
                cart.test::AAAA::failures_in_row::0
                cart.test::AAAA::records_ignored::0

                """)
    }

    @Test("tell services with their targets, and what state a name is in")
    func states() throws {
        let service = Self.service(try #require(DNSName("one.cart.test")))
        let text = NamesPage.text(Self.report([service]))
        #expect(text.contains("SRV::answers::one.cart.test:3(priority=1,weight=2)\n"))
        #expect(text.contains("::state::unresolved\n"))
        var name = Self.host
        name.resolution = .addresses([])
        #expect(NamesPage.state(name) == "empty")
        name.isFixed = true
        #expect(NamesPage.state(name) == "in the hosts file")
        name.isRefused = true
        #expect(NamesPage.state(name) == "refused: no room")
    }

    @Test("have the same in JSON, and what the resolver did")
    func json() {
        let json = NamesPage.json(Self.report([Self.host])).document.filter { !$0.isWhitespace }
        #expect(json.contains("\"name\":\"cart.test\",\"kind\":\"host\",\"state\":\"resolved\""))
        #expect(json.contains("\"ttl_left_milliseconds\":-1500,\"next_refresh_milliseconds\":250"))
        #expect(json.contains("\"queries_sent\":7"))
        #expect(json.contains("\"waiting\":1,\"under_way\":2"))
    }

    // MARK: - Beside endpoints

    private static func named(_ targets: [EndpointPlan.Target]) -> Snapshot.Cluster {
        Looks.cluster("c", []) { $0.tiers = [targets.map { EndpointPlan($0) }] }
    }

    @Test("are shown below endpoints, of the clusters that are shown")
    func besideEndpoints() {
        let report = Self.report([Self.host])
        let cluster = Self.named([.name("cart.test", port: 80)])
        let failure = "\(LookupFailure.timedOut), 2.000s ago"
        #expect(
            EndpointsPage([cluster], names: report, checks: nil).text == """
                CLUSTER  TIER  ENDPOINT  NAME  WEIGHT  STATE  LIVE  TOTAL  FAILED  EJECTED  WHY
                c           -  -         -          -  none      -      -       -        -  \
                its names have no addresses

                NAME       TYPE  ANSWERS      AGE      TTL    NEXT  LAST ERROR
                cart.test  A           2  61.000s  -1.500s  0.250s  \(failure)
                cart.test  AAAA        0        -        -     now  the name has no such record

                """)
        let other = Self.named([.name("other.test", port: 80)])
        for page in [
            EndpointsPage([other], names: report, checks: nil),
            EndpointsPage([cluster], names: nil, checks: nil),
        ] { #expect(!page.text.contains("cart.test")) }
    }

    @Test("of the hosts file are shown with how many addresses they have")
    func hosts() {
        var name = Self.host
        (name.isFixed, name.records) = (true, [])
        #expect(NamesPage.rows(name) == [["cart.test", "hosts", "1", "", "", "", ""]])
    }

    @Test("of a service's targets are shown with the service")
    func targets() throws {
        var target = Self.host
        target.lookup = Lookup(.host("one.cart.test."))
        let service = Self.service(try #require(DNSName("one.cart.test")))
        let asked = NamesPage.asked(
            by: [Self.named([.service("_cart._tcp.test")])],
            of: Self.report([service, target, Self.host]))
        #expect(asked.map(\.lookup.name) == ["_cart._tcp.test", "one.cart.test."])
    }
}
