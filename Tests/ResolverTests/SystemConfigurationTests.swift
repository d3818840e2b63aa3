import Primitives
import Routing
import Testing
import Traffic
import Wire

@testable import Resolver

@Suite("The system's resolver files")
struct SystemConfigurationTests {
    @Test("servers, search domains and options are read")
    func whole() {
        let system = SystemConfiguration(
            """
            # written by hand
            nameserver 192.0.2.53   # first
            nameserver 2001:db8::53
            nameserver fe80::1%eth0
            nameserver 192.0.2.53
            nameserver nonsense
            domain old.example
            search one.example two.example
            options ndots:5 timeout:3 attempts:4 rotate use-vc edns0
            """)
        #expect(
            system.servers == [
                .ip(.of("192.0.2.53"), port: 53), .ip(.of("2001:db8::53"), port: 53),
            ])
        #expect(system.searchDomains == ["one.example", "two.example"])
        #expect(system.dotsMin == 5 && system.timeoutMilliseconds == 3_000)
        #expect(system.roundsMax == 4 && system.rotates && system.usesTCP)
    }

    @Test("without a server, this machine's is asked", arguments: ["", "search x", "nameserver"])
    func noServer(text: String) {
        #expect(SystemConfiguration(text).servers == [.ip(.loopbackIPv4, port: 53)])
        #expect(SystemConfiguration().servers == [.ip(.loopbackIPv4, port: 53)])
    }

    @Test("options beyond reason are brought to their limits")
    func limits() {
        let system = SystemConfiguration("options timeout:0 attempts:99 ndots:-1")
        #expect(system.timeoutMilliseconds == 1_000 && system.roundsMax == 5)
        #expect(system.dotsMin == 0)
    }

    private struct Search: Sendable {
        let name: String
        let dotsMin: Int
        let expected: [String]
    }

    private static let searches = [
        Search(name: "db", dotsMin: 1, expected: ["db.a.example", "db.b.example", "db"]),
        Search(name: "db.x", dotsMin: 1, expected: ["db.x", "db.x.a.example", "db.x.b.example"]),
        Search(name: "db.x", dotsMin: 2, expected: ["db.x.a.example", "db.x.b.example", "db.x"]),
        Search(name: "db", dotsMin: 0, expected: ["db", "db.a.example", "db.b.example"]),
        Search(name: "db.", dotsMin: 5, expected: ["db"]),
        Search(name: "a..b", dotsMin: 1, expected: []),
    ]

    @Test("names with few dots are searched for", arguments: searches.indices)
    func search(index: Int) {
        let row = Self.searches[index]
        var system = SystemConfiguration("search a.example b.example")
        system.dotsMin = row.dotsMin
        #expect(system.candidates(for: row.name).map(\.description) == row.expected)
    }

    @Test("a search domain that makes a name too long is left out")
    func longSearch() {
        let label = String(repeating: "a", count: 63)
        let system = SystemConfiguration("search \(label).\(label).\(label) b.example")
        let expected = ["\(label).b.example", label]
        #expect(system.candidates(for: label).map(\.description) == expected)
    }

    @Test("names of the hosts file have all the addresses of all their lines")
    func hosts() {
        let hosts = HostsFile(
            """
            127.0.0.1 localhost loop # here
            192.0.2.1\tDB.example db
            2001:db8::1 db.example
            #192.0.2.9 db.example
            fe80::1%eth0 db.example
            nonsense db.example
            """)
        #expect(hosts.addresses(of: "db.example") == [.of("192.0.2.1"), .of("2001:db8::1")])
        #expect(hosts.addresses(of: "db") == [.of("192.0.2.1")])
        #expect(hosts.addresses(of: "localhost") == [.loopbackIPv4])
        #expect(hosts.addresses(of: "here") == [])
    }

    @Test("localhost is never asked of a server")
    func localhost() {
        let loopback: [IPAddress] = [.loopbackIPv4, .loopbackIPv6]
        #expect(HostsFile().addresses(of: "localhost") == loopback)
        #expect(HostsFile().addresses(of: "x.localhost") == loopback)
        #expect(HostsFile().addresses(of: "notlocalhost") == [])
    }

    @Test("a server is an address, with a port where it is not 53")
    func servers() {
        let good: [(String, String)] = [
            ("192.0.2.1", "192.0.2.1:53"), ("192.0.2.1:5353", "192.0.2.1:5353"),
            ("2001:db8::1", "[2001:db8::1]:53"), ("[2001:db8::1]", "[2001:db8::1]:53"),
            ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
        ]
        for (text, expected) in good {
            #expect(LookupSettings.server(text)?.description == expected)
        }
        for text in ["", "x", "192.0.2.1:0", "192.0.2.1:x", "192.0.2:53", "[192.0.2.1", "[]:53"] {
            #expect(LookupSettings.server(text) == nil, "\(text)")
        }
    }

    @Test("a plan's settings are taken, and the resolver's where it has none")
    func settings() {
        var plan = DNSPlan()
        let ordinary = LookupSettings(plan)
        #expect(ordinary.staleMax == LookupSettings.staleMaxDefault)
        #expect(ordinary.staleWhileAbsentMax == LookupSettings.staleWhileAbsentMaxDefault)
        #expect(ordinary.family == .ipv4Preferred && ordinary.servers.isEmpty)
        plan.staleMax = 7_000
        #expect(ordinary.ttlNegative == nil && ordinary.jitterPercent == 10)
        plan.ttlNegative = 6_000
        plan.jitterPercent = 30
        plan.ttlMin = 2_000
        plan.ttlMax = 3_000
        plan.refreshInterval = 4_000
        plan.respectsTTL = false
        plan.family = .both
        plan.servers = ["192.0.2.1:5353"]
        let own = LookupSettings(plan)
        #expect(own.staleMax == 7_000 && own.staleWhileAbsentMax == 7_000)
        #expect(own.ttlMin == 2_000 && own.ttlMax == 3_000 && own.refreshInterval == 4_000)
        #expect(own.ttlNegative == 6_000 && own.jitterPercent == 30)
        #expect(!own.respectsTTL && own.family == .both)
        #expect(own.servers == [.ip(.of("192.0.2.1"), port: 5353)])
    }
}
