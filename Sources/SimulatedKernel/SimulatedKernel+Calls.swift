import CLinux
import Kernel
import Primitives

/// The system calls that answer at once, and waiting.
extension SimulatedKernel {
    // MARK: - Waiting

    func wait(
        minimum: Int, batchNanoseconds: UInt64?, timeoutNanoseconds: UInt64?
    ) {
        tick()
        submitQueued()
        sleepsForEver = false
        let deadline = timeoutNanoseconds.map { $0 > UInt64.max - clock ? UInt64.max : clock + $0 }
        let batchEnd = batchNanoseconds.map { clock + $0 }
        let isInterrupted = chance(faults.waitInterrupted)
        while true {
            runWoken()
            let count = completions.count - completionsTaken
            if count >= minimum || isInterrupted { return }
            var end = deadline
            if count > 0, let batchEnd { end = min(batchEnd, deadline ?? batchEnd) }
            guard let next = nextEventTime else {
                guard let end else {
                    sleepsForEver = true
                    return
                }
                clock = max(clock, end)
                return
            }
            if let end, next > end {
                clock = max(clock, end)
                return
            }
            step()
        }
    }

    // MARK: - Sockets

    func makeSocket(family: Int32, type: Int32) -> Int32 {
        if chance(faults.socketRefused) {
            return [-EMFILE, -ENFILE, -ENOMEM][random(0...2)]
        }
        // `socket(2)` takes flags in the type.
        switch type & 0xf {
        case Int32(SOCK_STREAM.rawValue):
            return install(StreamSocket(kernel: self, family: family, name: "upstream socket"))
        case Int32(SOCK_DGRAM.rawValue):
            return install(DatagramSocket(kernel: self, family: family))
        default:
            report("a socket of type \(type)")
            return -EINVAL
        }
    }

    /// Starts a connect; answers an error that shows at once.
    func beginConnect(_ socket: StreamSocket, to address: SocketAddress) -> Int32? {
        guard address.raw.family == socket.family else { return EAFNOSUPPORT }
        if chance(faults.connectUnreachable) {
            return [ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL][random(0...2)]
        }
        socket.state = .connecting
        socket.peerAddress = address
        keep(socket)
        let service = service(at: address)
        let isSilent = service?.manner == .silent || chance(faults.connectUnanswered)
        let isRefused =
            service == nil || service?.manner == .refusing || chance(faults.connectRefused)
        if isSilent, service != nil {
            after(127_000_000_000) {
                guard socket.state == .connecting, !socket.isClosed else { return }
                socket.pendingError = ETIMEDOUT
                socket.notify()
            }
            return nil
        }
        after(chooseLatency()) { [self] in
            guard !socket.isClosed else { return }
            if isRefused {
                socket.pendingError = ECONNREFUSED
                return socket.notify()
            }
            establish(socket, at: service, address)
        }
        return nil
    }

    private func establish(
        _ socket: StreamSocket, at service: StreamService?, _ address: SocketAddress
    ) {
        let outside = StreamSocket(kernel: self, family: socket.family, name: "backend's side")
        socket.localAddress = socket.isUnix ? nil : chooseAddress(family: socket.family)
        outside.localAddress = address
        outside.peerAddress = socket.localAddress
        outside.onChange = {}
        keep(outside)
        StreamSocket.connect(socket, outside)
        socket.notify()
        service?.accept(outside)
    }

    func connectDatagram(_ descriptor: Descriptor, to address: RawSocketAddress) -> Int32 {
        guard let socket = file(descriptor, "connect") as? DatagramSocket else { return -ENOTSOCK }
        guard let address = SocketAddress(address) else { return -EINVAL }
        if chance(faults.connectUnreachable) { return -ENETUNREACH }
        _ = bindSource(of: socket)
        socket.peerAddress = address
        return 0
    }

    func sendNow(_ descriptor: Descriptor, _ message: OutgoingMessage) -> Int {
        guard let file = file(descriptor, "send") else { return Int(-EBADF) }
        return file.send(message)
    }

    func shutdownWriteNow(_ descriptor: Descriptor) -> Int32 {
        guard let file = file(descriptor, "shutdown") else { return -EBADF }
        guard let socket = file as? StreamSocket else { return -ENOTSOCK }
        return socket.shutWrite()
    }

    func setOptionNow(
        _ descriptor: Descriptor, level: Int32, name: Int32, value: UnsafeRawBufferPointer
    ) -> Int32 {
        guard let file = file(descriptor, "setsockopt") else { return -EBADF }
        return file.setOption(level: level, name: name, value: value)
    }

    func name(_ descriptor: Descriptor, isPeer: Bool, into result: inout RawSocketAddress) -> Int32
    {
        guard let file = file(descriptor, isPeer ? "getpeername" : "getsockname") else {
            return -EBADF
        }
        let family: Int32
        let address: SocketAddress?
        switch file {
        case let socket as StreamSocket:
            // A reset connection has no peer any more (`inet_getname`).
            if isPeer, socket.state != .connected || socket.isReset { return -ENOTCONN }
            family = socket.family
            address = isPeer ? socket.peerAddress : socket.localAddress
        case let socket as DatagramSocket:
            if isPeer, socket.peerAddress == nil { return -ENOTCONN }
            family = socket.family
            address = isPeer ? socket.peerAddress : socket.localAddress
        case let listener as StreamListener where !isPeer:
            family = listener.family
            address = listener.address
        default: return -ENOTSOCK
        }
        result = address?.raw(family: family) ?? Self.unnamed(family)
        return 0
    }

    private static func unnamed(_ family: Int32) -> RawSocketAddress {
        guard family == AF_UNIX else {
            return SocketAddress.ip(family == AF_INET ? .anyIPv4 : .anyIPv6, port: 0).raw
        }
        var address = RawSocketAddress()
        address.storage.ss_family = sa_family_t(AF_UNIX)
        address.length = socklen_t(MemoryLayout<sa_family_t>.size)
        return address
    }

    // MARK: - Pipes

    func makePipeNow(capacity: Int) -> Result<Pipe, Errno> {
        if chance(faults.pipeRefused) {
            return .failure(Errno(rawValue: random(0...1) == 0 ? EMFILE : ENFILE))
        }
        guard openDescriptorsCount + 2 <= descriptorsMax else {
            return .failure(Errno(rawValue: EMFILE))
        }
        var got = capacity
        if chance(faults.pipeShrunk) { got = [8_192, 65_536, capacity / 4][random(0...2)] }
        let store = PipeEnd.Store(capacity: got)
        let readEnd = install(PipeEnd(kernel: self, store: store, isWriteEnd: false))
        let writeEnd = install(PipeEnd(kernel: self, store: store, isWriteEnd: true))
        return .success(Pipe(readEnd: readEnd, writeEnd: writeEnd, capacity: got))
    }

    func spliceNow(from source: Descriptor, to sink: Descriptor, count: Int) -> Int {
        guard let from = file(source, "splice"), let to = file(sink, "splice") else {
            return Int(-EBADF)
        }
        guard count > 0 else { return 0 }
        var limit = count
        if limit > 1, chance(faults.spliceShort) { limit = random(1...limit) }
        switch (from, to) {
        case (let socket as StreamSocket, let end as PipeEnd) where end.isWriteEnd:
            let room = end.store.capacity - end.store.bytes.count
            // Fragments take a slot each, so that a pipe may be full with few bytes in it.
            let isFragmented = !end.store.bytes.isEmpty && chance(faults.spliceWouldBlock)
            guard room > 0, !isFragmented else { return Int(-EAGAIN) }
            return socket.receive(into: end.store, count: min(limit, room))
        case (let end as PipeEnd, let socket as StreamSocket) where !end.isWriteEnd:
            guard !end.store.bytes.isEmpty else {
                return end.store.writersCount == 0 ? 0 : Int(-EAGAIN)
            }
            let result = end.store.bytes.withFront(limit) { socket.send($0) }
            if result > 0 { end.store.bytes.drop(result) }
            return result
        default:
            report("splice from \(from.name) to \(to.name)")
            return Int(-EINVAL)
        }
    }
}
