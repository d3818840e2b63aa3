import Primitives
import Routing
import Synchronization
import TLS

/// One place that clients are sent to: who it is, and what became of them, for as long as anybody
/// refers to it. It goes on through every change of the set that it is in, and of the plan. Workers
/// refer to it without counting: whoever leads a connection or flow to it counts it in `live`, and
/// it is freed only when nobody can pick it any more and `live` is 0.
public final class Endpoint: Sendable {
    /// Whether who is on it should stay. Whoever publishes a set says it; workers read it.
    public enum Standing: UInt8, Sendable {
        /// It gets clients, or will again when it is its tier's turn.
        case serving
        /// Its tier serves only while one before it cannot, and that one is back.
        case relieved
        /// Found ill by checks, or left out after failures where there are none.
        case down
        /// It is no endpoint of the cluster any more.
        case gone
    }

    public let plan: EndpointPlan
    public let socketAddress: SocketAddress
    /// The same, where an operation may point to it; it stays there.
    public nonisolated(unsafe) let address: UnsafeMutablePointer<RawSocketAddress>
    /// Speaks TLS with it; nil = it is spoken to in the clear.
    public let tls: TLSClient?
    /// `EndpointPlan.tlsName`.
    public let tlsName: String?
    /// Never given to another in this process.
    public let number: UInt32

    private static let numbers = Atomic<UInt32>(0)

    // MARK: Any thread (atomic)
    private let liveCount = Atomic<Int>(0)
    /// Of `liveCount`: connections that wait for a request.
    private let parkedCount = Atomic<Int>(0)
    private let leadCount = Atomic<UInt64>(0)
    private let failureCount = Atomic<UInt64>(0)
    private let failuresInRowCount = Atomic<UInt32>(0)
    /// `TLSFault.word`; 0 = none.
    private let faultWord = Atomic<UInt64>(0)
    private let standingWord = Atomic<UInt8>(Standing.serving.rawValue)
    /// Where it stands in the set that was published last; a hint.
    private let placeWord = Atomic<Int>(0)

    /// - Precondition: `tls` is given where the plan says TLS, and only there, so that nothing goes
    ///   in the clear instead.
    public init(_ plan: EndpointPlan, at socketAddress: SocketAddress, tls: TLSClient? = nil) {
        precondition((plan.tls == nil) == (tls == nil), "TLS as the plan says")
        self.plan = plan
        self.tls = tls
        tlsName = tls == nil ? nil : plan.tlsName
        self.socketAddress = socketAddress
        number = Self.numbers.wrappingAdd(1, ordering: .relaxed).newValue
        address = .allocate(capacity: 1)
        address.initialize(to: socketAddress.raw)
    }

    deinit {
        address.deallocate()
    }

    public var family: Int32 { address.pointee.family }

    /// Connections and flows that it serves, of all workers: exact.
    public var live: Int { liveCount.load(ordering: .relaxed) }
    /// Those of `live` that have something to do.
    public var busy: Int { live - parkedCount.load(ordering: .relaxed) }
    /// Of all time.
    public var led: UInt64 { leadCount.load(ordering: .relaxed) }
    public var failures: UInt64 { failureCount.load(ordering: .relaxed) }
    /// Connects that failed since the last that succeeded.
    public var failuresInRow: UInt32 { failuresInRowCount.load(ordering: .relaxed) }

    public internal(set) var standing: Standing {
        get {
            guard let standing = Standing(rawValue: standingWord.load(ordering: .relaxed)) else {
                fatalError("only standings are stored")
            }
            return standing
        }
        set { standingWord.store(newValue.rawValue, ordering: .relaxed) }
    }

    var place: Int {
        get { placeWord.load(ordering: .relaxed) }
        set { placeWord.store(newValue, ordering: .relaxed) }
    }

    /// A connection or flow is led to it.
    /// - Parameter most: that it may serve at a time (`circuitBreaker.perEndpoint.maxConnections`).
    /// - Returns: false = it serves so many already.
    public func take(most: Int = .max) -> Bool {
        guard liveCount.take(most: most) else { return false }
        leadCount.wrappingAdd(1, ordering: .relaxed)
        return true
    }

    /// And has ended, or goes elsewhere. Releasing: whoever sees 0 may free it.
    public func give() {
        let result = liveCount.wrappingSubtract(1, ordering: .releasing)
        assert(result.newValue >= 0, "who is given back was taken")
    }

    /// A connection of those that live waits for the next request, until `unpark`.
    public func park() { parkedCount.wrappingAdd(1, ordering: .relaxed) }

    public func unpark() { parkedCount.wrappingSubtract(1, ordering: .relaxed) }

    /// A request is led to it by a connection that was there.
    public func noteLed() { leadCount.wrappingAdd(1, ordering: .relaxed) }

    /// - Returns: how many in a row that makes.
    public func noteFailure() -> UInt32 {
        failureCount.wrappingAdd(1, ordering: .relaxed)
        return failuresInRowCount.wrappingAdd(1, ordering: .relaxed).newValue
    }

    func forgetFailures() {
        failuresInRowCount.store(0, ordering: .relaxed)
        faultWord.store(0, ordering: .relaxed)
    }

    /// Why the last handshake failed, if a connect has failed since one succeeded.
    public var fault: TLSFault? { TLSFault(word: faultWord.load(ordering: .relaxed)) }

    public func note(_ fault: TLSFault) { faultWord.store(fault.word, ordering: .relaxed) }

    /// Whether nobody is served by it; acquiring, so that it may be freed then.
    var isUnused: Bool { liveCount.load(ordering: .acquiring) == 0 }
}
