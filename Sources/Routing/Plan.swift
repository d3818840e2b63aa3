import Primitives

/// What the data path does, decided beforehand: made by `translate()`, published to every worker,
/// never changed. Everything in it refers to other parts by index, so that a worker follows it
/// without a lookup.
public struct Plan: Hashable, Sendable {
    public var listeners: [ListenerPlan]
    public var clusters: [ClusterPlan]

    public init(listeners: [ListenerPlan] = [], clusters: [ClusterPlan] = []) {
        self.listeners = listeners
        self.clusters = clusters
    }
}
