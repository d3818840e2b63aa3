import Kernel
import Primitives
import Routing

/// One listening socket of a worker. Trivial; owned by the worker's roster.
struct ListenerSocket: BitwiseCopyable {
    let descriptor: Descriptor
    /// As the plan that brought it named it.
    let number: UInt64
    var listener: UInt16
    let isDatagram: Bool
    /// An IP socket, which has TCP's options.
    let isIP: Bool
    /// Bound to a wildcard address: datagrams tell which address they were sent to.
    let isWildcard: Bool
    /// An operation is in the kernel.
    var isArmed = false
    /// Accepting waits until there is room again; or a datagram socket is to be closed.
    var isPaused = false
    /// A new plan gave it up: it is closed when nobody needs it any more.
    var isLeaving = false
    /// The tick by which the flows on it are to end, if it is leaving.
    var departure: UInt64 = 0
    /// Flows that live on it.
    var flowCount: UInt32 = 0

    init(
        _ descriptor: Descriptor, number: UInt64, _ listener: UInt16, _ plan: ListenerPlan,
        _ address: SocketAddress
    ) {
        self.descriptor = descriptor
        self.number = number
        self.listener = listener
        if case .udp = plan.transport { isDatagram = true } else { isDatagram = false }
        if case .ip(let ip, _) = address {
            (isIP, isWildcard) = (true, ip.isAny)
        } else {
            (isIP, isWildcard) = (false, false)
        }
    }
}
