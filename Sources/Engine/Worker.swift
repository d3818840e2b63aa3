import CLinux
import Kernel
import Primitives
import Routing
import Wire

/// One thread's share of the data path: its ring, its connections and flows, its buffers and pipes.
/// Everything here is touched by that thread alone; other threads talk to its `WorkerHandle`.
///
/// The loop is `turn()`: messages, timers, completions. A completion goes by one switch to the
/// function for its kind, which asks a pure machine (`Direction`) what to do and does it.
public struct Worker<R: Ring & ~Copyable>: ~Copyable {
    /// What the worker is about.
    enum Service {
        case awaitingPlan, serving
        /// No new connections; those that live run to their end or to the deadline.
        case draining
        case ended
    }

    // MARK: Immutable after start
    let handle: WorkerHandle
    let counters: Counters

    // MARK: Worker thread only
    var ring: R
    var service = Service.awaitingPlan
    /// The drain's deadline has passed: what still comes is refused.
    var isPastDeadline = false
    /// Connections were ended before their time.
    var isCutOff = false
    var roster: Roster
    /// How many plans it was given.
    var plansServed: UInt64 = 0
    var connections: Slab<Connection>
    let details: UnsafeMutablePointer<ConnectionDetails>
    /// Of slots in phase `exchanging`, and of those that are dialed to be.
    let peers: UnsafeMutablePointer<HTTPPeer>
    var exchanges: Slab<Exchange>
    var idle: IdleConnections
    /// Slots that are streams.
    var streamCount = 0
    /// Connections of HTTP/2 whose session has something to send.
    var unsent: FixedQueue<UInt32>
    var flows: FlowTable
    var timers: TimerWheel
    /// CLOCK_MONOTONIC and its tick, read once a turn.
    var now: UInt64
    var tick: UInt64
    /// The tick up to which timers have fired.
    var tickExpired: UInt64 = 0
    var streamBuffers: BufferPool
    var streamPosting: BufferPosting
    var datagrams: DatagramDesk
    var pipes: PipePool
    var arena = MessageArena()
    /// Directions that have no buffer to receive into.
    var starved: FixedQueue<Token>
    var waiting = WaitPolicy()
    var departing = DepartureSearch()
    /// In this turn.
    var bytesSpliced = 0
    let batch: UnsafeMutableBufferPointer<Completion>
    let parser = ProxyHeaderParser(bytesMax: BufferSize.stream - 512)
    let hellos = HelloReader()
    /// Nil until TLS is spoken.
    var desk: TLSDesk?
    /// Nil until a request is to be read.
    var http: HTTPDesk?
    /// Connections whose handshake goes on in the next turn.
    var handshakes: FixedQueue<Token>
    /// Steps of handshakes in this turn.
    var handshakeSteps = 0

    public init(ring: consuming R, handle: WorkerHandle) {
        let settings = handle.settings
        self.handle = handle
        counters = handle.counters
        now = ring.now()
        tick = Tick.at(nanoseconds: now)
        self.ring = ring
        roster = Roster(seed: UInt64(handle.index))
        // A client whose requests are served has a slot of its own, the endpoint another, and so
        // have their streams of HTTP/2.
        let slots = 4 * settings.connectionsMax
        connections = Slab(capacity: slots)
        details = .allocate(capacity: slots)
        peers = .allocate(capacity: slots)
        exchanges = Slab(capacity: 2 * settings.connectionsMax)
        idle = IdleConnections(countMax: settings.connectionsMax)
        unsent = FixedQueue(capacity: 2 * slots)
        flows = FlowTable(capacity: settings.connectionsMax)
        timers = TimerWheel(
            capacity: slots + flows.capacity + exchanges.capacity + Self.ownTimers, now: tick)
        streamBuffers = BufferPool(
            group: BufferSize.streamGroup, count: settings.buffersMax, size: BufferSize.stream)
        streamPosting = BufferPosting(entries: BufferSize.streamEntries)
        datagrams = DatagramDesk()
        pipes = PipePool(countMax: settings.pipesMax, capacityWanted: BufferSize.pipe)
        starved = FixedQueue(capacity: 4 * slots)
        handshakes = FixedQueue(capacity: 2 * settings.connectionsMax)
        batch = .allocate(capacity: 256)
        let result = self.ring.registerBufferGroup(
            BufferSize.streamGroup, entries: UInt32(BufferSize.streamEntries))
        precondition(result == 0, "a new ring takes a buffer group")
        self.ring.awaitWakeup(token: Token(.wakeup, generation: 0, index: 0))
    }

    deinit {
        batch.deallocate()
        details.deallocate()
        peers.deallocate()
    }

    // MARK: - The loop

    /// Runs until the worker was told to end and has closed everything.
    public mutating func run() {
        while turn() {}
        handle.finish(outcome)
    }

    public var outcome: WorkerHandle.Outcome {
        guard service == .ended else { return .running }
        return isCutOff ? .cutOff : .drained
    }

    /// One turn of the loop; false after the last.
    @discardableResult
    public mutating func turn() -> Bool {
        if !handle.mailbox.isEmpty {
            takeMessages()
            // A drain may find nothing to wait for, and then nothing would wake this thread.
            finishDrain()
        }
        if tick != tickExpired { expireTimers() }
        guard service != .ended else {
            handle.quiescence.sleep()
            return false
        }
        if !unsent.isEmpty { flushSessions() }
        postBuffers()
        wait()
        var handled = 0
        while true {
            let count = ring.takeCompletions(into: batch)
            for place in 0..<count { dispatch(batch[place]) }
            handled += count
            if count < batch.count { break }
        }
        waiting.note(count: handled, bytes: bytesSpliced, now: now)
        bytesSpliced = 0
        counters.add(.turns)
        datagramFlush()
        resumeHandshakes()
        if !starved.isEmpty { feedStarved() }
        finishDrain()
        return true
    }

    /// Sleeps until as much has completed as `WaitPolicy` asks for, or a timer is due.
    @inline(__always)
    private mutating func wait() {
        let step = waiting.step(hasPending: ring.hasPending || !handshakes.isEmpty)
        if step.minimum == 0 {
            handle.quiescence.pass()
            ring.submitAndWait(minimum: 0, batchMicroseconds: 0, timeoutNanoseconds: nil)
        } else {
            var timeout: UInt64?
            if let next = timers.nextTick {
                let due = Tick.nanoseconds(next)
                timeout = due > now ? due - now : 0
            }
            // Without the minimum wait the kernel would hold back the first completion until the
            // last of them comes, which may be never.
            let canBatch = ring.features.contains(.minimumWait)
            handle.quiescence.sleep()
            ring.submitAndWait(
                minimum: canBatch ? step.minimum : 1, batchMicroseconds: step.batchMicroseconds,
                timeoutNanoseconds: timeout)
            handle.quiescence.wake()
        }
        arena.reset()
        now = ring.now()
        tick = Tick.at(nanoseconds: now)
    }

    private mutating func dispatch(_ completion: Completion) {
        guard let kind = OperationKind(rawValue: completion.token.kind) else {
            fatalError("a token comes from this worker")
        }
        switch kind {
        case .requestReceive: received(completion, .request)
        case .responseReceive: received(completion, .response)
        case .requestSend: sent(completion, .request)
        case .responseSend: sent(completion, .response)
        case .requestPollSource: polled(completion, .request, .sourceReadable)
        case .responsePollSource: polled(completion, .response, .sourceReadable)
        case .requestPollSink: polled(completion, .request, .sinkWritable)
        case .responsePollSink: polled(completion, .response, .sinkWritable)
        case .accept: accepted(completion)
        case .inspect: inspected(completion)
        case .dial: dialed(completion)
        case .listenerDatagrams: listenerReceived(completion)
        case .flowDatagrams: flowReceived(completion)
        case .wakeup: ring.awaitWakeup(token: completion.token)
        case .none: break
        }
    }

    // MARK: - Messages

    private mutating func takeMessages() {
        for message in handle.mailbox.takeAll() {
            switch message {
            case .plan(let plan): serve(plan)
            case .drain(let deadline): drain(deadline: deadline)
            case .depart: beginDepartures()
            case .stop: cutOff(.drainTimedOut)
            }
        }
    }
}

extension Token {
    init(_ kind: OperationKind, generation: UInt32, index: UInt32) {
        self.init(kind: kind.rawValue, generation: generation, index: index)
    }
}

/// Sizes of the worker's buffers.
enum BufferSize {
    static let streamGroup: BufferGroup = 0
    static let datagramGroup: BufferGroup = 1
    /// What one RECV gets at most; the crossing between copying and splicing was measured here.
    static let stream = 16_384
    static let streamEntries = 1024
    static let pipe = 1 << 20
}

/// How many buffers are posted to the kernel: few, so that the same warm ones are used again, more
/// each time the kernel ran out of them.
struct BufferPosting {
    let entries: Int
    private(set) var posted = 0
    private(set) var target: Int

    init(entries: Int) {
        self.entries = entries
        target = min(64, entries)
    }

    var missing: Int { max(0, target - posted) }

    mutating func notePosted(_ count: Int) {
        posted += count
        assert(posted <= entries)
    }

    mutating func noteTaken() {
        posted -= 1
        assert(posted >= 0)
    }

    mutating func noteExhausted() {
        target = min(entries, target * 2)
    }
}
