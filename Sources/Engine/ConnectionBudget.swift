import Synchronization

/// How many connections and flows the process may have at a time: shared by all workers, because
/// they share the limit on descriptors. One atomic add a connection.
public final class ConnectionBudget: Sendable {
    // MARK: Any thread (atomic)
    private let maximum: Atomic<Int>
    private let count = Atomic<Int>(0)

    public init(countMax: Int) {
        precondition(countMax > 0)
        maximum = Atomic(countMax)
    }

    /// May be lowered below what is in use: nothing is then granted until enough was given back.
    public var countMax: Int {
        get { maximum.load(ordering: .relaxed) }
        set {
            precondition(newValue > 0)
            maximum.store(newValue, ordering: .relaxed)
        }
    }

    public var countInUse: Int { count.load(ordering: .relaxed) }

    /// False when there are already as many as allowed.
    func take() -> Bool {
        if count.wrappingAdd(1, ordering: .relaxed).newValue <= countMax { return true }
        give()
        return false
    }

    /// Counts what was granted elsewhere, however much that is.
    func adopt(_ amount: Int) {
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    func give(_ amount: Int = 1) {
        let result = count.wrappingSubtract(amount, ordering: .relaxed)
        assert(result.newValue >= 0, "what is given back was taken")
    }
}
