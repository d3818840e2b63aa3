/// How a tier's traffic is spread over the zones of its endpoints
/// (BackendTrafficPolicy `spec.loadBalancer.zoneAware`). Pure.
public struct ZoneShares: Hashable, Sendable {
    /// In ten thousand of the tier's traffic, by zone; together 10,000.
    public let parts: [String: UInt64]

    public static let whole: UInt64 = 10_000

    /// - Parameters:
    ///   - counts: usable endpoints by zone; "" = those without one.
    ///   - local: the zone that this process is in; nil = it is not known.
    /// - Returns: nil when zones are not looked at.
    public init?(_ counts: [String: Int], _ plan: ZonePlan?, local: String?) {
        guard let plan, counts.count > 1 else { return nil }
        guard plan.weights.isEmpty else {
            let weights = Dictionary(plan.weights.map { ($0.zone, UInt64($0.weight)) }) { $1 }
            parts = Self.proportional(
                counts.reduce(into: [:]) { $0[$1.key] = weights[$1.key] ?? 1 })
            if parts.isEmpty { return nil }
            return
        }
        guard let local, let own = counts[local] else { return nil }
        let total = counts.values.reduce(0, +)
        let isForced = plan.forcedFrom.map { own >= Int($0) } ?? false
        guard isForced || total >= Int(plan.endpointsMin) else { return nil }
        parts = Self.parts(
            counts, local, localPart: isForced ? Self.whole : Self.localPart(own, total, counts),
            aware: UInt64(plan.percent) * Self.whole / 100)
    }

    /// As much as the local zone can take if every zone sends as much as this one does: all where
    /// it has its fair part of the endpoints or more, as Envoy's zone aware routing has it.
    private static func localPart(_ own: Int, _ total: Int, _ counts: [String: Int]) -> UInt64 {
        min(whole, UInt64(own * counts.count) * whole / UInt64(total))
    }

    /// - Parameter aware: what of all traffic looks at zones; the rest goes to all by the number of
    ///   their endpoints, and so does among the others what the local zone cannot take.
    private static func parts(
        _ counts: [String: Int], _ local: String, localPart: UInt64, aware: UInt64
    ) -> [String: UInt64] {
        let total = UInt64(counts.values.reduce(0, +))
        let others = total - UInt64(counts[local] ?? 0)
        let passedOn = aware * (whole - localPart) / whole
        var parts: [String: UInt64] = [:]
        for (zone, count) in counts where zone != local {
            let count = UInt64(count)
            parts[zone] = passedOn * count / others + (whole - aware) * count / total
        }
        parts[local] = whole - parts.values.reduce(0, +)
        return parts
    }

    private static func proportional(_ weights: [String: UInt64]) -> [String: UInt64] {
        let sum = weights.values.reduce(0, +)
        guard sum > 0 else { return [:] }
        var parts = weights.mapValues { $0 * whole / sum }
        // What was lost by rounding goes where the most goes; of equals, to the first by name.
        let left = whole - parts.values.reduce(0, +)
        let most = parts.max { ($0.value, $1.key) < ($1.value, $0.key) }
        if let most { parts[most.key] = most.value + left }
        return parts
    }
}
