import HTTP2
import Routing
import Wire

/// Sessions of HTTP/2 under libFuzzer: whatever a peer sends, however it is cut, a caller is told
/// of streams that it can answer, reset and leave at any time; what it is told of are heads that a
/// parser can judge and bytes of the input. A broken promise traps, which is the finding.
///
/// The first byte says how the input is cut and what the caller does; the rest is what a client
/// sends after its preface, and what an endpoint sends.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTP2Input(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard count > 1, let data else { return 0 }
    let frames = UnsafeRawBufferPointer(start: data + 1, count: count - 1)
    let server = Caller(.server, habits: data[0])
    let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    preface.withUnsafeBytes { server.take($0) }
    server.take(frames)
    let client = Caller(.client, habits: data[0])
    for _ in 0..<3 { client.ask() }
    client.take(frames)
    return 0
}

/// Does with a session what the engine might.
private final class Caller {
    private let session: HTTP2Session
    private let habits: UInt8
    private var steps = 0
    /// Streams that were told of and are not closed.
    private var open = Set<UInt32>()
    private var answered = Set<UInt32>()
    private var input = UnsafeRawBufferPointer(start: nil, count: 0)
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 16)
    private var hasFailed = false

    init(_ role: HTTP2Session.Role, habits: UInt8) {
        var plan = HTTP2Plan()
        plan.streamsMax = 8
        session = HTTP2Session(role, plan, headBytesMax: 2048)
        self.habits = habits
    }

    deinit { output.deallocate() }

    func take(_ bytes: UnsafeRawBufferPointer) {
        let pieces = [1, 7, 64, 4096][Int(habits & 3)]
        var place = 0
        while place < bytes.count {
            let end = min(place + pieces, bytes.count)
            input = UnsafeRawBufferPointer(rebasing: bytes[place..<end])
            switch session.receive(input, second: UInt64(place >> 6)) {
            case .taken(let count):
                precondition(!hasFailed, "a session that has failed takes nothing")
                precondition(
                    1...input.count ~= count, "something is taken, and no more than is there")
                place += count
            case .failed:
                hasFailed = true
                place = bytes.count
            }
            drainEvents()
            send()
        }
        // Whatever is still open can be ended.
        for stream in open { session.leave(stream, unfinished: HTTP2Error.cancel) }
        send()
    }

    func ask() {
        withText("POST /a HTTP/1.1\r\nhost: a\r\n\r\n") { text in
            guard session.room > 0,
                let stream = session.submitRequest(text, isSecure: false, isLast: false, user: 1)
            else { return }
            precondition(open.insert(stream).inserted, "a place is used once at a time")
            answered.insert(stream)
        }
        send()
    }

    private func send() {
        for _ in 0..<100 {
            guard session.output(into: output) > 0 else { break }
            drainEvents()
        }
        drainEvents()
    }

    private func drainEvents() {
        while let event = session.nextEvent() {
            steps += 1
            handle(event)
        }
    }

    private func handle(_ event: HTTP2Event) {
        switch event {
        case .head(let stream, let isLast):
            checkHead()
            if session.role == .server {
                precondition(open.insert(stream).inserted, "a stream begins once")
                session.setUser(stream, of: stream)
                serve(stream, isLast: isLast)
            } else {
                precondition(open.contains(stream), "only what was asked is answered")
            }
        case .headTooLong(let stream):
            if session.role == .server {
                precondition(open.insert(stream).inserted, "a stream begins once")
            }
            session.reset(stream, HTTP2Error.refusedStream)
        case .data(let stream, let bytes):
            precondition(open.contains(stream), "content belongs to a stream")
            guard let start = bytes.baseAddress, let first = input.baseAddress else { return }
            precondition(
                start >= first && start + bytes.count <= first + input.count,
                "content is a part of what was given")
            if habits & 4 == 0 || steps % 2 == 0 { session.consume(stream, bytes.count) }
        case .ended(let stream):
            precondition(open.contains(stream), "the end belongs to a stream")
            for line in session.trailers.split(separator: 0x0a) {
                precondition(line.contains(UInt8(ascii: ":")), "a trailer is a line")
            }
            if habits & 8 != 0 { answer(stream) }
        case .closed(let stream, _):
            answered.remove(stream)
            // One may close before its head was told of.
            open.remove(stream)
        case .drained(let stream): precondition(open.contains(stream), "what drains was open")
        case .settled, .goingAway: break
        }
    }

    private func serve(_ stream: UInt32, isLast: Bool) {
        switch (Int(habits >> 4) + steps) % 5 {
        case 0: session.reset(stream, HTTP2Error.cancel)
        case 1: answer(stream)
        case 2:
            withText("HTTP/1.1 103 Early\r\nlink: a\r\n\r\n") {
                session.submitInterim($0, by: stream)
            }
            answer(stream)
        case 3 where isLast: session.leave(stream, unfinished: HTTP2Error.internalError)
        default: break
        }
    }

    private func answer(_ stream: UInt32) {
        guard answered.insert(stream).inserted, session.role == .server else { return }
        withText("HTTP/1.1 200 OK\r\nContent-Type: a\r\n\r\n") {
            session.submitAnswer($0, by: stream, isLast: false)
        }
        let content = [UInt8](repeating: 0x61, count: 100 << (steps % 10))
        content.withUnsafeBytes { session.write($0, to: stream) }
        _ = session.isFull(stream)
        withText("a: b\r\n") { session.end(stream, trailers: UnsafeRawBufferPointer($0)) }
    }

    /// A head is a whole text for the parser of HTTP/1, which may still refuse it.
    private func checkHead() {
        let table = HTTPHeadTable(fieldsMax: 100)
        var resume = 0
        let isIncomplete: Bool
        if session.role == .server {
            if case .incomplete = HTTPRequestParser(headBytesMax: 4096).parse(
                session.head, resumingAt: &resume, into: table)
            {
                isIncomplete = true
            } else {
                isIncomplete = false
            }
        } else if case .incomplete = HTTPResponseParser(headBytesMax: 4096).parse(
            session.head, answering: .get, resumingAt: &resume, into: table)
        {
            isIncomplete = true
        } else {
            isIncomplete = false
        }
        precondition(!isIncomplete, "a head is whole")
    }

    private func withText(_ text: String, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        var bytes = Array(text.utf8)
        bytes.withUnsafeMutableBytes { body($0) }
    }
}
