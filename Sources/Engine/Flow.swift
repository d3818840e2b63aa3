import CLinux
import Discovery
import Kernel
import Primitives

/// What tells flows apart: who sends, to which address of ours, through which socket.
struct FlowKey: TableKey {
    let client: IPAddress
    let port: UInt16
    let socket: UInt16
    /// The address the client sent to; of a socket that has just one, any constant.
    let local: IPAddress

    func hash(seed: UInt64) -> UInt64 {
        var mixer = WordMixer(seed: seed)
        mixer.mix(client.high)
        mixer.mix(client.low)
        mixer.mix(local.high ^ local.low)
        mixer.mix(UInt64(port) << 16 | UInt64(socket))
        return mixer.state
    }
}

/// A client's address as the kernel gave it, to answer to: `sockaddr_in` or `sockaddr_in6`.
struct ClientName: BitwiseCopyable {
    var bytes: (UInt64, UInt64, UInt64, UInt32) = (0, 0, 0, 0)
    let length: UInt32

    init(_ name: UnsafeRawBufferPointer) {
        length = UInt32(name.count)
        withUnsafeMutableBytes(of: &bytes) { $0.copyMemory(from: name) }
    }
}

/// A UDP client as one endpoint serves it: one slot of the flow table. Trivial.
struct Flow: BitwiseCopyable {
    static let none = UInt32.max

    let key: FlowKey
    var name: ClientName
    var endpoint: Descriptor
    /// Where it is counted; its socket may have become another listener's since.
    let listener: UInt16
    let cluster: UInt32
    /// Whose socket it is; taken by it.
    var leader: Unmanaged<Endpoint>
    /// What it counts for in the cluster's limits.
    var claim = ClusterLimits.Claim()
    /// The endpoint has refused, and not answered since.
    var isDoubtful: Bool
    /// Datagrams may come from and go to the endpoint; false: it waits for the kernel to let go.
    var isLive = true
    var isArmed = false
    var reason = TerminationReason.idleTimedOut
    var lastActivity: UInt64
    /// Answers still to come; counted only where the cluster says how many a request gets.
    var answersLeft: Int64 = 0
    /// Neighbours in the order of last use.
    var older = Flow.none
    var newer = Flow.none
}
