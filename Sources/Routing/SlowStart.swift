/// How much of its share an endpoint gets that has just come or come back
/// (BackendTrafficPolicy `spec.loadBalancer.slowStart.window`): it grows in a straight line, from a
/// tenth on, as with Envoy's defaults. Nanoseconds. Pure.
public struct SlowStart: Hashable, Sendable {
    public let window: UInt64

    /// The share of one that has had its time.
    public static let whole: UInt64 = 1_000
    private static let least: UInt64 = 100
    /// How often the share grows in a window.
    private static let steps: UInt64 = 20

    /// Nil where endpoints get their whole share at once.
    public init?(_ plan: LoadBalancerPlan) {
        guard let milliseconds = plan.slowStartMilliseconds, milliseconds > 0 else { return nil }
        switch plan.kind {
        case .roundRobin, .leastRequest: window = UInt64(milliseconds) * 1_000_000
        // The CRD refuses it there: a hash's table would change with each step.
        case .random, .consistentHash: return nil
        }
    }

    /// - Parameter since: when it began to get clients.
    /// - Returns: in thousandths.
    public func share(since: UInt64, now: UInt64) -> UInt64 {
        let elapsed = now > since ? now - since : 0
        guard elapsed < window else { return Self.whole }
        let step = elapsed / interval * interval
        return max(Self.least, step * Self.whole / window)
    }

    /// When the share grows next; nil = it is whole.
    public func next(since: UInt64, now: UInt64) -> UInt64? {
        let elapsed = now > since ? now - since : 0
        guard elapsed < window else { return nil }
        return min(since + (elapsed / interval + 1) * interval, since + window)
    }

    private var interval: UInt64 { max(1, window / Self.steps) }
}
