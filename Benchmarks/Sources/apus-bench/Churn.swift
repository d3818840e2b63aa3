import CLinux
import Kernel
import Measuring
import Primitives

/// Connects, sends a request, reads the answer and the end of the stream, closes, and begins anew:
/// so many connections at a time. The backend closes first, as an HTTP/1.0 server does, and so no
/// port of the client's stays in TIME_WAIT. Owned by the main thread.
struct Churn: ~Copyable {
    private enum Kind {
        static let connected: UInt8 = 1
        static let received: UInt8 = 2
    }

    private struct Slot {
        var socket: Descriptor = -1
        var sequence: UInt64 = 0
        var received = 0
        var startedAt: UInt64 = 0
    }

    private static let requestBytes = 64

    private var loop = Loop()
    private let slots: UnsafeMutableBufferPointer<Slot>
    private let address: UnsafeMutablePointer<RawSocketAddress>
    private let request: UnsafeMutableRawBufferPointer
    private var measurement = Measurement(mode: "churn")
    private var startedCount: UInt64 = 0
    private var openCount = 0
    private var startedMax: UInt64 = 0

    init(port: UInt16, connections count: Int) {
        slots = .allocate(capacity: count)
        slots.initialize(repeating: Slot())
        address = .allocate(capacity: 1)
        address.initialize(to: RawSocketAddress(.loopbackIPv4, port: port))
        request = .allocate(byteCount: Self.requestBytes, alignment: 64)
        request.initializeMemory(as: UInt8.self, repeating: 0x63)
    }

    deinit {
        request.deallocate()
        address.deallocate()
        slots.deallocate()
    }

    mutating func run(seconds: Int, connectionsTotal: Int) -> String {
        measurement = Measurement(mode: "churn")
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
        slots[index] = Slot(
            socket: socket, sequence: startedCount, startedAt: loop.ring.now())
        startedCount += 1
        openCount += 1
        loop.ring.connect(
            socket, to: address,
            token: Token(kind: Kind.connected, generation: 0, index: UInt32(index)))
    }

    private mutating func handle(_ completion: Completion, mayBegin: Bool) {
        let index = Int(completion.token.index)
        switch completion.token.kind {
        case Kind.connected:
            guard completion.result == 0, ask(index) else {
                return finish(index, failed: true, mayBegin: mayBegin)
            }
            receive(index)
        case Kind.received:
            if completion.result > 0 {
                take(index, loop.bytes(of: completion))
                loop.repost(completion)
                if !completion.hasMore { receive(index) }
            } else if completion.result == -ENOBUFS {
                receive(index)
            } else {
                let isWhole = completion.result == 0 && slots[index].received == Self.requestBytes
                finish(index, failed: !isWhole, mayBegin: mayBegin)
            }
        default:
            fail("a completion of no kind")
        }
    }

    private mutating func ask(_ index: Int) -> Bool {
        Request(sequence: slots[index].sequence, connection: index).write(to: request.baseAddress!)
        return loop.ring.send(slots[index].socket, request.baseAddress!, count: request.count)
            == request.count
    }

    private mutating func receive(_ index: Int) {
        loop.ring.receive(
            on: slots[index].socket, group: Loop.group, multishot: true, pollFirst: true,
            token: Token(kind: Kind.received, generation: 0, index: UInt32(index)))
    }

    /// The answer is one small segment; in pieces, or another's, it never becomes whole.
    private mutating func take(_ index: Int, _ bytes: UnsafeRawBufferPointer) {
        let expected = Request(sequence: slots[index].sequence, connection: index)
        guard bytes.count == Self.requestBytes, Request(bytes.baseAddress!) == expected else {
            slots[index].received = Int.min / 2
            return
        }
        slots[index].received += bytes.count
    }

    private mutating func finish(_ index: Int, failed: Bool, mayBegin: Bool) {
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
