import CLinux
import Kernel
import Measuring
import Primitives

/// Flows of datagrams to an echo: each flow sends a burst and the next one when all of it came back
/// (closed loop; a burst of one is a round trip), or sends at a given rate whatever comes back
/// (flood). What does not come back in time is lost, and counted. Owned by the main thread.
struct Datagrams: ~Copyable {
    private struct Flow {
        var socket: Descriptor
        /// The first datagram of the burst on its way, and how many of it are still awaited.
        var sequence: UInt64 = 0
        var awaited = 0
        var startedAt: UInt64 = 0
    }

    /// How long an answer may take before it counts as lost.
    private static let patienceNanoseconds: UInt64 = 500_000_000

    private var loop: Loop
    private let flows: UnsafeMutableBufferPointer<Flow>
    private let datagramBytes: Int
    private let burst: Int
    private let usesSegmentation: Bool
    private let payload: UnsafeMutableRawBufferPointer
    private var measurement = Measurement(mode: "datagrams")
    private var sentCount: UInt64 = 0
    private var sentMax: UInt64
    private var isFlood = false

    init(
        port: UInt16, flows count: Int, datagramBytes: Int, burst: Int, usesSegmentation: Bool,
        datagramsMax: Int
    ) {
        precondition(datagramBytes >= Request.bytesMin && datagramBytes <= 65_507 && burst > 0)
        precondition(!usesSegmentation || datagramBytes * burst <= 65_507)
        self.datagramBytes = datagramBytes
        self.burst = burst
        self.usesSegmentation = usesSegmentation
        sentMax = UInt64(datagramsMax)
        loop = Loop(buffers: 1024, bufferBytes: 65_536)
        flows = .allocate(capacity: count)
        let sockets = loop.datagramSockets(count, to: port, receiveOffload: usesSegmentation)
        for index in 0..<count {
            flows.initializeElement(at: index, to: Flow(socket: sockets[index]))
            if usesSegmentation {
                loop.option(
                    sockets[index], Int32(IPPROTO_UDP), UDP_SEGMENT, Int32(datagramBytes))
            }
        }
        payload = .allocate(byteCount: datagramBytes * burst, alignment: 64)
        payload.initializeMemory(as: UInt8.self, repeating: 0x64)
        for index in 0..<count { receive(index) }
    }

    deinit {
        payload.deallocate()
        flows.deallocate()
    }

    /// One burst on each flow, so that everything behind them is set up.
    mutating func warmUp() {
        let most = sentMax
        sentMax = UInt64(flows.count * burst)
        _ = run(seconds: 5)
        // A proxy may lose of the first burst of all; the measured ones are counted.
        guard measurement.errors == 0, measurement.operations > 0 else {
            fail(
                "while warming up: \(measurement.operations) answers, "
                    + "\(measurement.errors) errors, \(measurement.lost) lost")
        }
        sentMax = most
    }

    mutating func run(seconds: Int) -> String {
        measurement = Measurement(mode: "datagrams")
        isFlood = false
        sentCount = 0
        let start = loop.ring.now()
        let end = start + UInt64(seconds) * 1_000_000_000
        for index in 0..<flows.count where sentCount < sentMax { send(index, at: start) }
        var checkAt = start + Self.patienceNanoseconds
        while measurement.operations + measurement.lost < sentCount {
            for completion in loop.wait(until: checkAt) { handle(completion, mayGoOn: true, end) }
            let now = loop.ring.now()
            if now >= checkAt {
                giveUp(before: now - Self.patienceNanoseconds, mayGoOn: now < end)
                checkAt = now + Self.patienceNanoseconds / 4
            }
        }
        return finish(from: start, to: loop.ring.now())
    }

    /// - Parameter rate: datagrams a second over all flows together.
    mutating func runFlood(seconds: Int, rate: Int) -> String {
        precondition(rate > 0)
        measurement = Measurement(mode: "flood")
        isFlood = true
        sentCount = 0
        let start = loop.ring.now()
        let end = start + UInt64(seconds) * 1_000_000_000
        let interval = Double(burst) * 1_000_000_000.0 / Double(rate)
        var turn = 0
        var now = start
        while now < end, sentCount < sentMax {
            while sentCount < sentMax, start + UInt64(Double(turn) * interval) <= now {
                send(turn % flows.count, at: now)
                turn += 1
            }
            let wake = start + UInt64(Double(turn) * interval)
            for completion in loop.wait(until: wake) { handle(completion, mayGoOn: false, end) }
            now = loop.ring.now()
        }
        let stop = now
        let patience = now + Self.patienceNanoseconds
        while measurement.operations < sentCount, loop.ring.now() < patience {
            for completion in loop.wait(until: patience) { handle(completion, mayGoOn: false, end) }
        }
        measurement.lost = sentCount - min(sentCount, measurement.operations)
        return finish(from: start, to: stop)
    }

    private mutating func finish(from start: UInt64, to end: UInt64) -> String {
        measurement.nanoseconds = end - start
        measurement.bytes = measurement.operations * UInt64(datagramBytes)
        return measurement.json
    }

    private mutating func receive(_ index: Int) {
        loop.ring.receive(
            on: flows[index].socket, group: Loop.group, multishot: true, pollFirst: true,
            token: Token(kind: 1, generation: 0, index: UInt32(index)))
    }

    private mutating func send(_ index: Int, at time: UInt64) {
        let socket = flows[index].socket
        for place in 0..<burst {
            let datagram = payload.baseAddress! + place * datagramBytes
            Request(sequence: flows[index].sequence + UInt64(place), connection: index).write(
                to: datagram)
            if !usesSegmentation {
                let sent = loop.ring.send(socket, datagram, count: datagramBytes)
                if sent != datagramBytes { measurement.errors += 1 }
            }
        }
        if usesSegmentation {
            let sent = loop.ring.send(socket, payload.baseAddress!, count: payload.count)
            if sent != payload.count { measurement.errors += UInt64(burst) }
        }
        flows[index].awaited = burst
        flows[index].startedAt = time
        if isFlood { flows[index].sequence += UInt64(burst) }
        sentCount += UInt64(burst)
    }

    private mutating func handle(_ completion: Completion, mayGoOn: Bool, _ end: UInt64) {
        let index = Int(completion.token.index)
        if completion.result > 0 {
            let bytes = loop.bytes(of: completion)
            if bytes.count % datagramBytes != 0 { measurement.errors += 1 }
            for place in 0..<bytes.count / datagramBytes {
                take(index, Request(bytes.baseAddress! + place * datagramBytes))
            }
            loop.repost(completion)
        } else if completion.result != -ENOBUFS {
            // A refusal of an earlier datagram (ICMP) shows as an error of the socket once.
            measurement.errors += 1
        }
        if !completion.hasMore { receive(index) }
        guard mayGoOn, completion.result > 0, flows[index].awaited == 0 else { return }
        let now = loop.ring.now()
        measurement.latency.record(from: flows[index].startedAt, to: now)
        flows[index].sequence += UInt64(burst)
        flows[index].awaited = -1
        if sentCount < sentMax, now < end { send(index, at: now) }
    }

    /// Answers may overtake one another within a burst, but not come from another burst or flow:
    /// such a one came after its loss was counted.
    private mutating func take(_ index: Int, _ answer: Request) {
        guard answer.connection == UInt64(index) else {
            measurement.errors += 1
            return
        }
        if isFlood {
            measurement.operations += 1
            return
        }
        let first = flows[index].sequence
        guard answer.sequence >= first, answer.sequence < first + UInt64(burst),
            flows[index].awaited > 0
        else { return }
        flows[index].awaited -= 1
        measurement.operations += 1
    }

    private mutating func giveUp(before time: UInt64, mayGoOn: Bool) {
        for index in 0..<flows.count where flows[index].awaited > 0 {
            guard flows[index].startedAt <= time else { continue }
            measurement.lost += UInt64(flows[index].awaited)
            flows[index].sequence += UInt64(burst)
            flows[index].awaited = -1
            if mayGoOn, sentCount < sentMax { send(index, at: loop.ring.now()) }
        }
    }
}
