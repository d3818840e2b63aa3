import Control
import Primitives
import Routing
import Testing

@testable import Admin
@testable import Health

@Suite("The page of endpoints")
struct EndpointsPageTests {
    @Test("is a table with a line for each endpoint")
    func table() {
        #expect(
            EndpointsPage(
                [Looks.cart, Looks.cluster("empty", [])], names: nil, checks: nil
            ).text == """
                CLUSTER                                TIER  ENDPOINT     NAME       WEIGHT  \
                STATE    LIVE  TOTAL  FAILED  EJECTED  WHY
                tcproute/shop/front/backend/shop/cart     0  127.0.0.1:1  cart.test       1  \
                serving     2     10       0        0
                tcproute/shop/front/backend/shop/cart     0  127.0.0.1:2  -               3  \
                ejected     0      5       4        1  failed connects; tried again in 3 s
                tcproute/shop/front/backend/shop/cart     1  /run/a       -               1  \
                standby     0      0       0        0  a tier before it serves
                empty                                     -  -            -               -  \
                none        -      -       -        -  the Backend has none that can be used

                """)
    }

    @Test("has the same in JSON")
    func json() {
        let json = EndpointsPage([Looks.cart], names: nil, checks: nil).json.document.filter {
            !$0.isWhitespace
        }
        #expect(
            json.contains(
                """
                {"address":"127.0.0.1:2","tier":0,"weight":3,"state":"ejected","healthy":false,\
                "health_flags":["failed_outlier_check"],"why":"failedconnects;triedagainin3s",\
                "live":0,"total":5,"failures":4,"ejections":1,"returns_in_milliseconds":2500}
                """))
        #expect(json.hasSuffix("\"names\":[]}"))
    }

    @Test("tells of endpoints that cannot be served why")
    func tls() {
        let cluster = Looks.cluster("c", []) {
            $0.tiers = [
                [EndpointPlan(.address(Looks.address(1)), tls: UpstreamTLSPlan(trust: .nobody))]
            ]
        }
        let text = EndpointsPage([cluster], names: nil, checks: nil).text
        #expect(text.contains("TLS cannot be spoken with them"))
    }

    private static let plan = ClusterPlan(name: "b", route: "r", endpoints: [Looks.address(1)])

    /// What the page says of an endpoint whose check came to this.
    private static func page(
        _ state: Snapshot.EndpointState, why: String?,
        _ change: (inout HealthReport.Check) -> Void
    ) -> EndpointsPage {
        let check = HealthCheck(
            plan.tiers[0][0], at: Looks.address(1),
            plan: .init(probe: .tcp(send: [], expect: [])), framing: .opaque)
        var report = HealthReport.Check(
            check: check, verdict: .pending, attempts: 9, successes: 5, failures: 4,
            inconclusive: 0, successesInRow: 0, failuresInRow: 0)
        change(&report)
        let endpoint = Looks.endpoint(Looks.address(1)) {
            ($0.state, $0.why, $0.check) = (state, why, check)
        }
        return EndpointsPage(
            [Looks.cluster("c", [endpoint])], names: nil,
            checks: HealthReport(checks: [report], waitingCount: 0, flyingCount: 0))
    }

    @Test("tells how long checks have failed or passed, and that there is no room for them")
    func checks() {
        let down = Self.page(.down, why: "status 503") { $0.failuresInRow = 4 }
        #expect(down.text.hasSuffix("  status 503; 4 checks failed in a row\n"))
        let rising = Self.page(.down, why: "status 503") { $0.successesInRow = 1 }
        #expect(rising.text.hasSuffix("  status 503; since then 1 check passed\n"))
        let shaky = Self.page(.serving, why: nil) {
            ($0.failuresInRow, $0.failureLast) = (1, .closedEarly)
        }
        #expect(shaky.text.hasSuffix("  its last check failed: \(HealthFailure.closedEarly)\n"))
        let waiting = Self.page(.standby, why: "a tier before it serves") {
            ($0.failuresInRow, $0.failureLast) = (1, .connectRefused)
        }
        #expect(waiting.text.hasSuffix("serves; its last check failed: connect refused\n"))
        let well = Self.page(.serving, why: nil) { $0.failureLast = .connectRefused }
        #expect(well.text.hasSuffix("        0\n"), "what is over is not told")
        let refused = Self.page(.pending, why: "not checked yet") { $0.isRefused = true }
        #expect(refused.text.hasSuffix("  there is no room for its check\n"))
        let json = well.json.document.filter { !$0.isWhitespace }
        #expect(
            json.contains(
                """
                "check":{"attempts":9,"successes":5,"failures":4,"inconclusive":0,\
                "successes_in_row":0,"failures_in_row":0,"last_failure":"connectrefused"}
                """))
    }
}
