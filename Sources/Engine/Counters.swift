import Synchronization

/// What a worker counts. Plain words that one thread writes and any thread reads: an increment is
/// a load, an add and a store, without a locked instruction.
public final class Counters: Sendable {
    public enum Counter: UInt8, CaseIterable, Sendable {
        case connectionsAccepted, connectionsLive
        case flowsAccepted, flowsLive
        case bytesFromClients, bytesFromEndpoints
        case datagramsFromClients, datagramsFromEndpoints
        case datagramsDropped
        case dialAttempts, dialFailures
        case endpointRefusals
        case splicedBytes, pipesInUse, pipeRefusals
        case buffersHeld, bufferStarvations
        case acceptPauses, acceptFailures
        case requests, requestsRepeated, retriesRefused, requestsTimedOut, answersCut
        case sessionsFailed, floodsRefused, streamsRefused
        case answers1xx, answers2xx, answers3xx, answers4xx, answers5xx
        case staleCompletions, unexpectedErrors
        case turns

        public var name: String { "\(self)" }
    }

    // MARK: Any thread (atomic)
    nonisolated(unsafe) private let words: UnsafeMutablePointer<Atomic<UInt64>>

    private static let faultsStart = Counter.allCases.count + TerminationReason.allCases.count
    private static let count = faultsStart + RequestFault.allCases.count

    public init() {
        words = .allocate(capacity: Self.count)
        for place in 0..<Self.count { (words + place).initialize(to: Atomic(0)) }
    }

    deinit {
        words.deinitialize(count: Self.count)
        words.deallocate()
    }

    /// Worker thread only.
    @inline(__always)
    func add(_ counter: Counter, _ amount: Int = 1) {
        add(at: Int(counter.rawValue), amount)
    }

    /// Worker thread only.
    @inline(__always)
    func set(_ counter: Counter, _ value: Int) {
        words[Int(counter.rawValue)].store(UInt64(value), ordering: .relaxed)
    }

    /// Worker thread only.
    @inline(__always)
    func add(_ reason: TerminationReason) {
        add(at: Counter.allCases.count + Int(reason.rawValue), 1)
    }

    /// Worker thread only.
    @inline(__always)
    func add(_ fault: RequestFault) {
        add(at: Self.faultsStart + Int(fault.rawValue), 1)
    }

    @inline(__always)
    private func add(at place: Int, _ amount: Int) {
        let value = words[place].load(ordering: .relaxed)
        words[place].store(value &+ UInt64(bitPattern: Int64(amount)), ordering: .relaxed)
    }

    public subscript(counter: Counter) -> UInt64 {
        words[Int(counter.rawValue)].load(ordering: .relaxed)
    }

    /// Requests that were answered so by workers themselves.
    public subscript(fault: RequestFault) -> UInt64 {
        words[Self.faultsStart + Int(fault.rawValue)].load(ordering: .relaxed)
    }

    /// Connections and flows that ended so.
    public subscript(reason: TerminationReason) -> UInt64 {
        words[Counter.allCases.count + Int(reason.rawValue)].load(ordering: .relaxed)
    }
}
