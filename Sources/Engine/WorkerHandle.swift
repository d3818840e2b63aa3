import Discovery
import Kernel
import Primitives
import Synchronization

/// A worker as the other threads see it: they post messages and read counters; nothing else of a
/// worker may be touched.
public final class WorkerHandle: Sendable {
    /// How a worker that has ended left its connections.
    public enum Outcome: UInt8, Sendable {
        case running
        /// Everything ran to its end.
        case drained
        /// The drain time-out or a stop cut some off.
        case cutOff
    }

    // MARK: Immutable after start
    public let index: Int
    public let settings: WorkerSettings
    public let counters = Counters()
    public let budget: ConnectionBudget
    let quiescence: Quiescence.Reader
    let wakeup: Wakeup
    let mailbox = Mailbox()

    // MARK: Any thread (atomic)
    private let settledWord = Atomic<UInt64>(0)
    private let outcomeWord = Atomic<UInt8>(Outcome.running.rawValue)

    /// - Parameter quiescence: of all workers; nil = nothing that it reads is ever replaced.
    /// - Throws: EMFILE or ENFILE.
    public init(
        index: Int, settings: WorkerSettings, budget: ConnectionBudget,
        quiescence: Quiescence? = nil
    ) throws(Errno) {
        self.index = index
        self.quiescence = (quiescence ?? Quiescence(readers: index + 1)).reader(index)
        self.settings = settings
        self.budget = budget
        wakeup = try Wakeup()
    }

    public func post(_ message: WorkerMessage) {
        mailbox.put(message)
        wakeup.signal()
    }

    public var outcome: Outcome {
        guard let outcome = Outcome(rawValue: outcomeWord.load(ordering: .acquiring)) else {
            fatalError("only outcomes are stored")
        }
        return outcome
    }

    /// How many plans were put into effect to the last: their new sockets are served, and those
    /// that they gave up are closed. Counted from the first plan posted.
    public var plansSettled: UInt64 { settledWord.load(ordering: .acquiring) }

    /// Worker thread only.
    func noteSettled(_ plans: UInt64) {
        settledWord.store(plans, ordering: .releasing)
    }

    func finish(_ outcome: Outcome) {
        outcomeWord.store(outcome.rawValue, ordering: .releasing)
    }
}

/// What a worker is built with.
public struct WorkerSettings: Hashable, Sendable {
    /// Slots for connections and as many for flows; the budget for all workers may be lower.
    public var connectionsMax: Int
    /// Kernel features that may be used; those that the kernel lacks are found out at start.
    public var features: KernelFeatures
    /// Receive buffers of 16 KiB that may be in use; memory is taken only as they are used.
    public var buffersMax: Int
    /// Pipes for bulk transfers.
    public var pipesMax: Int

    public static let pipesMaxDefault = 64

    /// - Parameter buffersMax: nil sizes the pool so that its last quarter holds one buffer each
    ///   way for every connection.
    public init(
        connectionsMax: Int, features: KernelFeatures = .all, buffersMax: Int? = nil,
        pipesMax: Int = pipesMaxDefault
    ) {
        precondition(connectionsMax > 0)
        self.connectionsMax = connectionsMax
        self.features = features
        self.buffersMax = buffersMax ?? min(BufferPool.countMax, max(2048, connectionsMax * 8))
        self.pipesMax = pipesMax
    }
}
