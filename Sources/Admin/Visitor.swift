import CLinux
import Kernel
import Primitives

/// One connection to the admin server: a request is gathered, an answer sent, and the rest of what
/// the visitor sends thrown away until it closes, because closing over unread bytes would reset
/// the connection under the answer. Owned by the server's thread.
struct Visitor {
    private enum Phase {
        case asking([UInt8])
        case answering([UInt8], sent: Int)
        case leaving
        case gone
    }

    let descriptor: Descriptor
    /// CLOCK_MONOTONIC, nanoseconds; then it is closed.
    private(set) var deadline: UInt64
    private var phase = Phase.asking([])

    /// For a whole request, and for each piece of an answer to be taken.
    private static let patience: UInt64 = 10_000_000_000
    private static let pieceBytes = 16_384

    /// - Parameter descriptor: non-blocking; closed by `close()`.
    init(_ descriptor: Descriptor, now: UInt64) {
        self.descriptor = descriptor
        deadline = now + Self.patience
    }

    var isGone: Bool { if case .gone = phase { true } else { false } }

    /// What `poll(2)` is to wait for.
    var events: Int16 {
        if case .answering = phase { Int16(POLLOUT) } else { Int16(POLLIN) }
    }

    /// Our side of the connection; nil where it has no IP address.
    var localAddress: SocketAddress? {
        var raw = RawSocketAddress()
        raw.length = RawSocketAddress.capacity
        guard apus_getsockname(descriptor, &raw.storage, &raw.length) == 0 else { return nil }
        return raw.ip.map { .ip($0.address, port: $0.port) }
    }

    /// The descriptor has something to say.
    /// - Parameter answer: called with what was sent so far, once it is a request or can be none;
    ///   nil = more is needed.
    mutating func advance(now: UInt64, _ answer: ([UInt8]) -> [UInt8]?) {
        switch phase {
        case .asking(var bytes):
            guard let count = receive(into: &bytes) else { return }
            guard count > 0 else { return close() }
            phase = .asking(bytes)
            guard let response = answer(bytes) else { return }
            phase = .answering(response, sent: 0)
            deadline = now + Self.patience
            send(now: now)
        case .answering:
            send(now: now)
        case .leaving:
            var nothing: [UInt8] = []
            if let count = receive(into: &nothing), count <= 0 { close() }
        case .gone:
            return
        }
    }

    /// - Returns: 0 at the end, below 0 for an error; nil = there is nothing yet.
    private func receive(into bytes: inout [UInt8]) -> Int? {
        withUnsafeTemporaryAllocation(byteCount: Self.pieceBytes, alignment: 16) { piece in
            let count = Int(apus_recv(descriptor, piece.baseAddress, piece.count, 0))
            if count == -Int(EAGAIN) || count == -Int(EINTR) { return nil }
            if count > 0 { bytes.append(contentsOf: piece[..<count]) }
            return count
        }
    }

    private mutating func send(now: UInt64) {
        guard case .answering(let bytes, var sent) = phase else { return }
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Int(
                    apus_send(
                        descriptor, raw.baseAddress! + sent, raw.count - sent,
                        Int32(MSG_NOSIGNAL)))
            }
            if count == -Int(EINTR) { continue }
            if count == -Int(EAGAIN) {
                phase = .answering(bytes, sent: sent)
                return
            }
            guard count > 0 else { return close() }
            sent += count
            deadline = now + Self.patience
        }
        _ = apus_shutdown(descriptor, Int32(SHUT_WR))
        phase = .leaving
    }

    /// Ends it, whatever it was at.
    mutating func close() {
        guard !isGone else { return }
        _ = apus_close(descriptor)
        phase = .gone
    }
}
