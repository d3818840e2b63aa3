import CLinux
import Kernel
import Measuring
import Primitives

/// Sends a small request over each of its connections and the next one when the answer is there
/// (closed loop), or when its time has come (open loop: the time counts from when the request was
/// due, so that a stall is felt by every request that it held up and nothing is omitted).
/// Owned by the main thread.
struct RoundTrips: ~Copyable {
    private struct Connection {
        var socket: Descriptor
        /// Requests that were sent; the one on its way is `sent - 1`.
        var sent: UInt64 = 0
        var isWaiting = false
        /// Bytes of the answer that arrived so far.
        var received = 0
        var startedAt: UInt64 = 0
        /// Requests that fell due while another was on its way (open loop).
        var due: UInt64 = 0
    }

    private var loop = Loop()
    private let connections: UnsafeMutableBufferPointer<Connection>
    private let request: UnsafeMutableRawBufferPointer
    /// Where an answer in several pieces is put together, one place a connection.
    private let answers: UnsafeMutableRawBufferPointer
    private var measurement = Measurement(mode: "roundtrips")
    private var sentMax: UInt64
    private var sentCount: UInt64 = 0

    init(port: UInt16, connections count: Int, requestBytes: Int, requestsMax: Int) {
        precondition(requestBytes >= Request.bytesMin && requestBytes <= 4096)
        connections = .allocate(capacity: count)
        let sockets = loop.connect(count, to: port)
        for index in 0..<count {
            connections.initializeElement(at: index, to: Connection(socket: sockets[index]))
        }
        request = .allocate(byteCount: requestBytes, alignment: 64)
        request.initializeMemory(as: UInt8.self, repeating: 0x61)
        answers = .allocate(byteCount: requestBytes * count, alignment: 64)
        sentMax = UInt64(requestsMax)
    }

    deinit {
        request.deallocate()
        answers.deallocate()
        connections.deallocate()
    }

    /// One request on each connection, so that everything behind them is set up.
    mutating func warmUp() {
        for index in 0..<connections.count {
            receive(index)
            send(index, at: loop.ring.now())
        }
        let deadline = loop.ring.now() + 10_000_000_000
        while measurement.operations < connections.count {
            guard loop.ring.now() < deadline else { fail("no answers while warming up") }
            for completion in loop.wait(until: deadline) { handle(completion, isClosed: false) }
        }
        guard measurement.errors == 0 else { fail("wrong answers while warming up") }
        measurement = Measurement(mode: "roundtrips")
        sentCount = 0
    }

    mutating func runClosed(seconds: Int) -> String {
        let start = loop.ring.now()
        let end = start + UInt64(seconds) * 1_000_000_000
        for index in 0..<connections.count where sentCount < sentMax { send(index, at: start) }
        var isOver = false
        while !isOver || measurement.operations + measurement.errors < sentCount {
            let completions = loop.wait(until: isOver ? end + 5_000_000_000 : end)
            for completion in completions { handle(completion, isClosed: !isOver) }
            let now = loop.ring.now()
            isOver = now >= end || sentCount >= sentMax
            if now >= end + 5_000_000_000 { break }
        }
        return finish(start)
    }

    mutating func runOpen(seconds: Int, rate: Int) -> String {
        precondition(rate > 0)
        let start = loop.ring.now()
        let end = start + UInt64(seconds) * 1_000_000_000
        let interval = 1_000_000_000.0 / Double(rate)
        let total = min(sentMax, UInt64(rate * seconds))
        for index in 0..<connections.count { connections[index].sent = 0 }
        var next: UInt64 = 0
        openSchedule = Schedule(start: start, interval: interval, step: UInt64(connections.count))
        while measurement.operations + measurement.errors < total {
            let now = loop.ring.now()
            guard now < end + 5_000_000_000 else { break }
            while next < total, openSchedule.time(of: next) <= now {
                let index = Int(next % UInt64(connections.count))
                connections[index].due += 1
                sendDue(index)
                next += 1
            }
            let wake = next < total ? openSchedule.time(of: next) : end + 5_000_000_000
            for completion in loop.wait(until: wake) { handle(completion, isClosed: false) }
        }
        measurement.errors += total - min(total, measurement.operations + measurement.errors)
        return finish(start)
    }

    /// When the requests of an open loop fall due; they go to the connections in turn.
    private struct Schedule {
        var start: UInt64 = 0
        var interval = 0.0
        var step: UInt64 = 0

        func time(of request: UInt64) -> UInt64 {
            start + UInt64(Double(request) * interval)
        }
    }

    private var openSchedule = Schedule()

    private mutating func sendDue(_ index: Int) {
        guard connections[index].due > 0, !connections[index].isWaiting else { return }
        connections[index].due -= 1
        let request = connections[index].sent * openSchedule.step + UInt64(index)
        send(index, at: openSchedule.time(of: request))
    }

    private mutating func finish(_ start: UInt64) -> String {
        measurement.nanoseconds = loop.ring.now() - start
        measurement.bytes = measurement.operations * UInt64(request.count)
        return measurement.json
    }

    private mutating func receive(_ index: Int) {
        loop.ring.receive(
            on: connections[index].socket, group: Loop.group, multishot: true, pollFirst: true,
            token: Token(kind: 1, generation: 0, index: UInt32(index)))
    }

    private mutating func send(_ index: Int, at time: UInt64) {
        Request(sequence: connections[index].sent, connection: index).write(
            to: request.baseAddress!)
        let sent = loop.ring.send(
            connections[index].socket, request.baseAddress!, count: request.count)
        connections[index].sent += 1
        connections[index].startedAt = time
        connections[index].isWaiting = true
        sentCount += 1
        // One small request at a time always finds room; anything else is a broken connection.
        if sent != request.count { lose(index) }
    }

    private mutating func lose(_ index: Int) {
        measurement.errors += 1
        connections[index].isWaiting = false
    }

    private mutating func handle(_ completion: Completion, isClosed: Bool) {
        let index = Int(completion.token.index)
        if completion.result > 0 { take(index, loop.bytes(of: completion), isClosed: isClosed) }
        loop.repost(completion)
        if completion.result == -ENOBUFS || completion.result > 0 {
            if !completion.hasMore { receive(index) }
        } else if connections[index].isWaiting {
            lose(index)
        }
        if openSchedule.step > 0 { sendDue(index) }
    }

    private mutating func take(_ index: Int, _ bytes: UnsafeRawBufferPointer, isClosed: Bool) {
        let place = answers.baseAddress! + index * request.count
        let room = request.count - connections[index].received
        guard connections[index].isWaiting, bytes.count <= room else {
            measurement.errors += 1
            return
        }
        (place + connections[index].received).copyMemory(
            from: bytes.baseAddress!, byteCount: bytes.count)
        connections[index].received += bytes.count
        guard connections[index].received == request.count else { return }
        connections[index].received = 0
        connections[index].isWaiting = false
        let expected = Request(sequence: connections[index].sent - 1, connection: index)
        let now = loop.ring.now()
        if Request(place) == expected {
            measurement.operations += 1
            measurement.latency.record(from: connections[index].startedAt, to: now)
        } else {
            measurement.errors += 1
        }
        if isClosed, sentCount < sentMax { send(index, at: now) }
    }
}
