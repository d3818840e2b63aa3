import Manifest

/// What became of a policy at one of its targets; its conditions are made of it in the end.
struct PolicyState {
    let policy: Policy
    let target: PolicyIndex.Target
    /// The target's group; it keeps names of different groups apart in messages only.
    var fault: Refusal?
    /// BackendTLSPolicy: why its references do not resolve.
    var unresolved: Refusal?
    /// What more specific policies hold in its place.
    var overriders: [String] = []
    /// The policy that it is laid over.
    var mergedOver: String?

    var description: String { target.description }
}
