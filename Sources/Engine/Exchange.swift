import Discovery
import Wire

/// A request and its answer: what links the client's connection with the endpoint's for as long as
/// either passes. One slot of the worker's slab; trivial.
struct Exchange: BitwiseCopyable {
    static let none = UInt32.max

    /// The client's connection.
    let client: UInt32
    /// The roster's number of the program that decided where it goes, and the rule's place in it.
    let program: UInt32
    let rule: Int32
    /// Place among the rule's backends.
    let backend: Int32
    let method: HTTPMethod
    /// The client does not know chunked framing (RFC 9112 section 7.1).
    let isHTTP10: Bool
    /// The client asks for another protocol (RFC 9110 section 7.8).
    let isUpgrade: Bool
    /// The client's connection may have another request after this one.
    var keepsClient: Bool
    /// The roster's number of the cluster, which the exchange counts for.
    var cluster: UInt32
    /// What it counts for there.
    var claim = ClusterLimits.RequestClaim()
    /// The endpoint's connection, which may still be dialed.
    var endpoint = Exchange.none
    /// The endpoint's connection had served another exchange before, so that its endpoint may have
    /// closed it while this one's head was on its way.
    var isReused = false
    /// What it is told by, where that chooses the endpoint.
    var hash: UInt64?
    /// The value of a cookie that its client gets, or `StickyCookie.none`.
    var cookie = StickyCookie.none
    /// How often it was sent by a connection that ended, or refused it, before it was looked at.
    var repeats: UInt8 = 0
    /// An endpoint that only ever refuses is not asked for ever.
    static let repeatsMax: UInt8 = 16
    /// As the rule has it: after failures.
    var retries: UInt32 = 0
    /// It waits for its next attempt.
    var isBackingOff = false
    /// The endpoint that was asked last, by its number.
    var endpointNumber = UInt32.max
    /// The head as it goes to the endpoint; kept until an answer begins.
    var head = BufferQueue()
    var progress: ExchangeProgress
    /// How the request's body is known to end, as its head says.
    let requestFraming: BodyFraming
    /// What is done to the bytes of each body on their way.
    var requestWriting = BodyWriting.verbatim
    var answerWriting = BodyWriting.verbatim
    /// The connection that it waits for, and the others that do.
    var awaited = Exchange.none
    var next = Exchange.none
    var previous = Exchange.none
    /// Of all attempts; 0 = there is none.
    var deadline: UInt64 = 0
    /// Of the attempt at this endpoint, from when it has the head; 0 = there is none.
    var attemptTicks: UInt64 = 0
}

/// Exchanges that wait for one connection, linked through themselves.
struct ExchangeQueue: BitwiseCopyable {
    var first = Exchange.none
    var last = Exchange.none
    var count: UInt32 = 0

    /// One connection is not to make very many wait for it.
    static let countMax: UInt32 = 100

    var isFull: Bool { count >= Self.countMax }
}

/// What becomes of a body's bytes between two ends that know differently where it ends.
enum BodyWriting: UInt8, BitwiseCopyable {
    /// They go on as they are.
    case verbatim
    /// Chunks lose their framing.
    case content
    /// They get the framing of chunks.
    case chunks
}

/// How far a request and its answer are. Pure; the worker does what it says.
struct ExchangeProgress: BitwiseCopyable, Hashable {
    enum Request: UInt8, BitwiseCopyable, CaseIterable {
        /// Nothing but its head has been taken of the client.
        case head
        /// Some of its body has gone to an endpoint, and there is more.
        case passing
        /// The endpoint has all of it, or has it waiting.
        case passed
    }

    enum Answer: UInt8, BitwiseCopyable, CaseIterable {
        /// Nothing has come but interim answers.
        case awaited
        case passing
        case passed
    }

    enum Event: BitwiseCopyable, Hashable, CaseIterable {
        /// A part of the request's body goes to the endpoint.
        case bodyBegan
        /// The end of the request goes to the endpoint.
        case requestEnded
        /// The answer's head goes to the client.
        case answerBegan
        case answerEnded
        /// The endpoint's connection ended or failed before the answer was whole.
        case endpointLost
        /// As `endpointLost`, where the endpoint may have closed a connection that was idle.
        case idleEndpointLost
        /// The endpoint has not looked at the request.
        case requestRefused
        /// No endpoint could be connected to.
        case endpointMissing
        /// What the endpoint sent is no answer.
        case answerMalformed
        /// The request's time is over.
        case timedOut
    }

    enum Outcome: BitwiseCopyable, Hashable {
        case goOn
        /// Both are whole: the connections can be used for others.
        case finish
        /// The answer is whole before the request was: neither connection is of use any more.
        case finishEarly
        /// The same request is sent by another connection.
        case tryAgain
        /// The client gets an answer of the worker's own.
        case answer(Failure)
        /// The client has a part of an answer, and has to see that it is not whole.
        case cut
    }

    /// Why the endpoint's answer does not come.
    enum Failure: UInt8, BitwiseCopyable, Hashable, CaseIterable {
        case endpointLost, endpointMissing, answerMalformed, timedOut
    }

    private(set) var request: Request
    private(set) var answer = Answer.awaited

    /// - Parameters:
    ///   - hasBody: something of the request follows its head.
    ///   - isIdempotent: to do it twice is to do it once (RFC 9110 section 9.2.2).
    init(hasBody: Bool, isIdempotent: Bool) {
        request = hasBody ? .head : .passed
        (self.hasBody, self.isIdempotent) = (hasBody, isIdempotent)
    }

    private let hasBody: Bool
    private let isIdempotent: Bool

    /// Nothing of a body was taken, and nothing of an answer has come: the head can be sent once
    /// more.
    var canRepeat: Bool { answer == .awaited && request == (hasBody ? .head : .passed) }

    mutating func on(_ event: Event) -> Outcome {
        switch event {
        case .bodyBegan:
            precondition(request != .passed, "nothing follows the end of a request")
            request = .passing
            return .goOn
        case .requestEnded:
            precondition(request != .passed && answer != .passed, "a request ends once")
            request = .passed
            return .goOn
        case .answerBegan:
            precondition(answer == .awaited, "an answer begins once")
            answer = .passing
            return .goOn
        case .answerEnded:
            precondition(answer == .passing, "an answer ends after it began")
            answer = .passed
            return request == .passed ? .finish : .finishEarly
        case .idleEndpointLost where canRepeat && isIdempotent: return .tryAgain
        case .requestRefused where canRepeat: return .tryAgain
        case .endpointLost, .idleEndpointLost, .requestRefused: return fail(.endpointLost)
        case .endpointMissing: return fail(.endpointMissing)
        case .answerMalformed: return fail(.answerMalformed)
        case .timedOut: return fail(.timedOut)
        }
    }

    private func fail(_ failure: Failure) -> Outcome {
        precondition(answer != .passed, "nothing can be lost of an answer that is whole")
        return answer == .awaited ? .answer(failure) : .cut
    }
}
