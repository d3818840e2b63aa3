import CLinux
import Primitives
import Routing
import Testing

@testable import Health

@Suite("What follows from checks")
struct CheckStateTests {
    private static let counted = CheckOutcome.failed(.connectRefused)
    private static let told = CheckOutcome.failed(.status(500, isRetriable: false))
    private static let outcomes: [CheckOutcome] = [
        .passed, counted, told, .inconclusive(Errno(rawValue: 24)),
    ]

    private static func state(_ unhealthy: UInt32, _ healthy: UInt32) -> CheckState {
        var plan = HealthCheckPlan.Active(probe: .tcp(send: [], expect: []))
        plan.unhealthyThreshold = unhealthy
        plan.healthyThreshold = healthy
        return CheckState(plan)
    }

    /// By definition, from all that came: nil = pending.
    private static func isHealthy(
        _ history: [CheckOutcome], _ unhealthy: Int, _ healthy: Int
    ) -> Bool? {
        var verdict: Bool?
        var seen: [Bool] = []
        for outcome in history {
            if case .inconclusive = outcome { continue }
            let passed = outcome == .passed
            seen.append(passed)
            let run = seen.reversed().prefix { $0 == passed }.count
            if verdict == nil || run >= (passed ? healthy : unhealthy) || outcome == told {
                verdict = passed
            }
        }
        return verdict
    }

    @Test("every sequence of six checks, with every threshold up to four, gives the right verdict")
    func table() {
        var count = 0
        for unhealthy in 1...4 {
            for healthy in 1...4 {
                walk([], Self.state(UInt32(unhealthy), UInt32(healthy))) { history, state in
                    count += 1
                    let isHealthy: Bool? =
                        switch state.verdict {
                        case .pending: nil
                        case .healthy: true
                        case .unhealthy: false
                        }
                    #expect(isHealthy == Self.isHealthy(history, unhealthy, healthy), "\(history)")
                }
            }
        }
        #expect(count == 16 * (4 + 16 + 64 + 256 + 1_024 + 4_096))
    }

    private func walk(
        _ history: [CheckOutcome], _ state: CheckState, _ look: ([CheckOutcome], CheckState) -> Void
    ) {
        guard history.count < 6 else { return }
        for outcome in Self.outcomes {
            var next = state
            let isChanged = next.on(outcome)
            if isChanged != (next.verdict != state.verdict) {
                Issue.record("a change of verdict is told, and nothing else: \(history) \(outcome)")
            }
            look(history + [outcome], next)
            walk(history + [outcome], next, look)
        }
    }

    @Test("a verdict keeps the failure that made it, and the last one is known")
    func reasons() {
        var state = Self.state(2, 1)
        #expect(state.on(.passed) == true)
        #expect(state.on(Self.counted) == false)
        #expect(state.failureLast == .connectRefused)
        #expect(state.on(.failed(.closedEarly)) == true)
        #expect(state.verdict == .unhealthy(.closedEarly))
        #expect(state.on(.failed(.timedOut(milliseconds: 1_000))) == false)
        #expect(state.verdict == .unhealthy(.closedEarly))
        #expect(state.failureLast == .timedOut(milliseconds: 1_000))
        #expect(state.failuresInRow == 3)
        #expect((state.successes, state.failures, state.inconclusive) == (1, 3, 0))
    }

    @Test("what the endpoint says counts at once, what befalls a connection is counted")
    func decisive() {
        let decisive: [HealthFailure] = [
            .status(404, isRetriable: false), .bodyDiffers(status: 200),
            .rpcFailed(code: 12, message: ""), .notServing(2), .rpcMalformed,
        ]
        let counted: [HealthFailure] = [
            .connectRefused, .connectFailed(Errno(rawValue: 113)), .timedOut(milliseconds: 1),
            .lost(Errno(rawValue: 104)), .closedEarly, .answerTooLong(bytes: 9), .datagramRefused,
            .status(503, isRetriable: true), .malformed(.statusLine), .http2(code: 1),
        ]
        for failure in decisive + counted {
            var state = Self.state(3, 1)
            #expect(state.on(.passed) == true)
            #expect(state.on(.failed(failure)) == decisive.contains(failure), "\(failure)")
        }
    }

    @Test("every failure is one sentence")
    func sentences() {
        let sentences: [HealthFailure: String] = [
            .connectRefused: "connect refused",
            .connectFailed(Errno(rawValue: 113)):
                "connect failed: No route to host (EHOSTUNREACH)",
            .timedOut(milliseconds: 1_000): "timed out after 1 s",
            .timedOut(milliseconds: 1_500): "timed out after 1500 ms",
            .lost(Errno(rawValue: 104)):
                "connection lost: Connection reset by peer (ECONNRESET)",
            .closedEarly: "closed before the answer was complete",
            .answerTooLong(bytes: 9): "sent 9 bytes without what is expected",
            .datagramRefused: "datagram refused",
            .status(503, isRetriable: true): "status 503",
            .bodyDiffers(status: 200): "status 200, but not the expected body",
            .malformed(.chunk): "malformed answer: no chunk where one should be",
            .http2(code: 1): "HTTP/2 failed: PROTOCOL_ERROR",
            .rpcFailed(code: 12, message: "no such method"):
                "gRPC status UNIMPLEMENTED: no such method",
            .rpcFailed(code: 99, message: ""): "gRPC status 99",
            .notServing(2): "answered NOT_SERVING",
            .notServing(7): "answered serving status 7",
            .rpcMalformed: "no answer of grpc.health.v1",
        ]
        for (failure, sentence) in sentences { #expect("\(failure)" == sentence) }
    }

    @Test("what this machine lacks says nothing of the endpoint")
    func errors() {
        for number in [EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL] {
            let errno = Errno(rawValue: number)
            #expect(CheckOutcome(errno, isConnected: false) == .inconclusive(errno))
            #expect(CheckOutcome(errno, isConnected: true) == .inconclusive(errno))
        }
        let reset = Errno(rawValue: ECONNRESET)
        #expect(CheckOutcome(reset, isConnected: true) == .failed(.lost(reset)))
        #expect(CheckOutcome(reset, isConnected: false) == .failed(.connectFailed(reset)))
        let refused = Errno(rawValue: ECONNREFUSED)
        #expect(CheckOutcome(refused, isConnected: false) == .failed(.connectRefused))
    }
}
