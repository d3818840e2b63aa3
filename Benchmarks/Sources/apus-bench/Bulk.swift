import CLinux
import Kernel
import Measuring
import Primitives

/// Moves a fixed number of bytes over each of its connections, up to the backend's sink or down
/// from its source, and compares what arrived with what was sent. The bytes are thrown away where
/// they arrive without being copied (`MSG_TRUNC`, `tcp(7)`), so that the load stays cheap.
/// Owned by the main thread.
struct Bulk: ~Copyable {
    enum Course { case up, down }

    private struct Connection {
        var socket: Descriptor
        var bytes: UInt64 = 0
        var isOver = false
    }

    static let chunkBytes = 256 << 10

    private var loop = Loop(buffers: 64, bufferBytes: 4096)
    private let course: Course
    private let bytesEach: UInt64
    private let connections: UnsafeMutableBufferPointer<Connection>
    private let chunk: UnsafeMutableRawBufferPointer
    private var measurement: Measurement
    private var openCount: Int

    init(port: UInt16, connections count: Int, course: Course, bytes: Int) {
        self.course = course
        bytesEach = UInt64(bytes / count)
        measurement = Measurement(mode: course == .up ? "bulk-up" : "bulk-down")
        connections = .allocate(capacity: count)
        let sockets = loop.connect(count, to: port)
        for index in 0..<count {
            connections.initializeElement(at: index, to: Connection(socket: sockets[index]))
        }
        openCount = count
        chunk = .allocate(byteCount: Self.chunkBytes, alignment: 4096)
        chunk.initializeMemory(as: UInt8.self, repeating: 0x62)
    }

    deinit {
        chunk.deallocate()
        connections.deallocate()
    }

    mutating func run(seconds: Int) -> String {
        let start = loop.ring.now()
        let end = start + UInt64(seconds) * 1_000_000_000
        for index in 0..<connections.count {
            if course == .down { ask(index) }
            arm(index)
        }
        while openCount > 0, loop.ring.now() < end {
            for completion in loop.wait(until: end) {
                let index = Int(completion.token.index)
                guard !connections[index].isOver else { continue }
                if course == .down || connections[index].bytes == bytesEach {
                    drain(index)
                } else {
                    push(index)
                }
                if !connections[index].isOver { arm(index) }
            }
        }
        measurement.errors += UInt64(openCount)
        measurement.nanoseconds = loop.ring.now() - start
        for index in 0..<connections.count { measurement.bytes += connections[index].bytes }
        return measurement.json
    }

    private mutating func arm(_ index: Int) {
        let isPushing = course == .up && connections[index].bytes < bytesEach
        loop.ring.poll(
            connections[index].socket, events: Int32(isPushing ? POLLOUT : POLLIN),
            token: Token(kind: 1, generation: 0, index: UInt32(index)))
    }

    private mutating func end(_ index: Int, failed: Bool) {
        connections[index].isOver = true
        openCount -= 1
        measurement.operations += failed ? 0 : 1
        measurement.errors += failed ? 1 : 0
        _ = loop.ring.close(connections[index].socket)
    }

    /// The source wants to know how many bytes to send.
    private mutating func ask(_ index: Int) {
        var count = bytesEach.littleEndian
        let sent = loop.ring.send(connections[index].socket, &count, count: 8)
        if sent != 8 { end(index, failed: true) }
    }

    private mutating func push(_ index: Int) {
        for _ in 0..<4 {
            let rest = Int(bytesEach - connections[index].bytes)
            let sent = loop.ring.send(
                connections[index].socket, chunk.baseAddress!, count: min(rest, chunk.count))
            if sent == -Int(EAGAIN) { return }
            guard sent > 0 else { return end(index, failed: true) }
            connections[index].bytes += UInt64(sent)
            if connections[index].bytes == bytesEach {
                _ = loop.ring.shutdownWrite(connections[index].socket)
                return
            }
        }
    }

    /// Down: throws the bytes away and counts them. Up: reads the sink's count of what it got.
    private mutating func drain(_ index: Int) {
        let socket = connections[index].socket
        guard course == .down else {
            var count: UInt64 = 0
            let received = apus_recv(socket, &count, 8, Int32(MSG_DONTWAIT))
            if received == -Int(EAGAIN) { return }
            return end(index, failed: received != 8 || UInt64(littleEndian: count) != bytesEach)
        }
        let flags = Int32(MSG_DONTWAIT | MSG_TRUNC)
        for _ in 0..<4 {
            let received = apus_recv(socket, nil, 4 << 20, flags)
            if received == -Int(EAGAIN) { return }
            guard received > 0 else {
                let isWhole = received == 0 && connections[index].bytes == bytesEach
                return end(index, failed: !isWhole)
            }
            connections[index].bytes += UInt64(received)
        }
    }
}
