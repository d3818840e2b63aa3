import CLinux
import Kernel
import Primitives

/// What stands behind the proxies: TCP services on ports of one process and a datagram echo, all on
/// one ring. Owned by the main thread.
struct Backend: ~Copyable {
    enum Service: UInt32 {
        /// Sends back what comes.
        case echo
        /// Throws away what comes without looking at it, and at its end answers with the count.
        case sink
        /// Reads how many bytes are to come (64 bits, little-endian), throws so many away, and
        /// answers with the count: without a half-close, which not every peer passes on.
        case tally
        /// Reads how many bytes are wanted (64 bits, little-endian) and sends them.
        case source
        /// Answers one request of 64 bytes and closes.
        case reply
    }

    private enum Kind {
        static let accepted: UInt8 = 1
        static let received: UInt8 = 2
        static let readable: UInt8 = 3
        static let writable: UInt8 = 4
        static let datagram: UInt8 = 5
    }

    /// A connection, in the place of its descriptor's number.
    private struct Connection {
        var service = Service.echo
        var bytes: UInt64 = 0
        var bytesWanted: UInt64 = 0
        /// Operations in the kernel; the descriptor is closed when none is left.
        var pending = 0
        var isOver = false
        var isFinished = false
    }

    private static let descriptorsMax = 65_536
    private static let requestBytes = 64

    private var loop = Loop(buffers: 4096, bufferBytes: 8192)
    private let connections: UnsafeMutablePointer<Connection>
    private let chunk: UnsafeMutableRawBufferPointer
    private var datagramEcho: DatagramEcho?

    init() {
        connections = .allocate(capacity: Self.descriptorsMax)
        connections.initialize(repeating: Connection(), count: Self.descriptorsMax)
        chunk = .allocate(byteCount: Bulk.chunkBytes, alignment: 4096)
        chunk.initializeMemory(as: UInt8.self, repeating: 0x65)
    }

    deinit {
        chunk.deallocate()
        connections.deallocate()
    }

    mutating func listen(on port: UInt16, for service: Service) {
        let socket = loop.ring.socket(family: AF_INET, type: Int32(SOCK_STREAM.rawValue))
        loop.option(socket, SOL_SOCKET, SO_REUSEADDR, 1)
        loop.option(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        let address = RawSocketAddress(.loopbackIPv4, port: port)
        var result = withUnsafePointer(to: address.storage) {
            apus_bind(socket, $0, address.length)
        }
        if result == 0 { result = apus_listen(socket, 16_384) }
        guard result == 0 else { fail("port \(port): \(Errno(rawValue: -result))") }
        accept(on: socket, for: service)
    }

    mutating func echoDatagrams(on port: UInt16) {
        let echo = DatagramEcho(port: port, &loop)
        datagramEcho = echo
        awaitDatagrams(echo.socket)
    }

    mutating func run() {
        while true {
            for completion in loop.wait(until: nil) { handle(completion) }
        }
    }

    private mutating func accept(on listener: Descriptor, for service: Service) {
        connections[Int(listener)].service = service
        loop.ring.accept(
            on: listener, token: Token(kind: Kind.accepted, generation: 0, index: UInt32(listener)))
    }

    private mutating func awaitDatagrams(_ socket: Descriptor) {
        loop.ring.poll(
            socket, events: Int32(POLLIN),
            token: Token(kind: Kind.datagram, generation: 0, index: UInt32(socket)))
    }

    private mutating func handle(_ completion: Completion) {
        let descriptor = Descriptor(completion.token.index)
        switch completion.token.kind {
        case Kind.accepted:
            let service = connections[Int(descriptor)].service
            if completion.result >= 0 { begin(completion.result, service) }
            if !completion.hasMore { accept(on: descriptor, for: service) }
        case Kind.received:
            if !completion.hasMore { connections[Int(descriptor)].pending -= 1 }
            if completion.result > 0 {
                take(descriptor, loop.bytes(of: completion))
            } else if completion.result != -ENOBUFS {
                end(descriptor)
            }
            loop.repost(completion)
            if !completion.hasMore, completion.result > 0 || completion.result == -ENOBUFS {
                receive(descriptor)
            }
            release(descriptor)
        case Kind.readable:
            connections[Int(descriptor)].pending -= 1
            drain(descriptor)
            release(descriptor)
        case Kind.writable:
            connections[Int(descriptor)].pending -= 1
            push(descriptor)
            release(descriptor)
        case Kind.datagram:
            datagramEcho?.answer()
            awaitDatagrams(descriptor)
        default:
            fail("a completion of no kind")
        }
    }

    private mutating func begin(_ socket: Descriptor, _ service: Service) {
        precondition(Int(socket) < Self.descriptorsMax)
        connections[Int(socket)] = Connection(service: service)
        switch service {
        case .sink, .tally: poll(socket, POLLIN, Kind.readable)
        case .echo, .source, .reply: receive(socket)
        }
    }

    private mutating func receive(_ socket: Descriptor) {
        connections[Int(socket)].pending += 1
        loop.ring.receive(
            on: socket, group: Loop.group, multishot: true, pollFirst: false,
            token: Token(kind: Kind.received, generation: 0, index: UInt32(socket)))
    }

    private mutating func poll(_ socket: Descriptor, _ events: Int32, _ kind: UInt8) {
        connections[Int(socket)].pending += 1
        loop.ring.poll(
            socket, events: events, token: Token(kind: kind, generation: 0, index: UInt32(socket)))
    }

    private mutating func end(_ socket: Descriptor) {
        connections[Int(socket)].isOver = true
    }

    /// Closes once the stream is over and nothing of it is in the kernel.
    private mutating func release(_ socket: Descriptor) {
        let place = Int(socket)
        guard connections[place].isOver, connections[place].pending == 0 else { return }
        connections[place].isOver = false
        _ = loop.ring.close(socket)
    }

    private mutating func take(_ socket: Descriptor, _ bytes: UnsafeRawBufferPointer) {
        let place = Int(socket)
        switch connections[place].service {
        case .echo:
            // Round trips leave room for their answers; whoever sends more loses the connection.
            let sent = loop.ring.send(socket, bytes.baseAddress!, count: bytes.count)
            if sent != bytes.count { _ = apus_shutdown(socket, Int32(SHUT_RDWR)) }
        case .reply:
            connections[place].bytes += UInt64(bytes.count)
            _ = loop.ring.send(socket, bytes.baseAddress!, count: bytes.count)
            if connections[place].bytes >= UInt64(Self.requestBytes) {
                _ = loop.ring.shutdownWrite(socket)
            }
        case .source:
            guard bytes.count == 8 else { return }
            connections[place].bytesWanted = UInt64(
                littleEndian: bytes.loadUnaligned(as: UInt64.self))
            push(socket)
        case .sink, .tally:
            fail("what is thrown away is not received into buffers")
        }
    }

    private mutating func push(_ socket: Descriptor) {
        let place = Int(socket)
        for _ in 0..<4 {
            let rest = connections[place].bytesWanted - connections[place].bytes
            guard rest > 0 else {
                if !connections[place].isFinished { _ = loop.ring.shutdownWrite(socket) }
                connections[place].isFinished = true
                return
            }
            let sent = loop.ring.send(
                socket, chunk.baseAddress!, count: min(Int(rest), chunk.count))
            if sent == -Int(EAGAIN) { break }
            // The client went away: its end arrives through the receive, too.
            guard sent > 0 else { return }
            connections[place].bytes += UInt64(sent)
        }
        poll(socket, POLLOUT, Kind.writable)
    }

    private mutating func drain(_ socket: Descriptor) {
        let place = Int(socket)
        let isTally = connections[place].service == .tally
        if isTally, connections[place].bytesWanted == 0 {
            var count: UInt64 = 0
            let received = apus_recv(socket, &count, 8, Int32(MSG_DONTWAIT))
            guard received != -Int(EAGAIN) else { return poll(socket, POLLIN, Kind.readable) }
            // Eight bytes that left together arrive together.
            guard received == 8 else { return end(socket) }
            connections[place].bytesWanted = UInt64(littleEndian: count)
        }
        let flags = Int32(MSG_DONTWAIT | MSG_TRUNC)
        for _ in 0..<4 {
            let received = apus_recv(socket, nil, 4 << 20, flags)
            if received == -Int(EAGAIN) { break }
            guard received > 0 else {
                if received == 0, !isTally { answerCount(socket) }
                return end(socket)
            }
            connections[place].bytes += UInt64(received)
            if isTally, connections[place].bytes == connections[place].bytesWanted {
                answerCount(socket)
            }
        }
        poll(socket, POLLIN, Kind.readable)
    }

    private mutating func answerCount(_ socket: Descriptor) {
        var count = connections[Int(socket)].bytes.littleEndian
        _ = loop.ring.send(socket, &count, count: 8)
    }
}
