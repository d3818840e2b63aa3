import Primitives
import SimulatedKernel
import TLS
import Wire

/// A client that makes requests over one connection and checks what it is answered. Owned by the
/// simulation.
final class RequestActor {
    struct Script {
        var requests: [RequestScript]
        /// So many are sent before the first is answered.
        var depth = 1
        var manner = MessageStream.Manner()
        var ending = Ending.closes
        /// Nanoseconds between an answer and the next request.
        var thinksMax = 0
        var expectsTrouble = false
    }

    enum Ending: Equatable {
        /// After the last answer.
        case closes
        /// Says that nothing more comes with the last request, and waits for the end.
        case halfCloses
        /// Waits for the other side to end the connection.
        case lingers
        /// Once so many bytes have come and gone.
        case resets(after: Int), leaves(after: Int), stalls(after: Int)
        /// What follows its last request is no request.
        case garbles
    }

    enum Outcome: Equatable {
        /// An endpoint's answer, in full.
        case answered
        /// The worker's own.
        case refused(UInt16)
    }

    let script: Script
    let stream: MessageStream
    private let table = HTTPHeadTable(fieldsMax: 100)
    private var next = 0
    private var awaited: [RequestScript] = []
    /// Of the answer that is being read.
    private var body: BodyCheck?
    private var isOwn = false
    private var status: UInt16 = 0
    private var mayContinue = false
    private var isThinking = false
    private(set) var outcomes: [Outcome] = []
    private(set) var violations: [String] = []

    init(
        _ script: Script, socket: StreamSocket, kernel: SimulatedKernel, client: TLSClient? = nil
    ) {
        self.script = script
        var action: () -> Void = {}
        stream = MessageStream(
            socket, kernel, script.manner, secure: client.map { SecureStream(over: socket, $0) }
        ) { action() }
        action = { [unowned self] in act() }
        stream.begin()
    }

    var isWhole: Bool {
        outcomes.count == script.requests.count && outcomes.allSatisfy { $0 == .answered }
    }

    private func act() {
        repeat { understand() } while stream.isActive && stream.read()
        understand()
        ask()
        stream.write()
        guard stream.isActive else { return }
        switch script.ending {
        case .resets(let after) where stream.bytesMoved >= after: stream.reset()
        case .leaves(let after) where stream.bytesMoved >= after: stream.close()
        case .stalls(let after) where stream.bytesMoved >= after: stream.isStalled = true
        default:
            if stream.end != nil { return finish() }
            if script.ending == .closes, isOver { stream.close() }
        }
    }

    private var isOver: Bool {
        next == script.requests.count && awaited.isEmpty && stream.isFlushed
    }

    /// The other side has ended the connection.
    private func finish() {
        if let body, body.isOpen, stream.end == .clean, !isOwn {
            if body.count == awaited[0].answerBytes {
                outcomes.append(.answered)
            } else if !isExpectedShort {
                violations.append("a body of \(awaited[0].answerBytes) ended after \(body.count)")
            }
        }
        stream.close()
    }

    /// The endpoint had said that it would end the body early.
    private var isExpectedShort = false

    // MARK: - Asking

    private func ask() {
        while stream.isActive, stream.end == nil, !isThinking, next < script.requests.count,
            mayContinue || awaited.count < script.depth
        {
            let request = script.requests[next]
            if request.expectsContinue, !awaited.isEmpty, !mayContinue { return }
            if awaited.last?.number != request.number {
                stream.send(request.head)
                awaited.append(request)
                if request.expectsContinue { return }
            }
            sendBody(request)
        }
    }

    private func sendBody(_ request: RequestScript) {
        let kernel = stream.kernel
        if request.bodyBytes > 0 {
            stream.send(
                RequestScript.body(
                    request.bodyFraming, sender: request.number, count: request.bodyBytes
                ) { kernel.random(1...20_000) })
        }
        next += 1
        mayContinue = false
        guard next == script.requests.count else { return }
        if script.ending == .garbles { stream.send(Array("GET\r\n\r\n".utf8)) }
        if script.ending == .halfCloses, !request.isUpgrade { stream.shutdownWrite() }
    }

    private func think() {
        guard script.thinksMax > 0, script.depth == 1 else { return }
        isThinking = true
        stream.kernel.after(UInt64(stream.kernel.random(1...script.thinksMax))) { [weak self] in
            self?.isThinking = false
            if self?.stream.isActive == true { self?.act() }
        }
    }

    // MARK: - Answers

    private func understand() {
        while !stream.inbox.isEmpty || body != nil {
            if body == nil {
                guard readHead() else { return }
            } else {
                guard readBody() else { return }
            }
        }
    }

    private func readHead() -> Bool {
        guard let request = awaited.first else {
            if script.ending != .garbles { violations.append("an answer to nothing") }
            stream.inbox = []
            return false
        }
        let inbox = stream.inbox
        return inbox.withUnsafeBytes { bytes in
            var resume = 0
            switch HTTPResponseParser().parse(
                bytes, answering: request.method, resumingAt: &resume, into: table)
            {
            case .incomplete: return false
            case .malformed(let fault):
                violations.append("the head of an answer is malformed: \(fault)")
                stream.inbox = []
                return false
            case .complete(let line):
                stream.inbox.removeFirst(Int(line.headBytes))
                take(line, bytes, of: request)
                return true
            }
        }
    }

    private func take(
        _ line: HTTPStatusLine, _ bytes: UnsafeRawBufferPointer, of request: RequestScript
    ) {
        if line.isInterim {
            if request.isHTTP10 { violations.append("an interim answer by HTTP/1.0") }
            if line.status == 100 { mayContinue = true }
            return
        }
        let id = value("x-id", line, bytes).flatMap { UInt64($0) }
        (isOwn, status) = (id == nil, line.status)
        isExpectedShort = value("x-short", line, bytes) != nil
        if let id, id != request.number { violations.append("\(id) answers \(request.number)") }
        if line.status == 101 {
            if !request.isUpgrade { violations.append("an upgrade that nobody asked for") }
            stream.send(RequestScript.pattern(request.number, 0, request.answerBytes))
            stream.shutdownWrite()
            body = BodyCheck(.untilClose, sender: request.answerNumber)
            return
        }
        if request.isHTTP10, line.framing == .chunked { violations.append("chunks by HTTP/1.0") }
        body = BodyCheck(line.framing, sender: request.answerNumber)
        // The rest of a request that was answered early.
        if request.expectsContinue, next < script.requests.count,
            script.requests[next].number == request.number, line.keepsAlive
        {
            sendBody(request)
        }
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

    private func readBody() -> Bool {
        guard var body else { return false }
        if isOwn {
            // Its text is nobody's pattern.
            var plain = body
            let isWhole = plain.take(&stream.inbox)
            self.body = plain
            return isWhole && conclude()
        }
        let isWhole = body.take(&stream.inbox)
        self.body = body
        if let violation = body.violation {
            violations.append(violation)
            stream.inbox = []
            return false
        }
        return isWhole && conclude()
    }

    private func conclude() -> Bool {
        let request = awaited.removeFirst()
        if !isOwn, let count = body?.count, count != (request.isHead ? 0 : request.answerBytes) {
            violations.append("\(count) bytes instead of \(request.answerBytes)")
        }
        body = nil
        outcomes.append(isOwn ? .refused(status) : .answered)
        think()
        return true
    }
}
