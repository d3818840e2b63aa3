import CLinux
import Primitives
import Testing

@testable import Kernel

/// The running kernel's ring. Each test makes, uses and ends its ring within one function.
struct IOUringTests {
    private static let token = Token(kind: 7, generation: 5, index: 3)

    @Test("one accept brings every client, until it is cancelled")
    func accept() throws {
        var bench = try RingBench()
        let (listener, address) = try Loopback.listener()
        defer { Loopback.close(listener) }
        bench.ring.accept(on: listener, token: Self.token)
        for index in UInt32(0)..<3 {
            let client = try Loopback.checked(
                bench.ring.socket(family: AF_INET, type: Loopback.stream))
            defer { Loopback.close(client) }
            var name = address
            let connecting = Token(kind: 1, generation: 0, index: index)
            bench.ring.connect(client, to: &name, token: connecting)
            let connected = try bench.next(connecting)
            #expect(connected.result == 0)
            let accepted = try bench.next(Self.token)
            #expect(accepted.result > 0 && accepted.hasMore)
            defer { Loopback.close(accepted.result) }
            #expect(apus_fcntl(accepted.result, F_GETFL, 0) & O_NONBLOCK != 0)
            #expect(apus_fcntl(accepted.result, F_GETFD, 0) & FD_CLOEXEC != 0)
            var peer = RawSocketAddress()
            let named = bench.ring.peerName(accepted.result, into: &peer)
            #expect(named == 0 && peer.ip?.address == .loopbackIPv4)
        }
        bench.ring.cancel(Self.token)
        let last = try bench.next(Self.token)
        #expect(last.result == -ECANCELED && !last.hasMore)
    }

    @Test("a connection that nobody listens for is refused")
    func connectRefused() throws {
        var bench = try RingBench()
        // Bound, so that nobody else gets the port, and not listening.
        let (socket, address) = try Loopback.bound(Loopback.stream)
        let client = try Loopback.checked(bench.ring.socket(family: AF_INET, type: Loopback.stream))
        defer { Loopback.close(socket, client) }
        var name = address
        bench.ring.connect(client, to: &name, token: Self.token)
        let completion = try bench.next(Self.token)
        #expect(completion.result == -ECONNREFUSED)
    }

    @Test("one receive brings what comes, and the end of the stream")
    func receive() throws {
        var bench = try RingBench()
        let (near, far) = try Loopback.pair()
        defer { Loopback.close(near) }
        bench.post(4)
        bench.ring.receive(
            on: near, group: RingBench.group, multishot: true, pollFirst: true, token: Self.token)
        for text in ["first", "second", "third"] {
            try Loopback.write(text, to: far)
            let completion = try bench.next(Self.token)
            #expect(completion.hasMore)
            let received = bench.text(of: completion)
            #expect(received == text)
        }
        Loopback.close(far)
        let end = try bench.next(Self.token)
        #expect(end.result == 0 && !end.hasMore)
    }

    @Test("without buffers a receive ends with ENOBUFS, and goes on once some are posted")
    func receiveOutOfBuffers() throws {
        var bench = try RingBench()
        let (near, far) = try Loopback.pair()
        defer { Loopback.close(near, far) }
        try Loopback.write("waiting", to: far)
        bench.ring.receive(
            on: near, group: RingBench.group, multishot: true, pollFirst: false, token: Self.token)
        let starved = try bench.next(Self.token)
        #expect(starved.result == -ENOBUFS && !starved.hasMore && !starved.hasBuffer)
        bench.post(2)
        bench.ring.receive(
            on: near, group: RingBench.group, multishot: true, pollFirst: false, token: Self.token)
        let fed = try bench.next(Self.token)
        let text = bench.text(of: fed)
        #expect(text == "waiting" && fed.hasMore)
        bench.ring.cancel(Self.token)
        let last = try bench.next(Self.token)
        #expect(last.result == -ECANCELED)
    }

    @Test("a receive that is not multishot ends with what it brings")
    func receiveOnce() throws {
        var bench = try RingBench()
        let (near, far) = try Loopback.pair()
        defer { Loopback.close(near, far) }
        bench.post(1)
        bench.ring.receive(
            on: near, group: RingBench.group, multishot: false, pollFirst: false, token: Self.token)
        try Loopback.write("one", to: far)
        let completion = try bench.next(Self.token)
        let text = bench.text(of: completion)
        #expect(text == "one" && !completion.hasMore)
    }

    @Test("a cancel that finds nothing says so under no token")
    func cancelNothing() throws {
        var bench = try RingBench()
        bench.ring.cancel(Self.token)
        let completion = try bench.next(.none)
        #expect(completion.result == -ENOENT)
    }

    @Test("a poll ends with the events seen")
    func poll() throws {
        var bench = try RingBench()
        let (near, far) = try Loopback.pair()
        defer { Loopback.close(near, far) }
        bench.ring.poll(near, events: Int32(POLLIN), token: Self.token)
        bench.ring.submit()
        bench.gather()
        let early = bench.arrived.count
        #expect(early == 0)
        try Loopback.write("x", to: far)
        let completion = try bench.next(Self.token)
        #expect(completion.result & Int32(POLLIN) != 0 && !completion.hasMore)
    }

    @Test("a message of several vectors is sent in their order")
    func sendMessage() throws {
        var bench = try RingBench()
        let (near, far) = try Loopback.pair()
        defer { Loopback.close(near, far) }
        var (first, second) = (Array("two ".utf8), Array("halves".utf8))
        first.withUnsafeMutableBytes { first in
            second.withUnsafeMutableBytes { second in
                var vectors = [
                    iovec(iov_base: first.baseAddress, iov_len: first.count),
                    iovec(iov_base: second.baseAddress, iov_len: second.count),
                ]
                vectors.withUnsafeMutableBufferPointer { vectors in
                    var header = msghdr()
                    header.msg_iov = vectors.baseAddress
                    header.msg_iovlen = vectors.count
                    bench.ring.sendMessage(on: near, header: &header, token: Self.token)
                    bench.ring.submit()
                }
            }
        }
        let completion = try bench.next(Self.token)
        #expect(completion.result == 10)
        #expect(try Loopback.read(from: far) == "two halves")
    }

    @Test("of a message longer than the socket's room a part is sent, and the result says how much")
    func shortSendMessage() throws {
        var bench = try RingBench()
        let (near, far) = try Loopback.pair()
        defer { Loopback.close(near, far) }
        var bytes = (0..<4_000_000).map { UInt8(truncatingIfNeeded: $0 / 251) }
        let completion = try bytes.withUnsafeMutableBytes { bytes in
            var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
            return try withUnsafeMutablePointer(to: &vector) { vector in
                var header = msghdr()
                header.msg_iov = vector
                header.msg_iovlen = 1
                bench.ring.sendMessage(on: near, header: &header, token: Self.token)
                bench.ring.submit()
                return try bench.next(Self.token)
            }
        }
        let sent = Int(completion.result)
        #expect(sent > 0 && sent < bytes.count)
        var received = [UInt8](repeating: 0, count: bytes.count)
        var count = 0
        received.withUnsafeMutableBytes { room in
            while case let piece = apus_read(far, room.baseAddress! + count, room.count - count),
                piece > 0
            {
                count += piece
            }
        }
        #expect(count == sent && received[..<count] == bytes[..<count])
    }

    @Test("bytes go from socket to pipe to socket, and nothing waits")
    func splice() throws {
        var bench = try RingBench()
        let (near, far) = try Loopback.pair()
        let (sink, drain) = try Loopback.pair()
        let pipe = try bench.ring.makePipe(capacity: 65_536).get()
        defer { Loopback.close(near, far, sink, drain, pipe.readEnd, pipe.writeEnd) }
        #expect(pipe.capacity >= 65_536)
        let empty = bench.ring.splice(from: near, to: pipe.writeEnd, count: 65_536)
        #expect(empty == -Int(EAGAIN))
        try Loopback.write("through a pipe", to: far)
        let filled = bench.ring.splice(from: near, to: pipe.writeEnd, count: 65_536)
        #expect(filled == 14)
        let poured = bench.ring.splice(from: pipe.readEnd, to: sink, count: 65_536)
        #expect(poured == 14)
        #expect(try Loopback.read(from: drain) == "through a pipe")
        let shut = bench.ring.shutdownWrite(far)
        let end = bench.ring.splice(from: near, to: pipe.writeEnd, count: 65_536)
        #expect(shut == 0 && end == 0)
    }

    @Test("another thread's signal ends a wait, and signals are not counted")
    func wakeup() throws {
        var bench = try RingBench()
        for round in 0..<20 {
            bench.ring.awaitWakeup(token: Self.token)
            let wakeup = bench.wakeup
            try PosixThread.start(name: "waker") {
                wakeup.signal()
            }
            let completion = try bench.next(Self.token)
            #expect(completion.result == 8, "round \(round)")
        }
        bench.wakeup.signal()
        bench.wakeup.signal()
        bench.ring.awaitWakeup(token: Self.token)
        let one = try bench.next(Self.token)
        #expect(one.result == 8)
        bench.ring.awaitWakeup(token: Self.token)
        bench.ring.submitAndWait(minimum: 0, batchMicroseconds: 0, timeoutNanoseconds: nil)
        let more = bench.gather()
        #expect(more == 0)
    }

    @Test("a wait in which nothing happens ends at its time-out, not before")
    func timeout() throws {
        var bench = try RingBench()
        let start = bench.ring.now()
        bench.ring.submitAndWait(minimum: 1, batchMicroseconds: 0, timeoutNanoseconds: 3_000_000)
        let elapsed = bench.ring.now() - start
        #expect(elapsed >= 3_000_000)
        let isPending = bench.ring.hasPending
        #expect(!isPending)
    }

    @Test("a wait for several ends with one when its window is over")
    func minimumWait() throws {
        var bench = try RingBench()
        let (near, far) = try Loopback.pair()
        defer { Loopback.close(near, far) }
        try Loopback.write("x", to: far)
        bench.ring.poll(near, events: Int32(POLLIN), token: Self.token)
        // A kernel before 6.12 waits for the time-out instead, and brings the same.
        bench.ring.submitAndWait(
            minimum: 5, batchMicroseconds: 50, timeoutNanoseconds: 50_000_000)
        let count = bench.gather()
        #expect(count == 1)
    }

    @Test("more operations than entries and more results than room for them: none is lost")
    func crowd() throws {
        var bench = try RingBench(entries: 4, completions: 8)
        let (near, far) = try Loopback.pair()
        defer { Loopback.close(near, far) }
        for index in UInt32(0)..<50 {
            bench.ring.poll(
                near, events: Int32(POLLIN), token: Token(kind: 2, generation: 0, index: index))
        }
        try Loopback.write("x", to: far)
        for index in UInt32(0)..<50 {
            let completion = try bench.next(Token(kind: 2, generation: 0, index: index))
            #expect(completion.result & Int32(POLLIN) != 0)
        }
        let left = bench.arrived.count
        #expect(left == 0, "each completes once")
    }
}
