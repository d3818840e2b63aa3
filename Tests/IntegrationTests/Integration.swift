import Glibc
import Primitives
import Testing
import Traffic

/// Everything here runs the real binary on a machine of a few cores: one test at a time, so that
/// none disturbs what another measures.
@Suite("The real binary", .serialized)
enum Integration {
    /// `APUS_SEED`, so that a failure can be repeated with the seed that it printed.
    static let seed = getenv("APUS_SEED").flatMap { UInt64(String(cString: $0)) } ?? 20_261_123

    /// How to repeat a failure.
    static func repetition(_ test: String = #function) -> Comment {
        "repeat with: APUS_SEED=\(seed) tools/test --filter \(test.prefix { $0 != "(" })"
    }

    static let anyPort = SocketAddress.ip(.loopbackIPv4, port: 0)
}

extension Forwarding.Listener {
    /// A client's connection to this listener.
    func connect(receiveBuffer: Int32? = nil) throws -> Socket {
        try Socket.connected(to: address, receiveBuffer: receiveBuffer)
    }

    /// A client's UDP socket, connected to this listener.
    func datagrams() throws -> Socket {
        let socket = try Socket.datagrams(on: Integration.anyPort)
        try socket.connect(to: address)
        return socket
    }
}

extension Socket {
    /// How the stream from the peer ends: true by a reset, false in good order.
    func endsByReset() throws -> Bool {
        do {
            while try !read().isEmpty {}
            return false
        } catch let failure as SocketFailure where failure.errno.rawValue == ECONNRESET {
            return true
        }
    }

    /// Sends a line and expects it back.
    func expectEcho(
        of text: String = "ping\n", sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try write(text)
        let bytes = try read(exactly: text.utf8.count)
        #expect(
            String(decoding: bytes, as: UTF8.self) == text, sourceLocation: sourceLocation)
    }
}

extension Integration {
    /// dnsmasq at this port of 127.0.0.1 with records of its own; it forwards nothing.
    static func dnsmasq(port: UInt16, _ records: [String]) throws -> ChildProcess {
        let program = try ChildProcess(
            [
                "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts",
                "--conf-file=/dev/null", "--log-facility=-", "--log-queries=extra", "--pid-file=",
                "--user=", "--port=\(port)", "--listen-address=127.0.0.1", "--bind-interfaces",
                "--local=/test/",
            ] + records)
        try program.awaitLine(containing: "started")
        return program
    }
}
