import HTTP2
import Primitives
import Routing
import SimulatedKernel
import TLS
import Wire

/// A client that makes requests by streams of one connection of HTTP/2, several at a time, and
/// checks what it is answered. Owned by the simulation.
final class FrameRequestActor {
    struct Script {
        var requests: [RequestScript]
        /// So many at a time.
        var depth = 4
        var manner = MessageStream.Manner()
        var ending = RequestActor.Ending.closes
        var plan = HTTP2Plan()
        /// Parts in 1024 of the events after which a stream is taken back.
        var cancels = 0
    }

    /// One request that was made.
    private struct Call {
        let request: RequestScript
        var check: BodyCheck
        var isOwn = false
        var isShort = false
        var isCancelled = false
    }

    let script: Script
    let stream: MessageStream
    private let frames: FrameStream
    private let table = HTTPHeadTable(fieldsMax: 100)
    private var next = 0
    private var calls: [UInt32: Call] = [:]
    private(set) var outcomes: [RequestActor.Outcome] = []
    /// Streams that ended before their answer was whole.
    private(set) var lost = 0
    private(set) var cancelled = 0
    private(set) var violations: [String] = []

    init(
        _ script: Script, socket: StreamSocket, kernel: SimulatedKernel, client: TLSClient? = nil
    ) {
        self.script = script
        var action: () -> Void = {}
        stream = MessageStream(
            socket, kernel, script.manner, secure: client.map { SecureStream(over: socket, $0) }
        ) { action() }
        frames = FrameStream(.client, script.plan, over: stream)
        action = { [unowned self] in act() }
        stream.begin()
    }

    var isWhole: Bool {
        outcomes.count == script.requests.count && outcomes.allSatisfy { $0 == .answered }
    }

    private func act() {
        repeat { frames.understand(note) } while stream.isActive && stream.read()
        frames.understand(note)
        ask()
        frames.flush(note)
        stream.write()
        guard stream.isActive else { return }
        if frames.hasFailed { violations.append("what the worker sent is no HTTP/2") }
        switch script.ending {
        case .resets(let after) where stream.bytesMoved >= after: stream.reset()
        case .leaves(let after) where stream.bytesMoved >= after: stream.close()
        case .stalls(let after) where stream.bytesMoved >= after: stream.isStalled = true
        default:
            if stream.end != nil || frames.hasFailed { return stream.close() }
            if script.ending != .lingers, isOver { stream.close() }
        }
    }

    private var isOver: Bool {
        next == script.requests.count && calls.isEmpty && stream.isFlushed
    }

    private func ask() {
        let kernel = stream.kernel
        while stream.isActive, stream.end == nil, next < script.requests.count,
            calls.count < script.depth, frames.session.room > 0
        {
            let request = script.requests[next]
            next += 1
            let place = FrameStream.withText(request.streamHead) {
                frames.session.submitRequest(
                    $0, isSecure: false, isLast: request.bodyBytes == 0, user: 1)
            }
            guard let place else { return violations.append("a request is not taken") }
            calls[place] = Call(
                request: request,
                check: BodyCheck(.untilClose, sender: request.answerNumber))
            guard request.bodyBytes > 0 else { continue }
            frames.write(RequestScript.pattern(request.number, 0, request.bodyBytes), to: place)
            if request.bodyFraming == .chunked {
                FrameStream.withText("x-sum: \(request.bodyBytes)\r\n") {
                    frames.session.end(place, trailers: UnsafeRawBufferPointer($0))
                }
            } else {
                frames.session.end(place)
            }
            if kernel.random(0...1023) < script.cancels { cancel(place) }
        }
    }

    private func cancel(_ place: UInt32) {
        cancelled += 1
        calls[place] = nil
        frames.session.reset(place, HTTP2Error.cancel)
    }

    private func note(_ event: HTTP2Event) {
        switch event {
        case .head(let place, let isLast): headCame(place, isLast: isLast)
        case .headTooLong: violations.append("the head of an answer is too long")
        case .data(let place, let bytes):
            guard calls[place] != nil else { return }
            var inbox = Array(bytes)
            if calls[place]?.isOwn == false { _ = calls[place]?.check.take(&inbox) }
            if let violation = calls[place]?.check.violation { violations.append(violation) }
            frames.session.consume(place, bytes.count)
            if stream.kernel.random(0...1023) < script.cancels { cancel(place) }
        case .ended(let place): conclude(place)
        case .closed(let place, _):
            if calls.removeValue(forKey: place) != nil { lost += 1 }
        case .drained, .settled, .goingAway: break
        }
    }

    private func headCame(_ place: UInt32, isLast: Bool) {
        guard var call = calls[place] else { return }
        var resume = 0
        let bytes = frames.session.head
        guard
            case .complete(let line) = HTTPResponseParser().parse(
                bytes, answering: call.request.method, resumingAt: &resume, into: table)
        else { return violations.append("the head of an answer is malformed") }
        guard !line.isInterim else { return }
        let id = value("x-id", line, bytes).flatMap { UInt64($0) }
        call.isOwn = id == nil
        call.isShort = value("x-short", line, bytes) != nil
        if let id, id != call.request.number {
            violations.append("\(id) answers \(call.request.number)")
        }
        status = line.status
        calls[place] = call
        if isLast { conclude(place) }
    }

    private var status: UInt16 = 0

    private func conclude(_ place: UInt32) {
        guard let call = calls.removeValue(forKey: place) else { return }
        guard !call.isOwn else { return outcomes.append(.refused(status)) }
        let expected = call.request.isHead ? 0 : call.request.answerBytes
        if call.check.count != expected, !call.isShort {
            violations.append(
                "\(call.check.count) bytes instead of \(expected) by \(call.request.number)")
        }
        outcomes.append(.answered)
    }

    private func value(
        _ name: String, _ line: HTTPStatusLine, _ bytes: UnsafeRawBufferPointer
    ) -> String? {
        for field in table.fields[..<Int(line.fieldCount)]
        where String(decoding: field.name.bytes(in: bytes), as: UTF8.self) == name {
            return String(decoding: field.value.bytes(in: bytes), as: UTF8.self)
        }
        return nil
    }
}

extension RequestScript {
    /// As a stream begins.
    var streamHead: String {
        var text = isHead ? "HEAD" : bodyBytes > 0 ? "POST" : "GET"
        text += " /\(number)/\(bodyBytes)/\(answerBytes)/\(answerFraming.rawValue)/0 HTTP/1.1\r\n"
        text += "host: a.example.com\r\n"
        if bodyBytes > 0, bodyFraming == .length { text += "content-length: \(bodyBytes)\r\n" }
        return text + "\r\n"
    }
}
