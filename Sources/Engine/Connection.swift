import Discovery
import HTTP2
import Kernel
import Primitives
import Routing
import TLS
import Wire

/// Received buffers that wait for their sink, linked through the pool's loads.
struct BufferQueue: BitwiseCopyable {
    var head = BufferPool.none
    var tail = BufferPool.none
    var count: UInt16 = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ id: UInt16, in pool: borrowing BufferPool) {
        pool.load(id).pointee.next = BufferPool.none
        if isEmpty {
            head = id
        } else {
            pool.load(tail).pointee.next = id
        }
        tail = id
        count += 1
    }

    mutating func popFirst(in pool: borrowing BufferPool) -> UInt16? {
        guard !isEmpty else { return nil }
        let id = head
        head = pool.load(id).pointee.next
        count -= 1
        return id
    }
}

/// One direction of a connection with what it holds.
struct Channel: BitwiseCopyable {
    var direction: Direction
    var queue = BufferQueue()
    /// Bytes in `pipe`, which is held only while there are any.
    var pipeBytes: Int32 = 0
    var pipe: Pipe?
    /// Bytes that the sink took.
    var bytes: UInt64 = 0
    /// The source's TLS has ended, by close_notify; what still comes is nothing.
    var isClosedInside = false
}

/// A client's connection and the endpoint's that serves it: one slot of the worker's slab. Trivial:
/// what it holds are descriptors, buffer numbers and a pipe, and a slot is released only when
/// nothing of it is in the kernel (terminate, join, close).
struct Connection: BitwiseCopyable {
    enum Phase: UInt8, BitwiseCopyable {
        /// What the client says first is being received: its PROXY header, its ClientHello.
        case inspecting
        /// The handshake with a client whose TLS ends here.
        case securing
        /// An endpoint is being connected to; `ConnectionDetails.dialStep` says how far that is.
        case dialing
        case relaying
        /// One end of HTTP: a client's whose requests are served, or an endpoint's.
        case exchanging
        /// Terminated: waits until the kernel has given everything back.
        case closing
    }

    /// The listener of a connection to an endpoint that serves exchanges.
    static let noListener = UInt16.max

    var phase = Phase.inspecting
    /// The sides that TLS is spoken with: what is relayed is decrypted and encrypted.
    var secured: SecuredSides = []
    var reason = TerminationReason.clientClosed
    /// The direction whose source ended first.
    var firstEnded: Way?
    /// A send to this side failed so: its receive direction will tell the end.
    var clientFailure: Int32 = 0
    var endpointFailure: Int32 = 0
    var client: Descriptor
    var endpoint: Descriptor = -1
    /// Operations in the kernel.
    var operations: UInt16 = 0
    let listener: UInt16
    var lastActivity: UInt64
    var request: Channel
    var response: Channel
}

/// The sides of a connection that speak TLS.
struct SecuredSides: OptionSet, BitwiseCopyable {
    let rawValue: UInt8

    static let client = SecuredSides(rawValue: 1 << 0)
    static let endpoint = SecuredSides(rawValue: 1 << 1)
}

/// How far the way to an endpoint is. At most one of its operations is in the kernel at a time,
/// under a token of the kind `dial`.
enum DialStep: UInt8, BitwiseCopyable {
    /// A CONNECT is in flight.
    case connecting
    /// A step of the TLS handshake waits for its turn.
    case awaitingTurn
    /// What the last step wrote, and a PROXY header before it, is in flight.
    case sending
    /// A RECV is in flight.
    case receiving
    /// There is no buffer to receive into.
    case starved
    /// The attempt's time is over; what was in flight is being cancelled.
    case abandoned
}

/// What is needed at the beginning and the end of a connection only; stands in a parallel array so
/// that the hot slots stay small.
struct ConnectionDetails {
    static let noCluster = UInt32.max

    /// What the listener's plan said when the client was accepted; a later plan is for others.
    let idleTicks: UInt64
    let inspectionTicks: UInt64
    let proxyHeader: TCPListenerPlan.ProxyHeader
    /// What of the client is read next.
    var inspection: Inspection
    var cluster = noCluster
    /// What it counts for in the cluster's limits.
    var claim = ClusterLimits.Claim()
    /// The endpoint that it is led to, and taken by.
    var endpoint: Unmanaged<Endpoint>?
    /// Those that could not be connected to.
    var tried = TriedEndpoints()
    /// Tick by which some endpoint must have answered.
    var dialDeadline: UInt64 = 0
    /// Where what is inspected is gathered; what stands behind the PROXY header goes on.
    var inspected = BufferQueue()
    /// Where the client's PROXY header says the connection comes from and went to.
    var header: ProxyHeader?
    /// A server of a listener for HTTPS, by its place in one of the listener's plans.
    struct Server: BitwiseCopyable {
        let place: UInt32
        let version: UInt32
    }

    /// Whose requests the client's TLS brings; nil = none, or they come in the clear.
    var server: Server?
    /// Freed when the slot is.
    var clientTLS: TLSSession?
    var isHandshakeDone = false
    /// Of what the client gets by its TLS.
    var clientRecords = RecordSizing()
    var dialStep = DialStep.connecting
    /// With the endpoint that is dialed or served by; freed with the attempt, or when the slot is.
    var endpointTLS: TLSSession?
    var isEndpointSecure = false
    /// What the endpoint sent and no step of the handshake has read.
    var endpointInput = BufferPool.none
    /// Of a connection of HTTP/2; dropped when it ends.
    var session: HTTP2Session?
    /// Of a stream that has ended while its content waits: lines `name: value` CR LF.
    var trailers: [UInt8] = []

    /// Of a connection to an endpoint.
    init() {
        (idleTicks, inspectionTicks) = (0, 0)
        proxyHeader = .none
        inspection = .requests
    }

    init(_ listener: UnsafeMutablePointer<ListenerState>) {
        idleTicks = listener.pointee.idleTicks
        inspectionTicks = listener.pointee.inspectionTicks
        proxyHeader = listener.pointee.tcp.proxyHeader
        inspection =
            if proxyHeader != .none {
                .proxyHeader
            } else if listener.pointee.readsHello {
                .hello
            } else {
                .requests
            }
    }

    enum Inspection: BitwiseCopyable {
        /// A PROXY header, where the listener is told to expect one.
        case proxyHeader
        /// A ClientHello, where the listener chooses by its name.
        case hello
        /// Requests, or nothing at all.
        case requests
    }
}
