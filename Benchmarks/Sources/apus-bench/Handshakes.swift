import CLinux
import CSecure
import Kernel
import Measuring
import Primitives

/// Connects, shakes hands, sends a request, reads the answer and the end of the stream, closes, and
/// begins anew: `Churn` over TLS. Either every handshake is a full one, or every one resumes the
/// same session, which is fetched before the measured work. Owned by the main thread.
struct Handshakes: ~Copyable {
    private enum Kind {
        static let connected: UInt8 = 1
        static let ready: UInt8 = 2
    }

    private enum Phase { case connecting, shaking, answering }

    private struct Slot {
        var socket: Descriptor = -1
        var stream: SecureStream?
        var phase = Phase.connecting
        var sequence: UInt64 = 0
        var received = 0
        var startedAt: UInt64 = 0
    }

    private static let requestBytes = 64

    private let terms = SecureTerms()
    private let session: OpaquePointer?
    private var loop = Loop(buffers: 64)
    private let slots: UnsafeMutableBufferPointer<Slot>
    private let address: UnsafeMutablePointer<RawSocketAddress>
    private let request: UnsafeMutableRawBufferPointer
    private let answers: UnsafeMutableRawBufferPointer
    private var measurement: Measurement
    private var startedCount: UInt64 = 0
    private var openCount = 0
    private var startedMax: UInt64 = 0

    init(port: UInt16, connections count: Int, resumes: Bool) {
        apus_ignore_broken_pipes()
        slots = .allocate(capacity: count)
        slots.initialize(repeating: Slot())
        address = .allocate(capacity: 1)
        address.initialize(to: RawSocketAddress(.loopbackIPv4, port: port))
        request = .allocate(byteCount: Self.requestBytes, alignment: 64)
        request.initializeMemory(as: UInt8.self, repeating: 0x63)
        // One byte more than is wanted: whoever sends it is noticed.
        answers = .allocate(byteCount: (Self.requestBytes + 1) * count, alignment: 64)
        measurement = Measurement(mode: "handshakes")
        session = resumes ? Self.fetchSession(terms, &loop, port, answers) : nil
    }

    deinit {
        SSL_SESSION_free(session)
        answers.deallocate()
        request.deallocate()
        address.deallocate()
        slots.deallocate()
    }

    /// The tickets come before the answer, in the same stream.
    private static func fetchSession(
        _ terms: borrowing SecureTerms, _ loop: inout Loop, _ port: UInt16,
        _ place: UnsafeMutableRawBufferPointer
    ) -> OpaquePointer {
        let (stream, socket) = SecureStream.open(terms, &loop, to: port)
        guard let bytes = place.baseAddress else { fail("no connections are asked for") }
        stream.roundTrip(on: socket, bytes, requestBytes)
        guard let session = stream.session() else { fail("no ticket came") }
        stream.free()
        _ = loop.ring.close(socket)
        return session
    }

    mutating func run(seconds: Int, connectionsTotal: Int) -> String {
        measurement = Measurement(mode: session == nil ? "tls-full" : "tls-resumed")
        let start = loop.ring.now()
        let end = start + UInt64(seconds) * 1_000_000_000
        startedCount = 0
        startedMax = UInt64(connectionsTotal)
        for index in 0..<slots.count where startedCount < startedMax { begin(index) }
        var now = start
        while openCount > 0, now < end + 5_000_000_000 {
            for completion in loop.wait(until: end + 5_000_000_000) {
                handle(completion, mayBegin: now < end)
            }
            now = loop.ring.now()
        }
        measurement.errors += UInt64(openCount)
        measurement.nanoseconds = now - start
        measurement.bytes = measurement.operations * UInt64(Self.requestBytes)
        return measurement.json
    }

    private mutating func begin(_ index: Int) {
        let socket = loop.streamSocket()
        slots[index] = Slot(socket: socket, sequence: startedCount, startedAt: loop.ring.now())
        startedCount += 1
        openCount += 1
        loop.ring.connect(
            socket, to: address,
            token: Token(kind: Kind.connected, generation: 0, index: UInt32(index)))
    }

    private mutating func handle(_ completion: Completion, mayBegin: Bool) {
        let index = Int(completion.token.index)
        if completion.token.kind == Kind.connected {
            guard completion.result == 0 else {
                return finish(index, failed: true, mayBegin: mayBegin)
            }
            slots[index].stream = SecureStream(
                terms, over: slots[index].socket, resuming: session)
            slots[index].phase = .shaking
        }
        guard let stream = slots[index].stream else { fail("a completion of no connection") }
        switch advance(index, stream) {
        case .wantsRead: poll(index, POLLIN)
        case .wantsWrite: poll(index, POLLOUT)
        case .moved, .failed: finish(index, failed: true, mayBegin: mayBegin)
        case .ended:
            let isWhole = slots[index].received == Self.requestBytes
            finish(index, failed: !isWhole, mayBegin: mayBegin)
        }
    }

    private mutating func poll(_ index: Int, _ events: Int32) {
        loop.ring.poll(
            slots[index].socket, events: events,
            token: Token(kind: Kind.ready, generation: 0, index: UInt32(index)))
    }

    /// As far as it goes without waiting: what it waits for, or how it came to its end.
    private mutating func advance(_ index: Int, _ stream: SecureStream) -> SecureStream.Outcome {
        if slots[index].phase == .shaking {
            let outcome = stream.connect()
            guard outcome == .moved(0) else { return outcome }
            guard stream.isAsExpected(resumed: session != nil), ask(index, stream) else {
                return .failed
            }
            slots[index].phase = .answering
        }
        let room = Self.requestBytes + 1
        let place = answers.baseAddress! + index * room
        while slots[index].received < room {
            let received = slots[index].received
            let outcome = stream.read(into: place + received, room - received)
            guard case .moved(let count) = outcome else {
                return outcome == .ended && !isAnswered(index, place) ? .failed : outcome
            }
            slots[index].received += count
        }
        return .failed
    }

    private func isAnswered(_ index: Int, _ place: UnsafeRawPointer) -> Bool {
        slots[index].received == Self.requestBytes
            && Request(place) == Request(sequence: slots[index].sequence, connection: index)
    }

    private func ask(_ index: Int, _ stream: SecureStream) -> Bool {
        Request(sequence: slots[index].sequence, connection: index).write(to: request.baseAddress!)
        return stream.write(request.baseAddress!, request.count) == .moved(request.count)
    }

    private mutating func finish(_ index: Int, failed: Bool, mayBegin: Bool) {
        slots[index].stream?.free()
        slots[index].stream = nil
        _ = loop.ring.close(slots[index].socket)
        openCount -= 1
        if failed {
            measurement.errors += 1
        } else {
            measurement.operations += 1
            measurement.latency.record(from: slots[index].startedAt, to: loop.ring.now())
        }
        if mayBegin, startedCount < startedMax { begin(index) }
    }
}
