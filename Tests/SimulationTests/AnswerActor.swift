import Primitives
import SimulatedKernel
import TLS
import Wire

/// An endpoint's end of one connection: it answers each request as the request's path says, and
/// misbehaves as its manners say. Owned by the simulation.
final class AnswerActor {
    /// Parts in 1024 of the requests.
    struct Manners {
        var stream = MessageStream.Manner()
        /// It says that it closes the connection, and does.
        var closes = 0
        /// It closes the connection a while after an answer, without having said so.
        var closesIdle = 0
        var interim = 0
        /// It answers before the request's body has come.
        var answersEarly = 0
        /// Nanoseconds before an answer.
        var delayMax = 0
        var resets = 0
        /// It ends an answer before it is whole.
        var truncates = 0
        var garbles = 0
        /// It answers by 503, with or without content.
        var fails = 0
        var stalls = 0
    }

    private enum Reading {
        case head
        case body(BodyCheck)
        case tunnel(BodyCheck)
    }

    let stream: MessageStream
    private let manners: Manners
    private let table = HTTPHeadTable(fieldsMax: 100)
    private var reading = Reading.head
    private var request = RequestScript(number: 0)
    private var isAnswered = false
    private var isClosing = false
    /// Numbers of the requests whose heads came.
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
        action = { [unowned self] in act() }
        stream.begin()
    }

    private func happens(_ rate: Int) -> Bool { stream.kernel.random(0...1023) < rate }

    private func act() {
        repeat { understand() } while stream.isActive && stream.read()
        understand()
        stream.write()
        guard stream.isActive else { return }
        if case .tunnel = reading {
            if stream.end != nil, stream.isWriteShut || stream.end == .reset { stream.close() }
        } else if stream.end != nil || (isClosing && stream.isFlushed) {
            stream.close()
        }
    }

    private func understand() {
        while stream.isActive, !isClosing {
            switch reading {
            case .head: guard readHead() else { return }
            case .body(let check): guard readBody(check) else { return }
            case .tunnel(var check):
                guard !stream.inbox.isEmpty else { return }
                _ = check.take(&stream.inbox)
                if let violation = check.violation { violations.append(violation) }
                if check.count > request.answerBytes { violations.append("too much in a tunnel") }
                reading = .tunnel(check)
            }
        }
    }

    // MARK: - Requests

    private func readHead() -> Bool {
        let inbox = stream.inbox
        guard !inbox.isEmpty else { return false }
        return inbox.withUnsafeBytes { bytes in
            var resume = 0
            switch HTTPRequestParser().parse(bytes, resumingAt: &resume, into: table) {
            case .incomplete: return false
            case .malformed(let fault):
                violations.append("a request came malformed: \(fault)")
                stream.inbox = []
                return false
            case .http2Preface: return false
            case .complete(let line):
                stream.inbox.removeFirst(Int(line.headBytes))
                take(line, bytes)
                return true
            }
        }
    }

    private func take(_ line: HTTPRequestLine, _ bytes: UnsafeRawBufferPointer) {
        let path = String(decoding: line.path.bytes(in: bytes), as: UTF8.self)
        guard let request = RequestScript(path: path, method: line.method) else {
            violations.append("a request for \(path)")
            return
        }
        self.request = request
        isAnswered = false
        seen.append(request.number)
        check(line, bytes)
        let check = BodyCheck(line.framing, sender: request.number)
        if line.expectsContinue || happens(manners.interim) {
            stream.send(Array("HTTP/1.1 \(line.expectsContinue ? 100 : 103) Interim\r\n\r\n".utf8))
        }
        reading = .body(check)
        if happens(manners.answersEarly) { answer() }
    }

    private func check(_ line: HTTPRequestLine, _ bytes: UnsafeRawBufferPointer) {
        var hosts = 0
        var sources = 0
        for field in table.fields[..<Int(line.fieldCount)] {
            switch String(decoding: field.name.bytes(in: bytes), as: UTF8.self) {
            case "host": hosts += 1
            case "x-forwarded-for": sources += 1
            case "x-hop": violations.append("what was for one connection only went on")
            default: break
            }
        }
        if (hosts, sources) != (1, 1) { violations.append("\(hosts) hosts, \(sources) sources") }
        if line.version != .http11 { violations.append("asked by \(line.version)") }
    }

    private func readBody(_ check: BodyCheck) -> Bool {
        var check = check
        let isWhole = check.take(&stream.inbox)
        reading = .body(check)
        if let violation = check.violation {
            violations.append("request \(request.number): \(violation)")
            return false
        }
        guard isWhole else { return false }
        if check.count != request.bodyBytes {
            violations.append("a request's body has \(check.count) of \(request.bodyBytes) bytes")
        }
        reading = .head
        if !isAnswered { answer() }
        return true
    }

    // MARK: - Answers

    private func answer() {
        isAnswered = true
        if manners.delayMax > 0 { stream.pause(stream.kernel.random(1...manners.delayMax)) }
        if happens(manners.stalls) {
            stream.isStalled = true
            return
        }
        if happens(manners.garbles) {
            isClosing = true
            return stream.send(Array("HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\n".utf8))
        }
        if happens(manners.resets) { return stream.reset() }
        if happens(manners.fails), !request.isUpgrade {
            let count = request.isHead ? 0 : stream.kernel.random(0...3)
            let text = "HTTP/1.1 503 Busy\r\ncontent-length: \(count)\r\n\r\n"
            return stream.send(Array((text + String(repeating: "x", count: count)).utf8))
        }
        if request.isUpgrade { return upgrade() }
        let closes = happens(manners.closes) || request.answerFraming == .untilClose
        let isShort = happens(manners.truncates)
        var text = "HTTP/1.1 200 OK\r\nx-id: \(request.number)\r\n"
        if isShort { text += "x-short: yes\r\n" }
        if closes { text += "Connection: close\r\n" }
        text += RequestScript.field(request.answerFraming, request.answerBytes) + "\r\n"
        var bytes = Array(text.utf8)
        if !request.isHead {
            let kernel = stream.kernel
            bytes += RequestScript.body(
                request.answerFraming, sender: request.answerNumber, count: request.answerBytes
            ) { kernel.random(1...20_000) }
        }
        if isShort { bytes.removeLast(stream.kernel.random(1...bytes.count)) }
        stream.send(bytes)
        if closes || isShort {
            isClosing = true
        } else if happens(manners.closesIdle) {
            closeIdle()
        }
    }

    private func closeIdle() {
        let count = seen.count
        stream.kernel.after(UInt64(stream.kernel.random(1...2_000_000))) { [weak self] in
            guard let self, !stream.isDone, seen.count == count, stream.isFlushed else { return }
            stream.close()
        }
    }

    private func upgrade() {
        let text = "HTTP/1.1 101 Switching Protocols\r\nx-id: \(request.number)\r\n"
        stream.send(Array((text + "Connection: upgrade\r\nUpgrade: pattern\r\n\r\n").utf8))
        stream.send(RequestScript.pattern(request.answerNumber, 0, request.answerBytes))
        stream.shutdownWrite()
        reading = .tunnel(BodyCheck(.untilClose, sender: request.number))
    }
}
