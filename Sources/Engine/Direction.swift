/// One direction of a relay: bytes move from a source socket to a sink socket, copied through the
/// worker's buffers while there are few, spliced through a pipe while there are many. Pure: it says
/// what to do, the worker does it and says what came of it.
public struct Direction: BitwiseCopyable, Hashable, Sendable {
    public enum Phase: UInt8, BitwiseCopyable, CaseIterable, Sendable {
        /// Not started: the other side is not there yet.
        case idle
        /// Received buffers are sent on at once; none is held.
        case copying
        /// The sink takes no more: buffers are held, and a SEND waits for room.
        case blocked
        /// Much is coming: receiving is being stopped, and what is held goes out, before splicing.
        case turning
        /// The source is polled; no pipe is held.
        case splicing
        /// A pipe holds bytes; the sink is polled.
        case pouring
        /// The end of the stream was passed on, or the direction was given up.
        case finished
    }

    /// The RECV operation of the source.
    public enum Receive: UInt8, BitwiseCopyable, CaseIterable, Sendable {
        case none, armed, cancelling
        /// None is armed because the worker ran out of buffers.
        case starved
    }

    public enum Event: Hashable, Sendable {
        case start
        /// The direction starts with bytes that are already here: they come by `received`.
        case startLoaded
        /// There were none after all.
        case resume
        /// A buffer was received. `isLast`: the RECV operation ended with it.
        case received(isFull: Bool, isLast: Bool)
        /// What came of `.forward`.
        case forwarded(inFull: Bool)
        /// The RECV operation ended: stopped by a cancel or by itself.
        case receiveStopped
        case receiveOutOfBuffers
        case endOfStream
        /// Buffers are to be had again.
        case buffersReturned
        /// A SEND ended; `isEmpty`: nothing is held any more.
        case sent(isEmpty: Bool)
        case sourceReadable
        case sinkWritable
        /// What came of `.pump`: the source has no more for now, and the pipe is empty.
        case pumpedDry(isSmall: Bool)
        /// The sink takes no more for now; the pipe holds bytes.
        case pumpedFull
        /// The source ended.
        case pumpedEnd(isPipeEmpty: Bool)
        case pipeRefused
        /// The sink is broken: what is held is of no use any more.
        case abandon
    }

    /// What the worker is to do, in the order of declaration.
    public struct Actions: OptionSet, Hashable, Sendable {
        public let rawValue: UInt16

        public init(rawValue: UInt16) {
            self.rawValue = rawValue
        }

        /// Send the received buffer now, and report `.forwarded`.
        public static let forward = Actions(rawValue: 1 << 0)
        /// Keep the received buffer, or what is left of it, behind those already held.
        public static let enqueue = Actions(rawValue: 1 << 1)
        /// Give the received buffer back unread.
        public static let discard = Actions(rawValue: 1 << 2)
        public static let startSend = Actions(rawValue: 1 << 3)
        public static let arm = Actions(rawValue: 1 << 4)
        public static let cancelReceive = Actions(rawValue: 1 << 5)
        /// Put the direction in the line of those that wait for buffers.
        public static let awaitBuffers = Actions(rawValue: 1 << 6)
        /// Splice from source to sink as far as both allow, and report.
        public static let pump = Actions(rawValue: 1 << 7)
        public static let pollSource = Actions(rawValue: 1 << 8)
        public static let pollSink = Actions(rawValue: 1 << 9)
        public static let shutdownSink = Actions(rawValue: 1 << 10)
        /// Give all held buffers back.
        public static let dropHeld = Actions(rawValue: 1 << 11)
    }

    public private(set) var phase = Phase.idle
    public private(set) var receive = Receive.none
    /// Buffers are held and a SEND is in flight.
    public private(set) var holdsBytes = false
    /// The source ended while bytes were still held.
    public private(set) var isSourceEnded = false
    /// Full buffers in a row; below zero after a pipe was refused, to leave pipes alone a while.
    public private(set) var fullInRow: Int8 = 0
    /// Spliced chunks in a row that would have fitted a buffer.
    public private(set) var smallInRow: Int8 = 0
    /// Buffers still to be sent without a stall until receiving is multishot again.
    public private(set) var caution: Int8 = 0
    public let canSplice: Bool

    /// Full buffers in a row that turn copying into splicing, and small chunks in a row that turn
    /// it back.
    public static let fullInRowToSplice: Int8 = 4
    public static let smallInRowToCopy: Int8 = 4
    static let fullInRowAfterRefusal: Int8 = -64
    static let cautionAfterStall: Int8 = 8

    public init(canSplice: Bool) {
        self.canSplice = canSplice
    }

    /// A multishot RECV goes on delivering until its cancel takes effect; a direction that has just
    /// stalled receives one buffer at a time instead, so that a slow reader holds few of them.
    public var wantsMultishot: Bool { caution == 0 }

    /// It was started with bytes that turned out not to be.
    public var isUnstarted: Bool { phase == .copying && receive == .none }

    private var isBulk: Bool { canSplice && fullInRow >= Self.fullInRowToSplice }

    // MARK: - Events

    /// - Precondition: the event is possible in this phase. What a peer or the kernel can cause is
    ///   always possible.
    @inline(__always)
    public mutating func on(_ event: Event) -> Actions {
        switch (phase, event) {
        case (.copying, .received(let isFull, let isLast)):
            noteReceived(isFull: isFull, isLast: isLast)
            return .forward
        case (.copying, .forwarded(inFull: true)):
            return afterForward()
        case (.blocked, .received(let isFull, let isLast)),
            (.turning, .received(let isFull, let isLast)):
            noteReceived(isFull: isFull, isLast: isLast)
            return holdsBytes ? .enqueue : hold()
        default:
            return onRare(event)
        }
    }

    /// The same for what happens less than once a message.
    @inline(never)
    private mutating func onRare(_ event: Event) -> Actions {
        switch (phase, event) {
        case (.idle, .start):
            phase = .copying
            return rearm()
        case (.idle, .startLoaded):
            phase = .copying
            return []
        case (.copying, .resume):
            return rearm()
        case (.copying, .forwarded(inFull: false)):
            return stall()
        case (.copying, .sent), (.idle, .sent):
            fatalError("illegal: \(event) while \(phase): nothing was held")
        case (.blocked, .sent(let isEmpty)), (.turning, .sent(let isEmpty)):
            guard isEmpty else { return .startSend }
            holdsBytes = false
            return afterDrain()
        case (_, .receiveStopped):
            return onReceiveEnd(.none)
        case (_, .receiveOutOfBuffers):
            return onReceiveEnd(.starved)
        case (_, .endOfStream):
            receive = .none
            isSourceEnded = true
            return holdsBytes || phase == .finished ? [] : finish()
        case (_, .buffersReturned):
            guard receive == .starved else { return [] }
            receive = .none
            return phase == .copying ? rearm() : []
        case (.splicing, .sourceReadable), (.pouring, .sinkWritable):
            return .pump
        case (.splicing, .pumpedDry(let isSmall)), (.pouring, .pumpedDry(let isSmall)):
            return afterPump(isSmall: isSmall)
        case (.splicing, .pumpedFull), (.pouring, .pumpedFull):
            phase = .pouring
            return .pollSink
        case (.splicing, .pumpedEnd(let isEmpty)), (.pouring, .pumpedEnd(let isEmpty)):
            isSourceEnded = true
            guard !isEmpty else { return finish() }
            phase = .pouring
            return .pollSink
        case (.splicing, .pipeRefused):
            fullInRow = Self.fullInRowAfterRefusal
            phase = .copying
            return rearm()
        case (.finished, _):
            return onFinished(event)
        case (_, .abandon):
            return abandon()
        default:
            fatalError("illegal: \(event) while \(phase), receive \(receive)")
        }
    }

    /// After the end only what was still in the kernel comes back.
    private mutating func onFinished(_ event: Event) -> Actions {
        switch event {
        case .received(_, let isLast):
            if isLast { receive = .none }
            return .discard
        case .sent:
            holdsBytes = false
            return []
        case .sourceReadable, .sinkWritable, .abandon:
            return []
        default:
            fatalError("illegal: \(event) after the end")
        }
    }

    // MARK: - Steps

    @inline(__always)
    private mutating func noteReceived(isFull: Bool, isLast: Bool) {
        assert(receive == .armed || receive == .cancelling || !isLast)
        if isLast { receive = .none }
        fullInRow = isFull ? min(fullInRow + 1, Int8.max - 1) : min(fullInRow, 0)
    }

    @inline(__always)
    private mutating func afterForward() -> Actions {
        if caution > 0 { caution -= 1 }
        if isBulk { return turn() }
        return receive == .none ? rearm() : []
    }

    /// The sink did not take all: hold the rest, and stop receiving.
    private mutating func stall() -> Actions {
        caution = Self.cautionAfterStall
        phase = isBulk ? .turning : .blocked
        var actions = hold()
        if receive == .armed {
            receive = .cancelling
            actions.insert(.cancelReceive)
        }
        return actions
    }

    private mutating func hold() -> Actions {
        holdsBytes = true
        return [.enqueue, .startSend]
    }

    /// All that was held has gone.
    private mutating func afterDrain() -> Actions {
        if isSourceEnded { return finish() }
        if isBulk || phase == .turning { return turn() }
        phase = .copying
        return receive == .none ? rearm() : []
    }

    /// Stops receiving; splicing begins when nothing is received or held any more.
    private mutating func turn() -> Actions {
        phase = .turning
        switch receive {
        case .armed:
            receive = .cancelling
            return .cancelReceive
        case .cancelling:
            return []
        case .none, .starved:
            return splice()
        }
    }

    private mutating func splice() -> Actions {
        assert(!holdsBytes && receive != .armed && receive != .cancelling)
        receive = .none
        phase = .splicing
        smallInRow = 0
        return .pump
    }

    private mutating func rearm() -> Actions {
        assert(receive == .none)
        receive = .armed
        return .arm
    }

    private mutating func onReceiveEnd(_ state: Receive) -> Actions {
        receive = state
        switch phase {
        case .copying: return state == .starved ? .awaitBuffers : rearm()
        case .turning: return holdsBytes ? [] : splice()
        case .blocked, .finished:
            receive = .none
            return []
        case .idle, .splicing, .pouring:
            fatalError("illegal: a receive ended while \(phase)")
        }
    }

    private mutating func afterPump(isSmall: Bool) -> Actions {
        smallInRow = isSmall ? smallInRow + 1 : 0
        guard smallInRow < Self.smallInRowToCopy else {
            phase = .copying
            fullInRow = 0
            caution = 0
            return rearm()
        }
        phase = .splicing
        return .pollSource
    }

    private mutating func finish() -> Actions {
        phase = .finished
        return .shutdownSink
    }

    private mutating func abandon() -> Actions {
        phase = .finished
        holdsBytes = false
        if receive == .starved { receive = .none }
        guard receive == .armed else { return .dropHeld }
        receive = .cancelling
        return [.dropHeld, .cancelReceive]
    }
}
