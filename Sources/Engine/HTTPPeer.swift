import Wire

/// One end of HTTP on one connection, or of one stream of HTTP/2: what of its peer is read next,
/// and whether anything is on its way in the kernel. Stands in an array parallel to the slots, of
/// those in phase `exchanging`.
struct HTTPPeer: BitwiseCopyable {
    /// The multishot or single receive operation.
    enum Receiving: UInt8, BitwiseCopyable {
        case stopped, armed, cancelling
        /// There was no buffer; it stands in the line of those who wait for one.
        case starved
    }

    /// What comes next of the peer.
    enum Reading: BitwiseCopyable {
        /// The head of a request, or of an answer.
        case head
        case body(BodyReader)
        /// So many bytes of a body, which go on through a pipe.
        case spliced(UInt64)
        /// After an upgrade: bytes, to the end of the stream.
        case tunnel
        /// HTTP/2: the bytes are a session's, and its streams have slots of their own.
        case frames
        /// Nothing that comes matters any more; the peer is to see the end first.
        case discarding
    }

    /// What a body that is spliced waits for.
    enum Polling: BitwiseCopyable {
        case none, source, sink
    }

    /// What the peer gets.
    enum Sending: BitwiseCopyable {
        case open
        /// That nothing more comes has been said inside of TLS; the socket's end follows when that
        /// has left.
        case closing
        /// The socket's end of stream is sent.
        case shut
    }

    var receiving = Receiving.stopped
    var sending = Sending.open
    var isSending = false
    var polling = Polling.none
    /// Receiving stops, so that the rest of a body can be spliced.
    var wantsSplice = false
    /// The last body from it was long enough to be spliced. One receive operation that goes on by
    /// itself would have taken all of the next before its length is known.
    var isBulky = false
    var reading = Reading.head
    /// What it has sent is being read; what happens meanwhile is looked at in the same loop.
    var isBeingRead = false
    /// Bytes of a head that is not whole which were looked at.
    var examined: UInt32 = 0
    /// A head has begun, and its time runs.
    var isHeadBegun = false
    /// The peer's stream has ended.
    var isEnded = false
    /// An endpoint's: it does not close its connection after this answer.
    var keepsOpen = false
    /// Everything was said to the peer: its connection ends when that is sent.
    var isFinished = false
    var exchange = Exchange.none
    /// Exchanges that it has served.
    var exchanges: UInt32 = 0
    /// Idle connections are linked, those of one endpoint among them.
    var next = HTTPPeer.none
    var previous = HTTPPeer.none
    var isIdle = false
    /// The connection of a stream of HTTP/2; `none` = it is a connection itself.
    var carrier = HTTPPeer.none
    /// Its place in the carrier's session; `none` = the stream is closed, or not open yet.
    var stream = HTTPPeer.none
    /// A session that has something to send in this turn.
    var hasOutput = false
    /// Of an endpoint's: it is of HTTP/2, or will be when it is made.
    var isShared = false
    /// Exchanges that wait until it is known how many streams the endpoint takes.
    var waiting = ExchangeQueue()
    /// The client of a copy of a request.
    var isMirror = false
    /// The first of the mirrors that get its request's body, or the next of them.
    var mirror = HTTPPeer.none
    /// Whose request's body a mirror gets.
    var mirrored = HTTPPeer.none
    /// By which the body that is read has to have come; 0 = there is no limit.
    var requestDeadline: UInt64 = 0
    /// Whom a client's connection is from; nil = nobody has asked yet.
    var client: ClientAddress?
    /// A stream that its peer has not looked at (RFC 9113 section 8.7).
    var isRefused = false
    /// The client's request is gRPC's, and so is what is said about it.
    var isGRPC = false

    var isReadingBody: Bool {
        switch reading {
        case .body, .spliced: true
        case .head, .tunnel, .frames, .discarding: false
        }
    }

    static let none = UInt32.max
    /// As the carrier of a stream that is over, while what it has said waits.
    static let gone = UInt32.max - 1
}
