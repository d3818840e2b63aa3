import Synchronization

/// How many connections and flows the process may have at a time: shared by all workers, because
/// they share the limit on descriptors. One atomic add a connection.
public final class ConnectionBudget: Sendable {
    public let countMax: Int

    // MARK: Any thread (atomic)
    private let count = Atomic<Int>(0)

    public init(countMax: Int) {
        precondition(countMax > 0)
        self.countMax = countMax
    }

    public var countInUse: Int { count.load(ordering: .relaxed) }

    /// False when there are already as many as allowed.
    func take() -> Bool {
        if count.wrappingAdd(1, ordering: .relaxed).newValue <= countMax { return true }
        give()
        return false
    }

    func give() {
        let result = count.wrappingSubtract(1, ordering: .relaxed)
        assert(result.newValue >= 0, "what is given back was taken")
    }
}
