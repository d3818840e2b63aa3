import Discovery
import Health
import Primitives
import Testing

@testable import Control

@Suite("What the log says of checks")
struct HealthLogTests {
    private func change(
        _ port: UInt16, _ verdict: HealthVerdict, after former: HealthVerdict? = nil
    ) -> HealthChange {
        HealthChange(
            clusters: ["default/a", "default/b"], address: .ip(.loopbackIPv4, port: port),
            verdict: verdict, former: former)
    }

    @Test("it names who is ill and why, and who is well again, but not who is well at first")
    func lines() {
        let ill = HealthVerdict.unhealthy(.status(503, isRetriable: false))
        let lines = HealthLog.lines([
            change(3, .healthy), change(2, .healthy, after: ill), change(1, ill),
        ])
        #expect(lines.map(\.level) == [.warning, .info])
        #expect(
            lines.map(\.text) == [
                "endpoint 127.0.0.1:1 of default/a, default/b is ill: status 503",
                "endpoint 127.0.0.1:2 of default/a, default/b is well again",
            ])
    }

    @Test("thousands at once are counted")
    func many() {
        let lines = HealthLog.lines((1...1_000).map { change($0, .unhealthy(.closedEarly)) })
        #expect(lines.count == 21)
        #expect(lines.last?.text == "and 980 endpoints more have changed")
    }
}
