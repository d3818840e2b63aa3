import Control
import Testing

@testable import Admin

@Suite("Statistics")
struct StatisticsPageTests {
    private static func family(
        _ subject: Statistic.Subject, _ name: String, _ kind: Statistic.Kind,
        _ samples: [(String?, UInt64)]
    ) -> Statistic {
        Statistic(
            subject: subject, name: name, kind: kind, help: "Help.",
            samples: samples.map { .init(tag: $0.0, value: $0.1) })
    }

    private static let families = [
        family(.process(label: "reason"), "ends_total", .counter, [("reset", 1), ("idle", 2)]),
        family(.cluster, "cx_total", .counter, [("a/\"b\"\\\n", 3)]),
        family(.server, "total_connections", .gauge, [(nil, 4)]),
        family(.server, "ejections_total", .gauge, [(nil, 5)]),
        family(.process(label: nil), "turns", .gauge, [(nil, UInt64.max)]),
    ]

    @Test("for people are sorted by name, with the label's value as Envoy has it")
    func text() {
        #expect(
            StatisticsPage.text(Self.families) == """
                apus.ends_total.idle: 2
                apus.ends_total.reset: 1
                apus.turns: 18446744073709551615
                cluster.a/"b"\\
                .cx_total: 3
                server.ejections_total: 5
                server.total_connections: 4

                """)
    }

    @Test("for Prometheus stand by family with HELP and TYPE, labels escaped")
    func prometheus() {
        #expect(
            StatisticsPage.prometheus(Self.families) == """
                # HELP apus_ends_total Help.
                # TYPE apus_ends_total counter
                apus_ends_total{reason="reset"} 1
                apus_ends_total{reason="idle"} 2
                # HELP apus_turns Help.
                # TYPE apus_turns gauge
                apus_turns 18446744073709551615
                # HELP envoy_cluster_cx_total Help.
                # TYPE envoy_cluster_cx_total counter
                envoy_cluster_cx_total{envoy_cluster_name="a/\\"b\\"\\\\\\n"} 3
                # HELP envoy_server_ejections_total Help.
                # TYPE envoy_server_ejections_total untyped
                envoy_server_ejections_total 5
                # HELP envoy_server_total_connections Help.
                # TYPE envoy_server_total_connections gauge
                envoy_server_total_connections 4

                """)
    }

    @Test("of a process have names of their own, and help each")
    func names() {
        let all = Statistic.all(of: Looks.snapshot())
        #expect(Set(all.map(\.prometheusName)).count == all.count)
        for family in all {
            let name = family.prometheusName
            #expect(name.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil, "\(name)")
            #expect(family.help.hasSuffix(".") && !family.help.contains("\n"), "\(name)")
            #expect(!family.samples.isEmpty, "\(name)")
            #expect(Set(family.samples.map(\.tag)).count == family.samples.count, "\(name)")
        }
    }

    @Test("of a process are its counters and its clusters' sums")
    func values() {
        let lines = Set(
            StatisticsPage.text(Statistic.all(of: Looks.snapshot())).split(separator: "\n"))
        let cart = "cluster.tcproute/shop/front/backend/shop/cart"
        let expected: Set<Substring> = [
            "server.uptime: 61", "server.concurrency: 4", "server.total_connections: 2",
            "apus.connections_accepted_total: 12", "apus.connections_live: 2",
            "apus.terminations_total.client_reset: 3", "tcp.apus.downstream_cx_total: 12",
            "\(cart).upstream_cx_total: 15", "\(cart).upstream_cx_active: 2",
            "\(cart).upstream_cx_connect_fail: 4", "\(cart).membership_total: 3",
            "\(cart).membership_healthy: 2", "\(cart).outlier_detection_ejections_active: 1",
            "\(cart).outlier_detection_ejections_enforced_total: 1",
        ]
        #expect(expected.subtracting(lines) == [])
    }

    @Test("of clusters are not there where there is no cluster")
    func empty() {
        let all = Statistic.all(of: Looks.snapshot([]))
        #expect(!all.contains { $0.subject == .cluster })
    }
}
