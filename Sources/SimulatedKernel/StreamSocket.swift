import CLinux
import Kernel
import Primitives

/// A TCP or Unix stream socket with its buffers. Two of them are a connection; what one sends
/// crosses to the other after a while, in order. The worker's stand in the descriptor table; those
/// of clients and backends are held by the test, which uses the functions of
/// `StreamSocket+Outside.swift`.
public final class StreamSocket: SimulatedFile {
    enum State { case unconnected, connecting, connected }

    let family: Int32
    public internal(set) var localAddress: SocketAddress?
    public internal(set) var peerAddress: SocketAddress?
    weak var peer: StreamSocket?
    /// Whether this side's descriptor (or the test's hold) is gone.
    public private(set) var isClosed = false
    /// Something was injected that no worker can make good.
    public internal(set) var isDisturbed = false
    var state = State.unconnected

    // MARK: Bytes
    var received = ByteQueue()
    var unsent = ByteQueue()
    let receiveCapacity: Int
    let sendCapacity: Int
    /// Bytes that ever went in at this end, and came out of it.
    public private(set) var bytesSent = 0
    public private(set) var bytesReceived = 0

    // MARK: The two directions' ends
    /// This side said that it sends no more.
    public private(set) var isWriteShut = false
    private var isFINSent = false
    var isFINReceived = false
    public internal(set) var isReset = false
    /// `sk_err`: told once, by whichever call comes first.
    var pendingError: Int32 = 0
    private var lingersZero = false
    /// A Unix socket whose peer closed: it cannot send any more, but still read what came.
    private var isPeerGone = false

    // MARK: The network
    private var isDeliveryPlanned = false
    private var sendBlockedUntil: UInt64 = 0
    /// Called a little after something changed; for the world outside.
    var onChange: (() -> Void)?
    private var isChangePlanned = false

    public var isUnix: Bool { family == AF_UNIX }

    init(kernel: SimulatedKernel, family: Int32, name: String) {
        self.family = family
        receiveCapacity = kernel.chooseSocketCapacity()
        sendCapacity = kernel.chooseSocketCapacity()
        super.init(kernel: kernel, name: name)
    }

    static func connect(_ one: StreamSocket, _ other: StreamSocket) {
        one.peer = other
        other.peer = one
        one.state = .connected
        other.state = .connected
    }

    override var readiness: Int32 {
        if state == .connecting { return pendingError != 0 ? POLLERR | POLLHUP | POLLOUT : 0 }
        var events: Int32 = 0
        let isReceiveShut = isFINReceived || isReset
        if !received.isEmpty || isReceiveShut { events |= POLLIN }
        if isReceiveShut { events |= Int32(0x2000) }  // POLLRDHUP
        if isWriteShut || isReset || isPeerGone || isRoomy { events |= POLLOUT }
        if pendingError != 0 { events |= POLLERR | POLLIN | POLLOUT }
        if isReset || state == .unconnected || (isReceiveShut && isWriteShut) { events |= POLLHUP }
        return events
    }

    /// Linux announces room only when a third is free (`sk_stream_is_writeable`).
    private var isRoomy: Bool {
        kernel.clock >= sendBlockedUntil && (sendCapacity - unsent.count) * 3 >= sendCapacity
    }

    private func takeError() -> Int32 {
        defer { pendingError = 0 }
        return pendingError
    }

    // MARK: - Receiving

    override var bytesReadable: Int { received.count }

    override func receive(into target: UnsafeMutableRawPointer, capacity: Int) -> Int {
        read { limit in received.take(into: target, count: min(limit, capacity)) }
    }

    func receive(into pipe: PipeEnd.Store, count: Int) -> Int {
        read { limit in received.move(min(limit, count), to: &pipe.bytes) }
    }

    /// The order of `tcp_recvmsg`: what is queued, the end of the stream, the error, a reset.
    private func read(_ take: (Int) -> Int) -> Int {
        if state == .unconnected { return Int(-ENOTCONN) }
        if received.isEmpty {
            if isUnix, pendingError != 0 { return Int(-takeError()) }
            if isFINReceived { return 0 }
            if pendingError != 0 { return Int(-takeError()) }
            return isReset ? 0 : Int(-EAGAIN)
        }
        var limit = received.count
        if limit > 1, kernel.chance(kernel.faults.shortRead) { limit = kernel.random(1...limit) }
        let count = take(limit)
        bytesReceived += count
        peer?.planDelivery()
        return count
    }

    // MARK: - Sending

    override func send(_ message: OutgoingMessage) -> Int {
        var sent = 0
        for vector in message.vectors where vector.count > 0 {
            let count = send(vector)
            guard count >= 0 else { return sent > 0 ? sent : count }
            sent += count
            if count < vector.count { break }
        }
        return sent
    }

    func send(_ data: UnsafeRawBufferPointer) -> Int {
        if state == .connecting { return Int(-EAGAIN) }
        if isWriteShut, isOwnedByWorker {
            kernel.report("the worker sent on \(name) after it shut it down for writing")
        }
        if state == .unconnected || isReset || isWriteShut || isPeerGone || pendingError != 0 {
            return Int(pendingError != 0 ? -takeError() : -EPIPE)
        }
        var room = sendCapacity - unsent.count
        if isOwnedByWorker, kernel.chance(kernel.faults.sendWouldBlock) {
            blockSending()
            room = 0
        }
        guard room > 0, kernel.clock >= sendBlockedUntil else { return Int(-EAGAIN) }
        var count = min(room, data.count)
        if count > 1, isOwnedByWorker, kernel.chance(kernel.faults.shortWrite) {
            count = kernel.random(1...count)
        }
        unsent.append(.init(rebasing: data[..<count]))
        bytesSent += count
        planDelivery()
        return count
    }

    private func blockSending() {
        let delay = UInt64(kernel.random(1_000...1_000_000))
        sendBlockedUntil = kernel.clock + delay
        kernel.after(delay) { [self] in changed() }
    }

    var isOwnedByWorker: Bool { onChange == nil }

    // MARK: - The network

    func planDelivery() {
        guard !isDeliveryPlanned, !isReset, let peer, state == .connected else { return }
        let hasBytes =
            !unsent.isEmpty && (peer.received.count < peer.receiveCapacity || peer.isClosed)
        guard hasBytes || (unsent.isEmpty && isWriteShut && !isFINSent) else { return }
        isDeliveryPlanned = true
        kernel.after(kernel.chooseLatency()) { [self] in deliver() }
    }

    private func deliver() {
        isDeliveryPlanned = false
        guard !isReset, let peer else { return }
        if peer.isClosed, !unsent.isEmpty {
            // Data for a socket that nobody holds is answered with a reset (RFC 9293 §3.10.7.4).
            unsent.removeAll()
            if isUnix {
                isPeerGone = true
                return changed()
            }
            peer.unsent.removeAll()
            peer.isReset = true
            return receiveReset()
        }
        if !isUnix, kernel.chance(kernel.faults.resetUnderway) {
            isDisturbed = true
            peer.isDisturbed = true
            peer.receiveReset()
            return receiveReset()
        }
        var limit = peer.receiveCapacity - peer.received.count
        if limit > 1, kernel.random(0...3) == 0 { limit = kernel.random(1...limit) }
        let moved = unsent.move(limit, to: &peer.received)
        // The end may arrive together with the last bytes, or after them.
        let endsNow =
            unsent.isEmpty && isWriteShut && !isFINSent
            && (moved == 0 || kernel.random(0...1) == 0)
        if endsNow {
            isFINSent = true
            peer.isFINReceived = true
        }
        if moved > 0 || endsNow { peer.changed() }
        if moved > 0 { changed() }
        planDelivery()
    }

    func receiveReset() {
        guard !isReset else { return }
        kernel.trace("reset arrives at \(name) of \(localAddress.map { "\($0)" } ?? "nobody")")
        pendingError = isFINReceived ? EPIPE : ECONNRESET
        isReset = true
        unsent.removeAll()
        changed()
    }

    func changed() {
        notify()
        guard onChange != nil, !isChangePlanned else { return }
        isChangePlanned = true
        kernel.after(kernel.chooseLatency()) { [self] in
            isChangePlanned = false
            onChange?()
        }
    }

    // MARK: - The end

    func shutWrite() -> Int32 {
        guard state == .connected, !isReset else { return -ENOTCONN }
        isWriteShut = true
        planDelivery()
        notify()
        return 0
    }

    override func release() {
        guard !isClosed else { return }
        isClosed = true
        guard state == .connected, let peer, !isReset else { return }
        if isUnix {
            return releaseUnix(peer)
        }
        if lingersZero || !received.isEmpty {
            // Unread data, or SO_LINGER with no time: the peer must know that bytes were lost
            // (RFC 2525 §2.17, `tcp_close`).
            return reset()
        }
        isWriteShut = true
        peer.planDelivery()
        planDelivery()
    }

    /// A Unix peer is told that data was lost by an error, has no reset and no linger (`unix(7)`).
    private func releaseUnix(_ peer: StreamSocket) {
        isWriteShut = true
        let isLossy = !received.isEmpty
        received.removeAll()
        peer.unsent.removeAll()
        kernel.after(0) {
            if isLossy { peer.pendingError = ECONNRESET }
            peer.isPeerGone = true
            peer.changed()
        }
        planDelivery()
    }

    /// Ends the connection with a reset: what is not delivered yet is lost.
    public func reset() {
        isClosed = true
        guard state == .connected, !isReset else { return }
        isReset = true
        unsent.removeAll()
        kernel.after(kernel.chooseLatency()) { [peer] in peer?.receiveReset() }
    }

    override func setOption(level: Int32, name: Int32, value: UnsafeRawBufferPointer) -> Int32 {
        if level == SOL_SOCKET, name == SO_LINGER {
            let linger = value.loadUnaligned(as: CLinux.linger.self)
            lingersZero = linger.l_onoff != 0 && linger.l_linger == 0
            return 0
        }
        if kernel.chance(kernel.faults.optionRefused) { return -EINVAL }
        if isUnix, level == IPPROTO_TCP { return -EOPNOTSUPP }
        return 0
    }
}
