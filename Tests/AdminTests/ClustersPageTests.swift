import Control
import Testing

@testable import Admin

@Suite("Pages of clusters")
struct ClustersPageTests {
    private static func lines(_ text: String, with part: String) -> [String] {
        text.split(separator: "\n").map(String.init).filter { $0.contains(part) }
    }

    @Test("name the cluster on every line, so that grep finds all of it")
    func named() {
        let text = ClustersPage.text([Looks.cart])
        let all = text.split(separator: "\n")
        #expect(all.count == 10 + 3 * 19)
        #expect(all.allSatisfy { $0.hasPrefix("tcproute/shop/front/backend/shop/cart::") })
    }

    @Test("say of an endpoint what Envoy says, in Envoy's words and order")
    func endpoint() {
        let name = "tcproute/shop/front/backend/shop/cart::127.0.0.1:2"
        #expect(
            Self.lines(ClustersPage.text([Looks.cart]), with: "::127.0.0.1:2::")
                == [
                    "cx_active::0", "cx_connect_fail::4", "cx_total::5", "rq_active::0",
                    "rq_error::0", "rq_pending_active::0", "rq_success::0", "rq_timeout::0",
                    "rq_total::1", "hostname::", "health_flags::/failed_outlier_check", "weight::3",
                    "region::", "zone::", "sub_zone::", "canary::false", "priority::0",
                    "success_rate::-1", "local_origin_success_rate::-1",
                ].map { "\(name)::\($0)" })
    }

    @Test("have the breakers' limits, and Envoy's largest number where there is none")
    func limits() {
        let cluster = Looks.cluster("c", []) {
            $0.circuitBreaker.connectionsMax = 7
            $0.healthCheck.passive = .init()
        }
        let text = ClustersPage.text([cluster])
        #expect(text.contains("c::default_priority::max_connections::7\n"))
        #expect(text.contains("c::high_priority::max_requests::4294967295\n"))
        #expect(text.contains("c::outlier::success_rate_average::-1\n"))
        #expect(!ClustersPage.text([Looks.cluster("c", [])]).contains("outlier"))
    }

    @Test(
        "tell each reason why an endpoint is left out",
        arguments: [
            (Snapshot.HealthFlag.failedActiveCheck, "failed_active_health_check"),
            (.failedOutlierCheck, "failed_outlier_check"),
            (.pendingRemoval, "pending_dynamic_removal"),
            (.pendingActiveCheck, "pending_active_hc"),
        ])
    func flags(flag: Snapshot.HealthFlag, key: String) {
        let endpoint = Looks.endpoint(Looks.address(1)) { $0.flags = [flag] }
        let cluster = Looks.cluster("c", [endpoint])
        let text = ClustersPage.text([cluster])
        #expect(text.contains("c::127.0.0.1:1::health_flags::/\(flag.rawValue)\n"))
        let json = ClustersPage.json([cluster]).document.filter { !$0.isWhitespace }
        #expect(
            json.contains("\"health_status\":{\"\(key)\":true,\"eds_health_status\":\"HEALTHY\"}"))
        #expect(
            StatisticsPage.text(Statistic.all(of: Looks.snapshot([cluster])))
                .contains("cluster.c.membership_healthy: 0\n"))
    }

    @Test("are in Envoy's JSON, without what is zero")
    func json() {
        let endpoint = Looks.endpoint(Looks.address(1)) { ($0.led, $0.live) = (2, 1) }
        let json = ClustersPage.json([Looks.cluster("c", [endpoint])]).document
        let limits = """
            "max_connections":4294967295,"max_pending_requests":4294967295,\
            "max_requests":4294967295,"max_retries":4294967295
            """
        #expect(
            json.filter { !$0.isWhitespace } == """
                {"cluster_statuses":[{"name":"c","added_via_api":true,"host_statuses":[{"address":\
                {"socket_address":{"address":"127.0.0.1","port_value":1}},"stats":[\
                {"name":"cx_connect_fail"},{"value":"2","name":"cx_total"},{"name":"rq_error"},\
                {"name":"rq_success"},{"name":"rq_timeout"},{"value":"2","name":"rq_total"},\
                {"type":"GAUGE","value":"1","name":"cx_active"},\
                {"type":"GAUGE","value":"1","name":"rq_active"},\
                {"type":"GAUGE","name":"rq_pending_active"}],\
                "health_status":{"eds_health_status":"HEALTHY"},"weight":1,"locality":{}}],\
                "circuit_breakers":{"thresholds":[{\(limits)},{"priority":"HIGH",\(limits)}]},\
                "observability_name":"c"}]}
                """)
    }
}
