import CLinux
import CSecure
import Kernel
import Primitives

/// One TLS connection of a load. Trivial: who made it ends it, once, with `free`.
struct SecureStream {
    enum Outcome: Equatable {
        /// So many bytes, at least one; or the handshake is over (0).
        case moved(Int)
        case wantsRead
        case wantsWrite
        /// The other side said that it sends no more (RFC 8446, 6.1). A stream that just stops has
        /// failed: it may have been cut off.
        case ended
        case failed
    }

    let ssl: OpaquePointer

    /// - Parameter ssl: from `SecureTerms.stream`, with what carries it set.
    init(_ ssl: OpaquePointer) {
        self.ssl = ssl
    }

    /// A client's over a socket that does not block.
    init(_ terms: borrowing SecureTerms, over socket: Descriptor, resuming: OpaquePointer?) {
        ssl = terms.stream()
        guard SSL_set_fd(ssl, socket) == 1, apus_set_server_name(ssl, SecureTerms.serverName) == 1
        else { fail("no TLS over a socket: \(Self.lastError)") }
        if let resuming, SSL_set_session(ssl, resuming) != 1 {
            fail("the session is of no use: \(Self.lastError)")
        }
    }

    /// What OpenSSL said last.
    static var lastError: String {
        let error = ERR_peek_last_error()
        guard error != 0, let reason = ERR_reason_error_string(error) else {
            return "no reason given"
        }
        return String(cString: reason)
    }

    func connect() -> Outcome {
        ERR_clear_error()
        let result = SSL_connect(ssl)
        return result == 1 ? .moved(0) : unfinished(result)
    }

    func accept() -> Outcome {
        ERR_clear_error()
        let result = SSL_accept(ssl)
        return result == 1 ? .moved(0) : unfinished(result)
    }

    func read(into place: UnsafeMutableRawPointer, _ count: Int) -> Outcome {
        ERR_clear_error()
        var moved = 0
        let result = SSL_read_ex(ssl, place, count, &moved)
        return result == 1 ? .moved(moved) : unfinished(result)
    }

    func write(_ place: UnsafeRawPointer, _ count: Int) -> Outcome {
        ERR_clear_error()
        var moved = 0
        let result = SSL_write_ex(ssl, place, count, &moved)
        return result == 1 ? .moved(moved) : unfinished(result)
    }

    private func unfinished(_ result: Int32) -> Outcome {
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: .wantsRead
        case SSL_ERROR_WANT_WRITE: .wantsWrite
        case SSL_ERROR_ZERO_RETURN: .ended
        default: .failed
        }
    }

    /// Whether more can be had without the socket.
    var holdsBytes: Bool { SSL_has_pending(ssl) == 1 }

    /// The server signed with an ECDSA key; or nobody signed, because an earlier session goes on.
    func isAsExpected(resumed: Bool) -> Bool {
        guard (SSL_session_reused(ssl) == 1) == resumed else { return false }
        var kind: Int32 = 0
        return resumed
            || SSL_get_peer_signature_type_nid(ssl, &kind) == 1 && kind == EVP_PKEY_EC
    }

    /// The session with the ticket that came last, to be freed by whoever takes it; nil when none
    /// came yet: tickets come after the handshake.
    func session() -> OpaquePointer? {
        guard let session = SSL_get1_session(ssl) else { return nil }
        guard SSL_SESSION_is_resumable(session) == 1 else {
            SSL_SESSION_free(session)
            return nil
        }
        return session
    }

    /// Without a word to the other side. OpenSSL takes a session whose connection was not ended for
    /// spoilt, and would not resume it again (`SSL_set_shutdown(3)`).
    func free() {
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        SSL_free(ssl)
    }
}

extension SecureStream {
    private static let waitMilliseconds: Int32 = 10_000

    /// Connects, and waits until the handshake is over; outside of what is measured.
    static func open(
        _ terms: borrowing SecureTerms, _ loop: inout Loop, to port: UInt16
    ) -> (stream: SecureStream, socket: Descriptor) {
        let socket = loop.connect(1, to: port)[0]
        let stream = SecureStream(terms, over: socket, resuming: nil)
        stream.complete(on: socket) { $0.connect() }
        guard stream.isAsExpected(resumed: false) else { fail("not the handshake that was wanted") }
        return (stream, socket)
    }

    /// One request and its answer, waited for.
    func roundTrip(on socket: Descriptor, _ place: UnsafeMutableRawPointer, _ count: Int) {
        complete(on: socket) { $0.write(place, count) }
        var received = 0
        while received < count {
            let rest = count - received
            received += complete(on: socket) { $0.read(into: place + received, rest) }
        }
    }

    /// Repeats a step whenever the socket is ready for it; how many bytes it moved.
    @discardableResult
    func complete(on socket: Descriptor, _ step: (SecureStream) -> Outcome) -> Int {
        while true {
            let events: Int32
            switch step(self) {
            case .moved(let count): return count
            case .wantsRead: events = Int32(POLLIN)
            case .wantsWrite: events = Int32(POLLOUT)
            case .ended: fail("the peer ended a TLS connection that was to go on")
            case .failed: fail("TLS: \(Self.lastError)")
            }
            var wanted = pollfd(fd: socket, events: Int16(events), revents: 0)
            guard poll(&wanted, 1, Self.waitMilliseconds) == 1 else { fail("TLS: no answer") }
        }
    }
}
