import Routing
import Testing

@testable import HTTP2

@Suite("Streams from their beginning to their end")
struct StreamLifeTests {
    typealias Told = SessionPair.Told

    @Test("a reader that takes nothing stops its own stream, and no other")
    func windows() throws {
        var plan = HTTP2Plan()
        plan.streamWindowBytes = 10_000
        let pair = SessionPair(client: plan)
        let (slow, quick) = (try pair.ask(), try pair.ask())
        pair.run()
        pair.consumes = false
        pair.answer(slow, isLast: false)
        SessionPair.write(50_000, to: slow, of: pair.server)
        #expect(pair.server.isFull(slow))
        let stalled = pair.run().client
        #expect(stalled.reduce(0) { $0 + $1.dataCount(slow) } == 10_000)
        pair.consumes = true
        pair.answer(quick, isLast: false)
        SessionPair.write(50_000, to: quick, of: pair.server)
        pair.server.end(quick)
        #expect(pair.run().client.reduce(0) { $0 + $1.dataCount(quick) } == 50_000)
        // It goes on when what was taken is told, and says so when little waits.
        pair.client.consume(slow, 10_000)
        let told = pair.run()
        #expect(told.client.reduce(0) { $0 + $1.dataCount(slow) } == 40_000)
        #expect(told.server.contains(.drained(slow)))
    }

    @Test("interim heads come before the answer, and trailers behind its content")
    func heads() throws {
        let pair = SessionPair()
        let stream = try pair.ask()
        pair.run()
        var hint = Array("HTTP/1.1 103 Early\r\nlink: b\r\n\r\n".utf8)
        hint.withUnsafeMutableBytes { pair.server.submitInterim($0, by: stream) }
        pair.answer(stream, isLast: false)
        "x: y\r\n".utf8.withContiguousStorageIfAvailable {
            pair.server.end(stream, trailers: UnsafeRawBufferPointer($0))
        }
        #expect(
            pair.run().client == [
                .head(stream, "HTTP/1.1 103 \r\nlink: b\r\n\r\n", isLast: false),
                .head(stream, "HTTP/1.1 200 \r\n\r\n", isLast: false),
                .ended(stream, trailers: "x: y\r\n"), .closed(stream, HTTP2Error.none),
            ])
    }

    @Test("a server that has answered takes the rest of the request for nothing")
    func earlyAnswer() throws {
        let pair = SessionPair()
        let stream = try pair.ask("POST / HTTP/1.1\r\nhost: a\r\n\r\n", isLast: false)
        pair.run()
        pair.answer(stream, isLast: true)
        pair.server.leave(stream, unfinished: HTTP2Error.internalError)
        let told = pair.run()
        #expect(
            told.client == [
                .head(stream, "HTTP/1.1 200 \r\n\r\n", isLast: true),
                .closed(stream, HTTP2Error.none),
            ])
        #expect(told.server == [.closed(stream, HTTP2Error.none)])
        #expect((pair.client.streamCount, pair.server.streamCount) == (0, 0))
    }

    @Test("a stream that is left before its end is reset with the reason")
    func resets() throws {
        let pair = SessionPair()
        let (first, second) = (try pair.ask(), try pair.ask())
        pair.run()
        pair.server.leave(first, unfinished: HTTP2Error.refusedStream)
        pair.client.leave(second, unfinished: HTTP2Error.cancel)
        let told = pair.run()
        #expect(told.client.contains(.closed(first, HTTP2Error.refusedStream)))
        #expect(told.server.contains(.closed(second, HTTP2Error.cancel)))
        #expect((pair.client.streamCount, pair.server.streamCount) == (0, 0))
    }

    @Test("who goes away answers what it has, and takes no more")
    func goAway() throws {
        let pair = SessionPair()
        let stream = try pair.ask()
        pair.run()
        pair.server.goAway()
        #expect(pair.run().client == [.goingAway])
        #expect(pair.client.room == 0)
        #expect(!pair.server.isOver)
        pair.answer(stream, isLast: true)
        pair.run()
        #expect(pair.server.isOver && pair.client.isOver)
    }

    @Test("what is on its way when a server announces that it goes is answered")
    func announcedGoing() throws {
        let pair = SessionPair()
        let first = try pair.ask()
        pair.run()
        let late = try pair.ask()
        pair.server.announceGoing()
        let told = pair.run()
        #expect(told.client == [.goingAway])
        #expect(told.server.count { if case .head(late, _, _) = $0 { true } else { false } } == 1)
        pair.server.goAway()
        for stream in [first, late] { pair.answer(stream, isLast: true) }
        #expect(
            pair.run().client.count { if case .head = $0 { true } else { false } } == 2)
        #expect(pair.server.isOver && pair.client.isOver)
    }

    @Test("a request that the peer has not seen before it went is refused")
    func goAwayRefuses() throws {
        let pair = SessionPair()
        pair.run()
        // One is on its way while the other side goes, and one waits to be sent.
        let sent = try pair.ask()
        _ = output(of: pair.client)
        let waiting = try pair.ask()
        pair.server.goAway()
        var told: [Told] = []
        pair.receive(output(of: pair.server), pair.client, &told)
        #expect(told == [.goingAway, .closed(sent, HTTP2Error.refusedStream)])
        #expect(pair.run().client == [.closed(waiting, HTTP2Error.refusedStream)])
        #expect(pair.client.streamCount == 0)
    }

    private func output(of session: HTTP2Session) -> [UInt8] {
        var memory = [UInt8](repeating: 0, count: 1_000)
        let count = memory.withUnsafeMutableBytes { session.output(into: $0) }
        return Array(memory[..<count])
    }

    @Test("a client opens as many streams as both sides allow")
    func room() throws {
        var plan = HTTP2Plan()
        plan.streamsMax = 3
        let pair = SessionPair(server: plan)
        #expect(!pair.client.isSettled)
        #expect(pair.run().client == [.settled])
        #expect(pair.client.isSettled)
        #expect(pair.client.room == 3)
        let streams = try (0..<3).map { _ in try pair.ask() }
        #expect(pair.client.room == 0)
        pair.run()
        for stream in streams { pair.answer(stream, isLast: true) }
        pair.run()
        #expect(pair.client.room == 3)
    }

    @Test("a head that is too long is told, and the connection goes on")
    func longHead() throws {
        let pair = SessionPair(headBytesMax: 1_000)
        let value = String(repeating: "v", count: 990)
        let stream = try pair.ask("GET / HTTP/1.1\r\nhost: a\r\nx: \(value)\r\n\r\n")
        #expect(pair.run().server.contains(.headTooLong(stream)))
        pair.answer(stream, "HTTP/1.1 431 Too Large\r\n\r\n", isLast: true)
        pair.server.leave(stream, unfinished: HTTP2Error.internalError)
        #expect(
            pair.run().client.contains(.head(stream, "HTTP/1.1 431 \r\n\r\n", isLast: true)))
        let next = try pair.ask()
        #expect(
            pair.run().server == [
                .head(next, "GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\n\r\n", isLast: true)
            ])
    }

    @Test("a body that is not as long as its head says ends its stream")
    func wrongLength() throws {
        let pair = SessionPair()
        let stream = try pair.ask(
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n", isLast: false)
        SessionPair.write(3, to: stream, of: pair.client)
        pair.client.end(stream)
        let told = pair.run()
        #expect(told.server.contains(.closed(stream, HTTP2Error.protocolError)))
        #expect(!told.server.contains(.ended(stream, trailers: "")))
        #expect(told.client.contains(.closed(stream, HTTP2Error.protocolError)))
    }

    @Test("places are used again, and nothing grows")
    func manyStreams() throws {
        let pair = SessionPair()
        for _ in 0..<5_000 {
            let stream = try pair.ask()
            #expect(stream < 4)
            pair.run()
            pair.answer(stream, isLast: false)
            SessionPair.write(100, to: stream, of: pair.server)
            pair.server.end(stream)
            pair.run()
        }
        #expect((pair.client.streamCount, pair.server.streamCount) == (0, 0))
    }

    @Test("what is no HTTP/2 ends the session, and nothing more is read")
    func garbage() {
        let pair = SessionPair()
        var told: [Told] = []
        pair.receive([UInt8](repeating: 0x47, count: 40), pair.server, &told)
        #expect(told == [.failed])
        pair.receive([0, 0, 0, 4, 0, 0, 0, 0, 0], pair.server, &told)
        #expect(told == [.failed, .failed])
    }
}

extension SessionPair.Told {
    fileprivate func dataCount(_ stream: UInt32) -> Int {
        if case .data(stream, let count) = self { count } else { 0 }
    }
}
