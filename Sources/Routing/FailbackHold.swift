/// Keeps a tier of endpoints from getting its clients back before it has been well for a while
/// (EndpointPolicy `spec.tiers.failbackAfter`): what comes and goes would otherwise take them along
/// each time. Nanoseconds. Pure; one for each tier.
public struct FailbackHold: Hashable, Sendable {
    /// Usable endpoints that count for the tier's share.
    public private(set) var counted: Int
    /// Since when there have been more than are counted.
    private var since: UInt64?

    public init(usable: Int) {
        counted = usable
    }

    /// - Parameters:
    ///   - isShort: whether the tier gives traffic away with those that are counted; otherwise
    ///     there is nothing to come back.
    /// - Returns: when to look again; nil = at the next change.
    public mutating func note(
        usable: Int, isShort: Bool, delay: UInt64, now: UInt64
    ) -> UInt64? {
        guard usable > counted, isShort, delay > 0 else {
            release(usable: usable)
            return nil
        }
        let start = since ?? now
        guard now - start < delay else {
            release(usable: usable)
            return nil
        }
        since = start
        return start + delay
    }

    /// Counts all at once, as when there is nobody else.
    public mutating func release(usable: Int) {
        counted = usable
        since = nil
    }
}
