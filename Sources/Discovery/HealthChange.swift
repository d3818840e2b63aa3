import Health
import Primitives

/// An endpoint that checks have found well or ill, and had not before; for the log. A value.
public struct HealthChange: Hashable, Sendable {
    /// `namespace/name` of the Backends or Services that have it; sorted.
    public let clusters: [String]
    public let address: SocketAddress
    public let verdict: HealthVerdict
    /// Nil = this is the first.
    public let former: HealthVerdict?

    public init(
        clusters: [String], address: SocketAddress, verdict: HealthVerdict, former: HealthVerdict?
    ) {
        self.clusters = clusters
        self.address = address
        self.verdict = verdict
        self.former = former
    }
}
