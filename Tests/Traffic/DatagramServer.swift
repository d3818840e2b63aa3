import CLinux
import Primitives
import Synchronization

/// A UDP backend on one thread: answers each datagram with what `answer` makes of it.
public final class DatagramServer: Sendable {
    public let address: SocketAddress
    private let socket: Socket
    private let state = Mutex(State())

    private struct State {
        var isStopping = false
        var thread: Job<Void>?
        var received = 0
        var sources: Set<String> = []
    }

    public init(
        on address: SocketAddress, answer: @escaping @Sendable ([UInt8]) -> [[UInt8]] = { [$0] }
    ) throws {
        socket = try Socket.datagrams(on: address)
        self.address = try socket.localAddress
        let thread = Job { [self] in
            while true {
                do {
                    let (datagram, source) = try socket.receiveWithSource()
                    let isStopping = state.withLock {
                        $0.received += 1
                        if let ip = source.ip { $0.sources.insert("\(ip.address):\(ip.port)") }
                        return $0.isStopping
                    }
                    if isStopping { return }
                    for reply in answer(datagram) { try socket.send(reply, to: source) }
                } catch let failure as SocketFailure where failure.isSilence {
                    continue
                } catch let failure as SocketFailure where failure.errno.rawValue == ECONNREFUSED {
                    // An earlier answer came back (`udp(7)`); the next datagram may be well.
                    continue
                }
            }
        }
        state.withLock { $0.thread = thread }
    }

    /// Datagrams so far.
    public var received: Int { state.withLock { $0.received } }
    /// The addresses that they came from.
    public var sources: Set<String> { state.withLock { $0.sources } }

    public func stop() throws {
        let thread = state.withLock {
            $0.isStopping = true
            return $0.thread.take()
        }
        // shutdown(2) does not wake recvmsg(2) on an unconnected UDP socket; a datagram does.
        let waker = try Socket(family: address.raw.family, type: Int32(SOCK_DGRAM.rawValue))
        try waker.send([0], to: address.raw)
        try thread?.join()
        socket.close()
    }
}
