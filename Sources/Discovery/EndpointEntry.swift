import Health
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
    /// Nil = it is not checked.
    private(set) var check: HealthCheck?
    /// What checks say of it; nil = it is not checked.
    private(set) var verdict: HealthVerdict?

    init(_ endpoint: Endpoint, weight: UInt32) {
        self.endpoint = endpoint
        self.weight = weight
    }

    /// Whether clients should be led to it.
    var isUsable: Bool { returns == nil && (verdict == nil || verdict == .healthy) }

    /// Whether it is usable, or may well be as soon as it has been checked.
    var isHopeful: Bool { isUsable || returns == nil && verdict == .pending }

    /// Whether those who are on it should leave: checks say so, or, where there are none, connects
    /// that failed.
    var isDown: Bool {
        switch verdict {
        case .unhealthy: true
        case .healthy, .pending: false
        case nil: returns != nil
        }
    }

    /// It is checked so from now on.
    /// - Parameter known: the verdict of that check. As long as there is none, who served before
    ///   goes on with what was known.
    mutating func follow(_ check: HealthCheck?, _ known: HealthVerdict?, isNew: Bool) {
        self.check = check
        guard check != nil else { return verdict = nil }
        verdict = known ?? verdict ?? (isNew ? .pending : .healthy)
    }

    /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
    /// - Returns: whether that is something new.
    mutating func note(_ verdict: HealthVerdict, now: UInt64) -> Bool {
        guard verdict != self.verdict else { return false }
        let former = self.verdict
        self.verdict = verdict
        guard verdict == .healthy else { return true }
        if case .unhealthy = former {
            // Whoever is well again is not left out for what was before.
            returns = nil
            endpoint.forgetFailures()
            risenAt = now
        } else if risenAt != nil {
            risenAt = now
        }
        return true
    }
}
