import HTTP2
import Primitives
import Routing
import SimulatedKernel
import TLS
import Wire

/// An endpoint's end of one connection of HTTP/2: it answers each request as the request's path
/// says, and misbehaves as its manners say. Owned by the simulation.
final class FrameAnswerActor {
    /// Parts in 1024 of the requests.
    struct Manners {
        var stream = MessageStream.Manner()
        var plan = HTTP2Plan()
        var interim = 0
        var answersEarly = 0
        /// Nanoseconds before an answer.
        var delayMax = 0
        /// It takes no more streams after this one, and ends when it has answered.
        var goesAway = 0
        /// The stream, before or within its answer.
        var resetsStream = 0
        var refusesStream = 0
        /// The connection.
        var resets = 0
        /// Bytes that are no frame.
        var garbles = 0
        /// It answers by 503.
        var fails = 0
        /// A stream is never answered.
        var stalls = 0
    }

    private struct Call {
        let request: RequestScript
        var check: BodyCheck
        var isAnswered = false
    }

    let stream: MessageStream
    private let frames: FrameStream
    private let manners: Manners
    private let table = HTTPHeadTable(fieldsMax: 100)
    private var calls: [UInt32: Call] = [:]
    /// Answers that wait for their time.
    private var due: [UInt32] = []
    private(set) var seen: [UInt64] = []
    private(set) var violations: [String] = []

    init(
        _ manners: Manners, socket: StreamSocket, kernel: SimulatedKernel, server: TLSServer? = nil
    ) {
        self.manners = manners
        var action: () -> Void = {}
        stream = MessageStream(
            socket, kernel, manners.stream, secure: server.map { SecureStream(over: socket, $0) }
        ) { action() }
        frames = FrameStream(.server, manners.plan, over: stream)
        action = { [unowned self] in act() }
        stream.begin()
    }

    private func happens(_ rate: Int) -> Bool { stream.kernel.random(0...1023) < rate }

    private func act() {
        repeat { frames.understand(note) } while stream.isActive && stream.read()
        frames.understand(note)
        frames.flush(note)
        stream.write()
        guard stream.isActive else { return }
        if frames.hasFailed { violations.append("what the worker asked is no HTTP/2") }
        let isOver = frames.session.isOver && stream.isFlushed
        if stream.end != nil || frames.hasFailed || isOver { stream.close() }
    }

    private func note(_ event: HTTP2Event) {
        switch event {
        case .head(let place, let isLast): headCame(place, isLast: isLast)
        case .headTooLong: violations.append("the head of a request is too long")
        case .data(let place, let bytes):
            guard calls[place] != nil else { return }
            var inbox = Array(bytes)
            _ = calls[place]?.check.take(&inbox)
            if let violation = calls[place]?.check.violation { violations.append(violation) }
            frames.session.consume(place, bytes.count)
        case .ended(let place): requestEnded(place)
        case .closed(let place, _):
            calls[place] = nil
            due.removeAll { $0 == place }
        case .drained, .settled, .goingAway: break
        }
    }

    private func headCame(_ place: UInt32, isLast: Bool) {
        if happens(manners.refusesStream) {
            return frames.session.reset(place, HTTP2Error.refusedStream)
        }
        var resume = 0
        let bytes = frames.session.head
        guard
            case .complete(let line) = HTTPRequestParser().parse(
                bytes, resumingAt: &resume, into: table)
        else { return violations.append("a request came malformed") }
        let path = String(decoding: line.path.bytes(in: bytes), as: UTF8.self)
        guard let request = RequestScript(path: path, method: line.method) else {
            return violations.append("a request for \(path)")
        }
        seen.append(request.number)
        check(line, bytes)
        frames.session.setUser(1, of: place)
        calls[place] = Call(
            request: request, check: BodyCheck(.untilClose, sender: request.number))
        let isAwaited = table.fields[..<Int(line.fieldCount)].contains { $0.known == .expect }
        if isAwaited || happens(manners.interim) {
            FrameStream.withText("HTTP/1.1 \(isAwaited ? 100 : 103) \r\nlink: a\r\n\r\n") {
                frames.session.submitInterim($0, by: place)
            }
        }
        if happens(manners.goesAway) { frames.session.goAway() }
        if happens(manners.answersEarly) { answerLater(place) }
        if isLast { requestEnded(place) }
    }

    private func check(_ line: HTTPRequestLine, _ bytes: UnsafeRawBufferPointer) {
        var hosts = 0
        var sources = 0
        for field in table.fields[..<Int(line.fieldCount)] {
            switch String(decoding: field.name.bytes(in: bytes), as: UTF8.self) {
            case "host": hosts += 1
            case "x-forwarded-for": sources += 1
            case "x-hop", "connection", "transfer-encoding", "upgrade":
                violations.append("what was for one connection only went on")
            default: break
            }
        }
        if (hosts, sources) != (1, 1) { violations.append("\(hosts) hosts, \(sources) sources") }
    }

    private func requestEnded(_ place: UInt32) {
        guard let call = calls[place] else { return }
        if call.check.count != call.request.bodyBytes {
            violations.append(
                "a request's body has \(call.check.count) of \(call.request.bodyBytes) bytes")
        }
        answerLater(place)
    }

    private func answerLater(_ place: UInt32) {
        guard calls[place]?.isAnswered == false else { return }
        calls[place]?.isAnswered = true
        if happens(manners.stalls) { return }
        if happens(manners.garbles) {
            return stream.send([UInt8](repeating: 0xff, count: 40))
        }
        if happens(manners.resets) { return stream.reset() }
        guard manners.delayMax > 0 else { return answer(place) }
        due.append(place)
        let number = calls[place]?.request.number
        stream.kernel.after(UInt64(stream.kernel.random(1...manners.delayMax))) { [weak self] in
            guard let self, !stream.isDone, due.contains(place),
                calls[place]?.request.number == number
            else { return }
            due.removeAll { $0 == place }
            answer(place)
            if stream.isActive { act() }
        }
    }

    private func answer(_ place: UInt32) {
        guard let request = calls[place]?.request else { return }
        if happens(manners.resetsStream) {
            calls[place] = nil
            return frames.session.reset(place, HTTP2Error.internalError)
        }
        if happens(manners.fails) {
            return FrameStream.withText("HTTP/1.1 503 Busy\r\n\r\n") {
                frames.session.submitAnswer($0, by: place, isLast: true)
            }
        }
        var text = "HTTP/1.1 200 OK\r\nx-id: \(request.number)\r\n"
        if request.answerFraming == .length { text += "content-length: \(request.answerBytes)\r\n" }
        let isEmpty = request.isHead || request.answerBytes == 0
        FrameStream.withText(text + "\r\n") {
            frames.session.submitAnswer($0, by: place, isLast: isEmpty)
        }
        guard !isEmpty else { return }
        let cut = happens(manners.resetsStream) ? request.answerBytes / 2 : request.answerBytes
        frames.write(RequestScript.pattern(request.answerNumber, 0, cut), to: place)
        guard cut == request.answerBytes else {
            frames.flush(note)
            calls[place] = nil
            return frames.session.reset(place, HTTP2Error.internalError)
        }
        if request.answerFraming == .chunked {
            FrameStream.withText("x-sum: \(cut)\r\n") {
                frames.session.end(place, trailers: UnsafeRawBufferPointer($0))
            }
        } else {
            frames.session.end(place)
        }
    }
}
