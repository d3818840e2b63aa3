import Routing

/// An endpoint of a cluster with its part in it and what is known of its health. Owned by its
/// cluster, under the lock that no worker takes.
struct EndpointEntry {
    let endpoint: Endpoint
    /// Within its tier.
    var weight: UInt32
    var ejections: UInt32 = 0
    /// Left out until then; nil = it is not.
    var returns: UInt64?
    /// When it came, or came back, into a cluster that had others; nil = at the very start, or so
    /// long ago that it does not matter.
    var risenAt: UInt64?

    init(_ endpoint: Endpoint, weight: UInt32) {
        self.endpoint = endpoint
        self.weight = weight
    }

    /// Whether clients should be led to it.
    var isUsable: Bool { returns == nil }
}
