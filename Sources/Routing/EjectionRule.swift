/// When an endpoint that fails is left out, and for how long (BackendTrafficPolicy
/// `spec.healthCheck.passive`). Times in nanoseconds. Pure.
public struct EjectionRule: Hashable, Sendable {
    /// Connects that fail in a row.
    public let failuresInRow: UInt32
    /// Of the first ejection; the n-th takes n times as long.
    public let time: UInt64
    /// How many in a hundred may be out at a time.
    public let percentMax: UInt32
    /// One may be out however few there are.
    public let alwaysEjectsOne: Bool

    /// Envoy ends the growth there (`max_ejection_time`).
    private static let timeMax: UInt64 = 300_000_000_000
    /// Without a policy: who cannot be connected to is left alone for a moment, as long as there is
    /// somebody else. It costs nobody anything, since the next endpoint is tried in any case.
    private static let usual = EjectionRule(
        failuresInRow: 3, time: 10_000_000_000, percentMax: 100, alwaysEjectsOne: true,
        isLinear: false)
    private let isLinear: Bool

    public init(_ plan: HealthCheckPlan.Passive?) {
        guard let plan else {
            self = Self.usual
            return
        }
        self.init(
            // Connects are local failures; unless these are counted apart, Envoy takes them for
            // errors of the server.
            failuresInRow: plan.splitsLocalFailures
                ? plan.localFailures : min(plan.serverErrors, plan.gatewayErrors ?? .max),
            time: UInt64(plan.ejectionTime) * 1_000_000, percentMax: plan.ejectionPercentMax,
            alwaysEjectsOne: plan.alwaysEjectsOne, isLinear: true)
    }

    private init(
        failuresInRow: UInt32, time: UInt64, percentMax: UInt32, alwaysEjectsOne: Bool,
        isLinear: Bool
    ) {
        self.failuresInRow = failuresInRow
        self.time = time
        self.percentMax = percentMax
        self.alwaysEjectsOne = alwaysEjectsOne
        self.isLinear = isLinear
    }

    /// Whether one more of `total` may be left out.
    public func mayEject(ejected: Int, of total: Int) -> Bool {
        if ejected == 0, alwaysEjectsOne { return true }
        return (ejected + 1) * 100 <= Int(percentMax) * total
    }

    /// - Parameter count: ejections of the endpoint, this one included.
    public func duration(ofEjection count: UInt32) -> UInt64 {
        guard isLinear else { return time }
        return min(max(time, Self.timeMax), time.multipliedReportingOverflow(by: UInt64(count)).0)
    }
}
