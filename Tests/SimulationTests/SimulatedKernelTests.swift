import CLinux
import Kernel
import Primitives
import SimulatedKernel
import Testing

/// What the simulated kernel promises, as the real one does.
@Suite struct SimulatedKernelTests {
    private let token = Token(kind: 1, generation: 7, index: 3)

    @Test("a multishot receive delivers what comes and ends itself with the stream")
    func multishotReceiveEndsWithStream() {
        let bench = Bench(buffers: 4)
        let (descriptor, client) = bench.connection()
        bench.receive(on: descriptor, token: token)
        #expect(client.write(Array("hello".utf8)) == 5)
        let first = bench.completions()
        #expect(first.map(\.text) == ["5 more buffer"])
        #expect(bench.bytes(first[0]) == Array("hello".utf8))
        client.shutdownWrite()
        #expect(bench.completions().map(\.text) == ["0"])
        #expect(bench.kernel.operationsInFlight.isEmpty)
    }

    @Test("the end of a stream may take a buffer with it")
    func endOfStreamTakesBuffer() {
        var faults = FaultProfile.none
        faults.endOfStreamTakesBuffer = FaultProfile.whole
        let bench = Bench(faults: faults, buffers: 4)
        let (descriptor, client) = bench.connection()
        bench.receive(on: descriptor, token: token)
        client.shutdownWrite()
        #expect(bench.completions().map(\.text) == ["0 buffer"])
        #expect(bench.kernel.buffersPosted(in: Bench.group) == 3)
    }

    @Test("a receive without buffers ends with ENOBUFS and keeps the bytes")
    func receiveWithoutBuffers() {
        let bench = Bench(buffers: 1, bufferSize: 64)
        let (descriptor, client) = bench.connection()
        #expect(client.write([UInt8](repeating: 9, count: 100)) == 100)
        while bench.kernel.step() {}
        bench.receive(on: descriptor, token: token)
        #expect(bench.completions().map(\.text) == ["64 more buffer", "\(-ENOBUFS)"])
        bench.provide(0)
        bench.receive(on: descriptor, token: token)
        #expect(bench.completions().map(\.text) == ["36 more buffer"])
    }

    @Test("a kernel that receives until empty sees the end of the buffers one receive earlier")
    func receivesUntilEmpty() {
        var faults = FaultProfile.none
        faults.receivesUntilEmpty = true
        let bench = Bench(faults: faults, buffers: 1)
        let (descriptor, client) = bench.connection()
        bench.receive(on: descriptor, token: token)
        #expect(client.write([1, 2, 3]) == 3)
        #expect(bench.completions().map(\.text) == ["3 more buffer", "\(-ENOBUFS)"])
    }

    @Test("a single receive gives one result")
    func singleReceive() {
        let bench = Bench(buffers: 4, features: KernelFeatures.all.subtracting(.multishotReceive))
        let (descriptor, client) = bench.connection()
        bench.receive(on: descriptor, token: token)
        #expect(client.write([1, 2, 3]) == 3)
        #expect(bench.completions().map(\.text) == ["3 buffer"])
    }

    @Test("queued bytes are read before a reset is told, which is told once")
    func bytesBeforeReset() {
        let bench = Bench(buffers: 4)
        let (descriptor, client) = bench.connection()
        #expect(client.write([1, 2, 3]) == 3)
        while bench.kernel.step() {}
        client.reset()
        while bench.kernel.step() {}
        bench.receive(on: descriptor, token: token)
        #expect(bench.completions().map(\.text) == ["3 more buffer", "\(-ECONNRESET)"])
        #expect(bench.send(descriptor, [1]) == Int(-EPIPE))
    }

    @Test("a send that is told of the reset leaves an end of stream to the receive")
    func sendConsumesReset() {
        let bench = Bench(buffers: 4)
        let (descriptor, client) = bench.connection()
        client.reset()
        while bench.kernel.step() {}
        #expect(bench.send(descriptor, [1]) == Int(-ECONNRESET))
        #expect(bench.send(descriptor, [1]) == Int(-EPIPE))
        bench.receive(on: descriptor, token: token)
        #expect(bench.completions().map(\.text) == ["0"])
    }

    @Test("closing with unread bytes resets the connection")
    func closeUnreadResets() {
        let bench = Bench()
        let (descriptor, client) = bench.connection()
        #expect(client.write([1, 2, 3]) == 3)
        while bench.kernel.step() {}
        #expect(bench.ring.close(descriptor) == 0)
        while bench.kernel.step() {}
        #expect(client.read(10) == .reset)
    }

    @Test("a cancelled operation ends with ECANCELED, and a cancel without target with ENOENT")
    func cancel() {
        let bench = Bench(buffers: 4)
        let (descriptor, _) = bench.connection()
        bench.receive(on: descriptor, token: token)
        bench.ring.cancel(token)
        bench.ring.cancel(Token(kind: 9, generation: 9, index: 9))
        let results = bench.completions()
        #expect(results.filter { $0.token == token }.map(\.text) == ["\(-ECANCELED)"])
        #expect(results.filter { $0.token == .none }.map(\.text) == ["\(-ENOENT)"])
        #expect(bench.kernel.operationsInFlight.isEmpty)
    }

    @Test("a cancel that comes too late lets its target deliver first")
    func cancelTooLate() {
        var faults = FaultProfile.none
        faults.cancelTooLate = FaultProfile.whole
        let bench = Bench(faults: faults, buffers: 4)
        let (descriptor, client) = bench.connection()
        bench.receive(on: descriptor, token: token)
        bench.ring.submit()
        #expect(client.write([1, 2]) == 2)
        while bench.kernel.step() {}
        bench.ring.cancel(token)
        let results = bench.completions().filter { $0.token == token }
        #expect(results.map(\.text) == ["2 more buffer", "\(-ECANCELED)"])
        // One that does end by itself answers the cancel with EALREADY.
        bench.ring.poll(descriptor, events: POLLIN, token: token)
        bench.ring.submit()
        #expect(client.write([3]) == 1)
        while bench.kernel.step() {}
        bench.ring.cancel(token)
        #expect(
            Set(bench.completions().map { "\($0.token == token) \($0.text)" })
                == ["true \(POLLIN)", "false \(-EALREADY)"])
    }

    @Test("a poll is one-shot and sees what is already there")
    func poll() {
        let bench = Bench()
        let (descriptor, client) = bench.connection()
        bench.ring.poll(descriptor, events: POLLIN, token: token)
        #expect(bench.completions().isEmpty)
        #expect(client.write([1]) == 1)
        #expect(bench.completions().map(\.text) == ["\(POLLIN)"])
        #expect(bench.completions().isEmpty)
        bench.ring.poll(descriptor, events: POLLIN, token: token)
        #expect(bench.completions().map(\.text) == ["\(POLLIN)"])
    }

    @Test("descriptors are taken lowest first, and a full table refuses sockets and accepts")
    func descriptors() {
        let bench = Bench()
        let first = bench.makeSocket()
        #expect(first == 3)
        #expect(bench.makeSocket() == 4)
        #expect(bench.ring.close(first) == 0)
        #expect(bench.makeSocket() == first)
        let listener = bench.kernel.listen(on: Bench.address)
        bench.kernel.descriptorsMax = 3
        #expect(bench.makeSocket() == -EMFILE)
        #expect(bench.ring.acceptNow(listener) == -EMFILE)
        bench.ring.accept(on: listener, token: token)
        #expect(bench.completions().map(\.text) == ["\(-EMFILE)"])
        #expect(bench.kernel.defects.isEmpty)
    }

    @Test("a multishot accept gives every connection")
    func multishotAccept() {
        let bench = Bench()
        let listener = bench.kernel.listen(on: Bench.address)
        bench.ring.accept(on: listener, token: token)
        for _ in 0..<3 { _ = bench.kernel.connect(from: Bench.client, to: Bench.address) }
        #expect(bench.completions().map(\.text) == ["4 more", "5 more", "6 more"])
        var name = RawSocketAddress()
        #expect(bench.ring.peerName(4, into: &name) == 0)
        #expect(name.ip?.address == IPAddress(v4: 0x0a00_0001))
    }

    @Test("a connect succeeds, is refused, is not answered or is cancelled")
    func connect() {
        let bench = Bench()
        let service = bench.kernel.serve(at: Bench.address) { _ in }
        var address = Bench.address.raw
        func connect(_ token: Token) -> Descriptor {
            let socket = bench.makeSocket()
            bench.ring.connect(socket, to: &address, token: token)
            bench.ring.submit()
            return socket
        }
        _ = connect(token)
        #expect(bench.completions().map(\.text) == ["0"])
        service.manner = .refusing
        _ = connect(token)
        #expect(bench.completions().map(\.text) == ["\(-ECONNREFUSED)"])
        service.manner = .silent
        let last = connect(token)
        #expect(bench.completions().isEmpty)
        bench.ring.cancel(token)
        #expect(bench.completions().map(\.text) == ["\(-ECANCELED)"])
        #expect(bench.ring.close(last) == 0)
        #expect(bench.kernel.defects.isEmpty)
    }

    @Test("a send is short when the buffer fills, and a queued one waits for room")
    func sendWaits() {
        let bench = Bench()
        bench.kernel.socketCapacities = [1_000]
        let (descriptor, client) = bench.connection()
        let data = [UInt8](repeating: 7, count: 5_000)
        var sent = 0
        while case let count = bench.send(descriptor, data), count > 0 {
            sent += count
            while bench.kernel.step() {}
        }
        #expect(sent == 2_000)
        data.withUnsafeBytes { bytes in
            var vector = iovec(
                iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress!), iov_len: 600)
            withUnsafeMutablePointer(to: &vector) { vector in
                var header = msghdr()
                header.msg_iov = vector
                header.msg_iovlen = 1
                bench.ring.sendMessage(on: descriptor, header: &header, token: token)
                bench.ring.submit()
            }
        }
        #expect(bench.completions().isEmpty)
        var read = 0
        while case .bytes(let bytes) = client.read(4_096) { read += bytes.count }
        #expect(read == 1_000)
        #expect(bench.completions().map(\.text) == ["600"])
    }

    @Test("splice moves bytes through a pipe, and says EAGAIN when it is full or empty")
    func splice() throws {
        let bench = Bench()
        let (descriptor, client) = bench.connection()
        let pipe = try bench.ring.makePipe(capacity: 4_096).get()
        let (readEnd, writeEnd) = (pipe.readEnd, pipe.writeEnd)
        #expect(bench.ring.splice(from: descriptor, to: writeEnd, count: 100) == Int(-EAGAIN))
        #expect(bench.ring.splice(from: readEnd, to: descriptor, count: 100) == Int(-EAGAIN))
        let data = (0..<5_000).map { UInt8(truncatingIfNeeded: $0) }
        #expect(client.write(data) == 5_000)
        while bench.kernel.step() {}
        #expect(bench.ring.splice(from: descriptor, to: writeEnd, count: 9_000) == 4_096)
        #expect(bench.ring.splice(from: descriptor, to: writeEnd, count: 9_000) == Int(-EAGAIN))
        #expect(bench.ring.splice(from: readEnd, to: descriptor, count: 9_000) == 4_096)
        while bench.kernel.step() {}
        #expect(client.read(9_000) == .bytes(Array(data[..<4_096])))
        client.shutdownWrite()
        while bench.kernel.step() {}
        #expect(bench.ring.splice(from: descriptor, to: writeEnd, count: 9_000) == 904)
        #expect(bench.ring.splice(from: descriptor, to: writeEnd, count: 9_000) == 0)
        #expect(bench.kernel.pipesCount == 1)
    }

    @Test("a pipe may be refused, or be smaller than asked for")
    func pipeFaults() throws {
        var faults = FaultProfile.none
        faults.pipeShrunk = FaultProfile.whole
        let bench = Bench(faults: faults)
        #expect(try bench.ring.makePipe(capacity: 1 << 20).get().capacity < 1 << 20)
        bench.kernel.faults.pipeRefused = FaultProfile.whole
        #expect(throws: Errno.self) { try bench.ring.makePipe(capacity: 1 << 20).get() }
    }

    @Test("a wake-up completes once, and is not lost before the wait for it")
    func wakeup() {
        let bench = Bench()
        bench.kernel.wake()
        bench.kernel.wake()
        bench.ring.awaitWakeup(token: token)
        #expect(bench.completions().map(\.text) == ["8"])
        bench.ring.awaitWakeup(token: token)
        #expect(bench.completions().isEmpty)
        bench.kernel.wake()
        #expect(bench.completions().map(\.text) == ["8"])
    }

    @Test("defects of the worker are seen")
    func defects() {
        let bench = Bench(buffers: 2)
        let (descriptor, client) = bench.connection()
        bench.provide(1)
        #expect(bench.kernel.defects.count == 1, "posted twice")
        bench.memory.storeBytes(of: 0, as: UInt64.self)
        bench.receive(on: descriptor, token: token)
        bench.ring.submit()
        #expect(bench.kernel.defects.count == 2, "written to while the kernel owned it")
        _ = bench.ring.close(descriptor)
        #expect(bench.kernel.defects.count == 3, "closed with an operation in flight")
        _ = bench.send(descriptor, [1])
        #expect(bench.kernel.defects.count == 4, "used after it was closed")
        #expect(client.isConnected)
    }

    @Test("the same seed replays the same run")
    func replay() {
        func run(_ seed: UInt64) -> [String] {
            var random = SeededRandom(seed: seed)
            let faults = FaultProfile.swarm(from: &random, destructive: true)
            let bench = Bench(seed: seed, faults: faults, buffers: 32, bufferSize: 100)
            let (descriptor, client) = bench.connection()
            bench.receive(on: descriptor, token: token)
            var log: [String] = []
            for _ in 0..<20 {
                _ = client.write([UInt8](repeating: 1, count: 250))
                let results = bench.completions(atLeast: 1)
                log += results.map { "\(bench.ring.now()) \($0.text)" }
            }
            return log
        }
        for seed in UInt64(1)...20 { #expect(run(seed) == run(seed)) }
        #expect(run(1) != run(2))
    }
}
