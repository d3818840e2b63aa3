import CLinux
import CSecure
import Measuring

/// What OpenSSL alone takes for the same connections: client and server halves in one thread, with
/// memory between them, timed apart. The server's half is what no proxy can go below with this
/// library. Owned by the main thread.
struct Floor: ~Copyable {
    enum Work: String { case full, resumed, up, down }

    private struct Pair {
        var client: SecureStream
        var server: SecureStream
    }

    private static let requestBytes = 64
    /// One direction's memory: what is written at a time, and what a record adds.
    private static let batchBytes = 256 << 10
    private static let tubeBytes = batchBytes + batchBytes / 8

    private let clients = SecureTerms(readBytes: 128 << 10)
    private let servers: SecureTerms
    private let place: UnsafeMutableRawPointer
    private let client = Stopwatch()
    private let server = Stopwatch()

    /// - Parameters:
    ///   - identity: a PEM file with a certificate and its key.
    ///   - tickets: how many are sent after a full handshake.
    init(identity: String, tickets: Int) {
        servers = SecureTerms(identity: identity, tickets: tickets)
        place = .allocate(byteCount: Self.batchBytes, alignment: 4096)
        place.initializeMemory(as: UInt8.self, repeating: 0x66, count: Self.batchBytes)
    }

    deinit {
        place.deallocate()
    }

    /// One line of JSON: operations (connections, or bytes for bulk), and both halves' CPU time in
    /// nanoseconds.
    func run(_ work: Work, connections: Int, bytes: Int) -> String {
        let operations: Int
        switch work {
        case .full, .resumed:
            operations = connections
            shakeHands(work, connections)
        case .up, .down:
            operations = bytes
            move(work, bytes)
        }
        return "{\"mode\":\"\(work.rawValue)\",\"operations\":\(operations),"
            + "\"client\":\(client.nanoseconds),\"server\":\(server.nanoseconds)}"
    }

    private func resetClocks() {
        client.reset()
        server.reset()
    }

    private func expect(_ outcome: SecureStream.Outcome, _ wanted: SecureStream.Outcome) {
        guard outcome == wanted else {
            fail("\(outcome), not \(wanted): \(SecureStream.lastError)")
        }
    }

    // MARK: Handshakes

    private func shakeHands(_ work: Work, _ count: Int) {
        var session: OpaquePointer?
        for number in 0..<count + count / 10 + 1 {
            // What comes first warms up.
            if number == count / 10 + 1 { resetClocks() }
            let pair = open(resuming: session)
            exchange(pair)
            if work == .resumed, session == nil {
                session = pair.client.session()
                guard session != nil else { fail("no ticket came") }
            }
            close(pair)
        }
        SSL_SESSION_free(session)
    }

    private func open(resuming session: OpaquePointer?) -> Pair {
        guard let up = apus_tube(Self.tubeBytes), let down = apus_tube(Self.tubeBytes),
            BIO_up_ref(up) == 1, BIO_up_ref(down) == 1
        else { fail("no memory") }
        let near = client.time {
            let ssl = clients.stream()
            SSL_set_bio(ssl, down, up)
            guard apus_set_server_name(ssl, SecureTerms.serverName) == 1 else { fail("no name") }
            if let session, SSL_set_session(ssl, session) != 1 { fail("no session") }
            let stream = SecureStream(ssl)
            expect(stream.connect(), .wantsRead)
            return stream
        }
        let far = server.time {
            let ssl = servers.stream()
            SSL_set_bio(ssl, up, down)
            let stream = SecureStream(ssl)
            expect(stream.accept(), .wantsRead)
            return stream
        }
        client.time { expect(near.connect(), .moved(0)) }
        server.time { expect(far.accept(), .moved(0)) }
        guard near.isAsExpected(resumed: session != nil) else { fail("not the wanted handshake") }
        return Pair(client: near, server: far)
    }

    /// A request and its answer, and the end.
    private func exchange(_ pair: Pair) {
        let count = Self.requestBytes
        client.time { expect(pair.client.write(place, count), .moved(count)) }
        server.time {
            expect(pair.server.read(into: place, Self.batchBytes), .moved(count))
            expect(pair.server.write(place, count), .moved(count))
            SSL_shutdown(pair.server.ssl)
        }
        client.time {
            expect(pair.client.read(into: place, Self.batchBytes), .moved(count))
            expect(pair.client.read(into: place, Self.batchBytes), .ended)
        }
    }

    private func close(_ pair: Pair) {
        client.time { pair.client.free() }
        server.time { pair.server.free() }
    }

    // MARK: Bulk

    private func move(_ work: Work, _ bytes: Int) {
        let pair = open(resuming: nil)
        resetClocks()
        var moved = 0
        while moved < bytes {
            let count = min(Self.batchBytes, bytes - moved)
            if work == .up {
                client.time { write(pair.client, count) }
                server.time { read(pair.server, count) }
            } else {
                server.time { write(pair.server, count) }
                client.time { read(pair.client, count) }
            }
            moved += count
        }
        close(pair)
    }

    private func write(_ stream: SecureStream, _ count: Int) {
        var rest = count
        while rest > 0 {
            guard case .moved(let moved) = stream.write(place, rest) else {
                fail("the tube is too small")
            }
            rest -= moved
        }
    }

    private func read(_ stream: SecureStream, _ count: Int) {
        var rest = count
        while rest > 0 {
            guard case .moved(let moved) = stream.read(into: place, rest) else {
                fail("bytes were lost: \(SecureStream.lastError)")
            }
            rest -= moved
        }
    }
}
