import CLinux
import Kernel
import Primitives
import Synchronization

/// A server for trying things out, on threads of its own: over TCP or a Unix socket it answers
/// HTTP/1.1 requests with who it is and who asks, and other lines by repeating them; over UDP it
/// sends datagrams back. Owned by the process for as long as it lives. Nothing for production.
final class DemoBackend: Sendable {
    enum Network: Hashable {
        case stream, datagram
    }

    // MARK: Immutable after start
    let name: String
    /// Where it listens.
    let address: SocketAddress
    private let descriptor: Descriptor

    // MARK: Any thread (atomic)
    private let connectionCount = Atomic<Int>(0)

    /// Each has a thread; more are closed at once.
    static let connectionsMax = 64

    /// Starts to serve.
    /// - Parameter address: with port 0 the system chooses one.
    init(_ name: String, _ network: Network, on address: SocketAddress) throws(Errno) {
        self.name = name
        var raw = address.raw
        let kind = network == .stream ? SOCK_STREAM : SOCK_DGRAM
        let type = Int32(kind.rawValue | SOCK_CLOEXEC.rawValue)
        descriptor = try Self.check(apus_socket(raw.family, type, 0))
        _ = try Self.check(apus_bind(descriptor, &raw.storage, raw.length))
        if network == .stream { _ = try Self.check(apus_listen(descriptor, 64)) }
        raw.length = RawSocketAddress.capacity
        _ = try Self.check(apus_getsockname(descriptor, &raw.storage, &raw.length))
        self.address = raw.ip.map { .ip($0.address, port: $0.port) } ?? address
        try PosixThread.start(name: name) { [self] in
            switch network {
            case .stream: serveStreams()
            case .datagram: serveDatagrams()
            }
        }
    }

    private static func check(_ result: Int32) throws(Errno) -> Int32 {
        if let error = Errno(result: Int(result)) { throw error }
        return result
    }

    // MARK: - Streams

    private func serveStreams() {
        while true {
            let client = apus_accept(descriptor, Int32(SOCK_CLOEXEC.rawValue))
            if client == -EINTR || client == -ECONNABORTED { continue }
            guard client >= 0 else { return }
            guard connectionCount.load(ordering: .relaxed) < Self.connectionsMax else {
                _ = apus_close(client)
                continue
            }
            connectionCount.wrappingAdd(1, ordering: .relaxed)
            do throws(Errno) {
                try PosixThread.start(name: name) { [self] in finish(client) }
            } catch {
                // No thread to be had: the client sees its connection close.
                release(client)
            }
        }
    }

    private func finish(_ client: Descriptor) {
        serve(client)
        release(client)
    }

    private func release(_ client: Descriptor) {
        _ = apus_close(client)
        connectionCount.wrappingSubtract(1, ordering: .relaxed)
    }

    private func serve(_ client: Descriptor) {
        var lines = DemoLines(client)
        var peer = Self.peer(of: client)
        guard var line = lines.next() else { return }
        if let source = DemoBackend.proxySource(line) {
            peer = source
            guard let following = lines.next() else { return }
            line = following
        }
        if line.hasSuffix(" HTTP/1.1") || line.hasSuffix(" HTTP/1.0") {
            answerHTTP(client, &lines, line, peer)
            return
        }
        while true {
            guard Self.write(client, "\(name) heard \(peer) say: \(line)\n") else { return }
            guard let following = lines.next() else { return }
            line = following
        }
    }

    private func answerHTTP(
        _ client: Descriptor, _ lines: inout DemoLines, _ request: String, _ peer: String
    ) {
        while let line = lines.next(), !line.isEmpty {}
        let text = "Hello from \(name) (\(address)) to \(peer): \(request)\n"
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
            + "Content-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n"
        guard Self.write(client, head + text) else { return }
        _ = apus_shutdown(client, Int32(SHUT_WR))
        // Closing with a request's body unread would reset the connection under the answer.
        while lines.next() != nil {}
    }

    /// The client that a PROXY protocol v1 line names (its specification, section 2.1).
    private static func proxySource(_ line: String) -> String? {
        let words = line.split(separator: " ")
        guard words.count == 6, words[0] == "PROXY" else { return nil }
        return words[1] == "TCP6" ? "[\(words[2])]:\(words[4])" : "\(words[2]):\(words[4])"
    }

    private static func peer(of client: Descriptor) -> String {
        var raw = RawSocketAddress()
        raw.length = RawSocketAddress.capacity
        guard apus_getpeername(client, &raw.storage, &raw.length) == 0, let ip = raw.ip else {
            return "a client without an address"
        }
        return "\(SocketAddress.ip(ip.address, port: ip.port))"
    }

    private static func write(_ client: Descriptor, _ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var start = 0
            while start < bytes.count {
                let count = bytes.count - start
                let sent = apus_send(
                    client, bytes.baseAddress! + start, count, Int32(MSG_NOSIGNAL))
                if sent == -Int(EINTR) { continue }
                guard sent > 0 else { return false }
                start += sent
            }
            return true
        }
    }

    // MARK: - Datagrams

    private func serveDatagrams() {
        let capacity = 65_536
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        defer { bytes.deallocate() }
        var peer = RawSocketAddress()
        while true {
            peer.length = RawSocketAddress.capacity
            let count = apus_recvfrom(descriptor, bytes, capacity, &peer.storage, &peer.length)
            // An answer that could not be delivered shows as an error here; go on.
            guard count >= 0 else { continue }
            _ = apus_sendto(descriptor, bytes, count, 0, &peer.storage, peer.length)
        }
    }
}

/// The lines that a client of a demo backend sends, without their ends. One connection's thread.
struct DemoLines {
    private let client: Descriptor
    private var bytes: [UInt8] = []
    private var isAtEnd = false

    /// A longer line is cut into pieces.
    private static let lineBytesMax = 8192

    init(_ client: Descriptor) {
        self.client = client
    }

    /// Nil at the end of the stream or an error; what was sent without a line end comes before.
    mutating func next() -> String? {
        while true {
            if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) { return take(end, skipping: 1) }
            if bytes.count >= Self.lineBytesMax { return take(bytes.count, skipping: 0) }
            if isAtEnd { return bytes.isEmpty ? nil : take(bytes.count, skipping: 0) }
            receive()
        }
    }

    private mutating func take(_ end: Int, skipping: Int) -> String {
        var line = bytes[..<end]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        let text = String(decoding: line, as: UTF8.self)
        bytes.removeFirst(end + skipping)
        return text
    }

    private mutating func receive() {
        let received = withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 16) { chunk in
            let count = apus_recv(client, chunk.baseAddress, chunk.count, 0)
            if count > 0 { bytes.append(contentsOf: chunk[..<count]) }
            return count
        }
        if received <= 0, received != -Int(EINTR) { isAtEnd = true }
    }
}
