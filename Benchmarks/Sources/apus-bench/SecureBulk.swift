import CLinux
import CSecure
import Kernel
import Measuring
import Primitives

/// Moves a fixed number of bytes over each of its TLS connections, up to the backend's tally or
/// down from its source. The other side tells, or is told, the number, so that no half-close is
/// needed, which not every peer passes on. The handshakes are over before the measured work. Owned
/// by the main thread.
struct SecureBulk: ~Copyable {
    private struct Connection {
        var stream: SecureStream
        var socket: Descriptor
        var bytes: UInt64 = 0
        var isOver = false
    }

    /// Records that are written or read before another connection has its turn.
    private static let recordsMax = 32

    private let terms = SecureTerms(readBytes: 128 << 10)
    private var loop = Loop(buffers: 64)
    private let course: Bulk.Course
    private let bytesEach: UInt64
    private let connections: UnsafeMutableBufferPointer<Connection>
    private let chunk: UnsafeMutableRawBufferPointer
    private var measurement: Measurement
    private var openCount: Int

    init(port: UInt16, connections count: Int, course: Bulk.Course, bytes: Int) {
        apus_ignore_broken_pipes()
        self.course = course
        bytesEach = UInt64(bytes / count)
        measurement = Measurement(mode: course == .up ? "tls-up" : "tls-down")
        connections = .allocate(capacity: count)
        openCount = count
        chunk = .allocate(byteCount: Bulk.chunkBytes, alignment: 4096)
        chunk.initializeMemory(as: UInt8.self, repeating: 0x62)
        for index in 0..<count {
            let (stream, socket) = SecureStream.open(terms, &loop, to: port)
            connections.initializeElement(
                at: index, to: Connection(stream: stream, socket: socket))
        }
    }

    deinit {
        chunk.deallocate()
        connections.deallocate()
    }

    mutating func run(seconds: Int) -> String {
        let start = loop.ring.now()
        let end = start + UInt64(seconds) * 1_000_000_000
        for index in 0..<connections.count {
            tell(index)
            poll(index, course == .up ? POLLOUT : POLLIN)
        }
        while openCount > 0, loop.ring.now() < end {
            for completion in loop.wait(until: end) {
                let index = Int(completion.token.index)
                guard !connections[index].isOver else { continue }
                let isPushing = course == .up && connections[index].bytes < bytesEach
                switch isPushing ? push(index) : drain(index) {
                case .wantsRead: poll(index, POLLIN)
                case .wantsWrite: poll(index, POLLOUT)
                case .ended: finish(index, failed: false)
                case .moved, .failed: finish(index, failed: true)
                }
            }
        }
        measurement.errors += UInt64(openCount)
        measurement.nanoseconds = loop.ring.now() - start
        for index in 0..<connections.count { measurement.bytes += connections[index].bytes }
        return measurement.json
    }

    private mutating func poll(_ index: Int, _ events: Int32) {
        loop.ring.poll(
            connections[index].socket, events: events,
            token: Token(kind: 1, generation: 0, index: UInt32(index)))
    }

    private mutating func finish(_ index: Int, failed: Bool) {
        connections[index].isOver = true
        openCount -= 1
        measurement.operations += failed ? 0 : 1
        measurement.errors += failed ? 1 : 0
        connections[index].stream.free()
        _ = loop.ring.close(connections[index].socket)
    }

    /// How many bytes are to come, or wanted.
    private mutating func tell(_ index: Int) {
        var count = bytesEach.littleEndian
        guard connections[index].stream.write(&count, 8) == .moved(8) else {
            fail("a TLS connection takes no eight bytes: \(SecureStream.lastError)")
        }
    }

    /// What it waits for: room, or, when all is written, the tally's answer.
    private mutating func push(_ index: Int) -> SecureStream.Outcome {
        for _ in 0..<Self.recordsMax {
            let rest = Int(bytesEach - connections[index].bytes)
            guard rest > 0 else { return .wantsRead }
            let outcome = connections[index].stream.write(
                chunk.baseAddress!, min(rest, chunk.count))
            guard case .moved(let count) = outcome else { return outcome }
            connections[index].bytes += UInt64(count)
        }
        return .wantsWrite
    }

    /// Up: reads the tally's count of what it got. Down: counts what comes, to the stream's end.
    private mutating func drain(_ index: Int) -> SecureStream.Outcome {
        let stream = connections[index].stream
        guard course == .down else {
            var count: UInt64 = 0
            let outcome = stream.read(into: &count, 8)
            guard outcome == .moved(8) else { return outcome == .ended ? .failed : outcome }
            return UInt64(littleEndian: count) == bytesEach ? .ended : .failed
        }
        var records = 0
        while records < Self.recordsMax || stream.holdsBytes {
            let outcome = stream.read(into: chunk.baseAddress!, chunk.count)
            guard case .moved(let count) = outcome else {
                let isCutOff = outcome == .ended && connections[index].bytes != bytesEach
                return isCutOff ? .failed : outcome
            }
            connections[index].bytes += UInt64(count)
            records += 1
        }
        return .wantsRead
    }
}
