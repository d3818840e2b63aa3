import CLinux
import Primitives

/// One check under way: a socket, and what is said over it. Owned by the health thread; closes its
/// socket with its last reference.
final class Attempt {
    private enum Phase { case idle, connecting, talking }

    let descriptor: Int32
    private let check: HealthCheck
    private let exchange: any Exchange
    private var phase = Phase.idle
    private var output: [UInt8] = []
    private var sentOfOutput = 0
    /// The one datagram is sent, or the endpoint takes no more; it may have answered all the same.
    private var sendsNoMore = false
    private var received = 0

    /// Of all that an endpoint may send, whatever of it the exchange looks at.
    static let receivedMax = 1 << 20
    private static let noSignal = Int32(MSG_NOSIGNAL)

    /// - Throws: EMFILE, ENFILE, ENOMEM and the like.
    init(_ check: HealthCheck, _ desk: SecureDesk) throws(Errno) {
        guard let exchange = check.exchange(desk) else { throw Errno(rawValue: ENOMEM) }
        self.exchange = exchange
        let type = check.isDatagram ? SOCK_DGRAM : SOCK_STREAM
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        descriptor = apus_socket(check.address.raw.family, Int32(type.rawValue) | flags, 0)
        if let errno = Errno(result: Int(descriptor)) { throw errno }
        self.check = check
        output = check.preface
    }

    deinit { _ = apus_close(descriptor) }

    // MARK: - Steps

    /// Connects, and goes as far as it gets.
    /// - Returns: nil while it must wait.
    func start(_ buffer: UnsafeMutableRawBufferPointer) -> CheckOutcome? {
        precondition(phase == .idle)
        if check.isConnectOnly { resetOnClose() }
        var address = check.address.raw
        let length = address.length
        let result = apus_connect(descriptor, &address.storage, length)
        if let errno = Errno(result: Int(result)), errno.rawValue != EINPROGRESS {
            return CheckOutcome(errno, isConnected: false)
        }
        phase = result == 0 ? .talking : .connecting
        return result == 0 ? talk(buffer) : nil
    }

    /// - Parameter events: what epoll_wait(2) said of the descriptor, which is edge-triggered.
    /// - Returns: nil while it must wait.
    func process(
        _ events: UInt32, _ buffer: UnsafeMutableRawBufferPointer
    ) -> CheckOutcome? {
        precondition(phase != .idle)
        if phase == .connecting {
            let ends = EPOLLOUT.rawValue | EPOLLERR.rawValue | EPOLLHUP.rawValue
            guard events & ends != 0 else { return nil }
            if let errno = pendingError() { return CheckOutcome(errno, isConnected: false) }
            phase = .talking
        }
        return talk(buffer)
    }

    /// The time is over.
    func expire() -> CheckOutcome {
        let own = phase == .talking ? exchange.expire() : nil
        return own ?? .failed(.timedOut(milliseconds: check.plan.timeout))
    }

    // MARK: - Talking

    private func talk(_ buffer: UnsafeMutableRawBufferPointer) -> CheckOutcome? {
        while true {
            if let outcome = send() { return outcome }
            let count = apus_recv(descriptor, buffer.baseAddress!, buffer.count, 0)
            switch count {
            // An empty datagram is none the less an answer.
            case 0 where !check.isDatagram: return exchange.end()
            case 0...:
                received += count
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                if let outcome = exchange.receive(bytes) { return outcome }
                guard received <= Self.receivedMax else {
                    return .failed(.answerTooLong(bytes: received))
                }
            case -Int(EAGAIN): return nil
            case -Int(EINTR): continue
            default: return failure(Errno(rawValue: Int32(-count)))
            }
        }
    }

    /// Sends what there is and the kernel takes.
    private func send() -> CheckOutcome? {
        while !sendsNoMore {
            if sentOfOutput == output.count {
                output = exchange.takeOutput()
                sentOfOutput = 0
                // A datagram may be empty, and there is one.
                if output.isEmpty, !check.isDatagram { return exchange.sent() }
            }
            let count = output.withUnsafeBytes { bytes in
                // A send of nothing still needs a place to point to.
                let start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 8)!
                return apus_send(
                    descriptor, start + sentOfOutput, bytes.count - sentOfOutput, Self.noSignal)
            }
            switch count {
            case 0...:
                sentOfOutput += count
                sendsNoMore = check.isDatagram
            case -Int(EAGAIN): return nil
            case -Int(EINTR): continue
            default:
                if check.isDatagram { return failure(Errno(rawValue: Int32(-count))) }
                // What the endpoint said before is still to be read; recv(2) tells the end.
                sendsNoMore = true
            }
        }
        return nil
    }

    private func failure(_ errno: Errno) -> CheckOutcome {
        check.isDatagram && errno.rawValue == ECONNREFUSED
            ? .failed(.datagramRefused) : CheckOutcome(errno, isConnected: true)
    }

    // MARK: - The socket

    private func pendingError() -> Errno? {
        var error: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let result = apus_getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
        precondition(result == 0, "a socket knows its error")
        return error == 0 ? nil : Errno(rawValue: error)
    }

    /// A connection that was only made to see whether it can be ends by RST (`SO_LINGER` with time
    /// 0, `socket(7)`), so that thousands a second leave no ports in TIME_WAIT.
    private func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        let length = socklen_t(MemoryLayout<linger>.size)
        let result = apus_setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, length)
        precondition(result == 0, "every socket has SO_LINGER")
    }
}
