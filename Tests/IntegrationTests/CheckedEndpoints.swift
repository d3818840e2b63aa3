import Health
import Primitives
import Routing
import Synchronization
import Testing
import Traffic

/// The health thread as a test drives it, with all that it told.
final class CheckedEndpoints: Sendable {
    private let told = Told()
    let thread: HealthThread

    /// What the thread's closure keeps, so that it does not keep the thread.
    private final class Told: Sendable {
        let verdicts = Mutex<[HealthCheck: [HealthVerdict]]>([:])
        let report = Mutex<HealthReport?>(nil)
    }

    init(_ change: (inout HealthThread.Settings) -> Void = { _ in }) throws {
        var settings = HealthThread.Settings()
        settings.seed = Integration.seed
        change(&settings)
        let told = told
        thread = try HealthThread(settings) { changes in
            told.verdicts.withLock { verdicts in
                for (check, verdict) in changes { verdicts[check, default: []].append(verdict) }
            }
        }
    }

    /// All that was told of a check, in order.
    func history(of check: HealthCheck) -> [HealthVerdict] {
        told.verdicts.withLock { $0[check] ?? [] }
    }

    /// Waits for a verdict and returns it; nil when none came.
    func verdict(of check: HealthCheck, after count: Int = 0) -> HealthVerdict? {
        _ = eventually { self.history(of: check).count > count }
        return history(of: check).dropFirst(count).first
    }

    /// Wants this one alone, and waits for its first verdict.
    func first(_ check: HealthCheck) -> HealthVerdict? {
        thread.want([check])
        return verdict(of: check)
    }

    func report() throws -> HealthReport {
        let told = told
        told.report.withLock { $0 = nil }
        thread.report { made in told.report.withLock { $0 = made } }
        _ = eventually { told.report.withLock { $0 != nil } }
        return try #require(told.report.withLock { $0 })
    }

    func report(of check: HealthCheck) throws -> HealthReport.Check {
        try #require(try report().checks.first { $0.check == check })
    }
}

extension HealthCheck {
    /// Of a port of 127.0.0.1, ten times a second.
    static func of(
        _ port: UInt16, _ probe: HealthCheckPlan.Probe, framing: ClusterPlan.Framing = .opaque,
        hostname: String? = nil, tls: UpstreamTLSPlan? = nil,
        proxyHeader: ClusterPlan.ProxyHeader = .none,
        change: (inout HealthCheckPlan.Active) -> Void = { _ in }
    ) -> HealthCheck {
        let address = SocketAddress.ip(.loopbackIPv4, port: port)
        var plan = HealthCheckPlan.Active(probe: probe)
        plan.interval = 100
        plan.timeout = 60_000
        change(&plan)
        return HealthCheck(
            EndpointPlan(.address(address), hostname: hostname, tls: tls), at: address, plan: plan,
            framing: framing, proxyHeader: proxyHeader)
    }
}

extension SocketAddress {
    var port: UInt16 {
        guard case .ip(_, let port) = self else { preconditionFailure("no IP address") }
        return port
    }
}
