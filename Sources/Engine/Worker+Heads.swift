import CLinux
import Kernel
import Primitives
import Routing
import Wire

/// Heads as they go on: what is meant for one connection only is left out (RFC 9110 section 7.6.1),
/// what the rule changes is changed, and the endpoint is told whom the request is from.
extension Worker where R: ~Copyable {
    // MARK: - Requests

    /// - Returns: the head in buffers; nil = there is no room for it.
    mutating func writeRequestHead(
        _ view: borrowing RequestView, _ index: UInt32, _ desk: HTTPDesk, _ rule: HTTPRule,
        _ backend: Int, matched path: HTTPMatch.Path
    ) -> BufferQueue? {
        var writer = HTTPHeadWriter(desk.outgoing)
        if let rewrite = rule.rewrite {
            rewrite.target(for: view, matched: path).withUnsafeBytes {
                writer.requestLine(method: view.method, target: $0)
            }
        } else {
            let query = view.line.query == nil ? nil : view.query
            writer.requestLine(method: view.method, path: view.path, query: query)
        }
        if var host = rule.rewrite?.host {
            host.withUTF8 { writer.field("host", UnsafeRawBufferPointer($0)) }
        } else {
            // A request of HTTP/1.0 may have none; HTTP/1.1 needs one, which may be empty.
            writer.field("host", view.authority ?? UnsafeRawBufferPointer(start: nil, count: 0))
        }
        let edits = rule.requestEdits(backend)
        let hasRequestID = copyFields(of: view, desk, edits, to: &writer)
        if view.hasBody, view.line.framing == .none {
            // Of a stream, whose end is the body's.
            writer.field("transfer-encoding", "chunked")
        }
        writeForwarded(view, index, desk, hasRequestID: hasRequestID, to: &writer)
        edits.0.write(to: &writer)
        edits.1?.write(to: &writer)
        writer.end()
        return writer.written.flatMap { keep($0) }
    }

    /// - Returns: whether the request has an identifier.
    private func copyFields(
        of view: borrowing RequestView, _ desk: HTTPDesk, _ edits: (FieldEdit, FieldEdit?),
        to writer: inout HTTPHeadWriter
    ) -> Bool {
        var hasRequestID = false
        let isUpgrade = view.line.isUpgrade
        let namesFields = view.line.connection.contains(.namesFields)
        for field in view.fields {
            switch field.known {
            case .host, .xForwardedFor, .xForwardedProto, .keepAlive, .proxyConnection, .te,
                .http2Settings:
                continue
            case .connection: continue
            case .upgrade: if !isUpgrade { continue }
            case .xRequestID: hasRequestID = true
            default: break
            }
            if namesFields, field.known != .upgrade,
                desk.fields.isNamedByConnection(field.name, of: view.fields.count, in: view.bytes)
            {
                continue
            }
            if edits.0.drops(field, of: view.bytes) || edits.1?.drops(field, of: view.bytes) == true
            {
                continue
            }
            writer.field(field, of: view.bytes)
        }
        if isUpgrade { writer.field("connection", "upgrade") }
        return hasRequestID
    }

    /// Who the client is (`X-Forwarded-For` with its address behind those that were there), how it
    /// came, and a number to find the request by.
    private mutating func writeForwarded(
        _ view: borrowing RequestView, _ index: UInt32, _ desk: HTTPDesk, hasRequestID: Bool,
        to writer: inout HTTPHeadWriter
    ) {
        writer.append("x-forwarded-for: ")
        for field in view.fields where field.known == .xForwardedFor {
            writer.append(field.value.bytes(in: view.bytes))
            writer.append(",")
        }
        if case .known(let address?) = clientAddress(index) { writer.address(address) }
        writer.append("\r\n")
        let isSecure = connections[index].pointee.secured.contains(.client)
        writer.field("x-forwarded-proto", isSecure ? "https" : "http")
        if !hasRequestID {
            writer.append("x-request-id: ")
            writer.uuid(desk.random.next(), desk.random.next())
            writer.append("\r\n")
        }
    }

    /// Copies bytes into buffers of their own; nil = there are none.
    private mutating func keep(_ bytes: UnsafeRawBufferPointer) -> BufferQueue? {
        var queue = BufferQueue()
        var rest = bytes
        while rest.count > 0 {
            guard let id = streamBuffers.take() else {
                while let id = queue.popFirst(in: streamBuffers) { streamBuffers.give(id) }
                return nil
            }
            let count = min(rest.count, BufferSize.stream)
            UnsafeMutableRawBufferPointer(
                start: streamBuffers.address(id), count: BufferSize.stream
            ).copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            let load = streamBuffers.load(id)
            (load.pointee.start, load.pointee.end) = (0, UInt32(count))
            queue.append(id, in: streamBuffers)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        return queue
    }

    // MARK: - Answers

    /// - Returns: how long the head is that stands in `desk.outgoing`; nil = there is no room.
    mutating func writeAnswerHead(
        _ line: HTTPStatusLine, _ bytes: UnsafeRawBufferPointer, _ id: UInt32, _ desk: HTTPDesk,
        hasBody: Bool
    ) -> Int? {
        let exchange = exchanges[id].pointee
        let rule = roster.programs[exchange.program].pointee.program.rules[Int(exchange.rule)]
        var writer = HTTPHeadWriter(desk.outgoing)
        if line.reason.isEmpty {
            writer.statusLine(line.status)
        } else {
            writer.statusLine(line.status, reason: line.reason.bytes(in: bytes))
        }
        let edits = rule.responseEdits(Int(exchange.backend))
        let isUnchunked = exchange.answerWriting == .content
        let namesFields = line.connection.contains(.namesFields)
        let fields = desk.fields(line.fieldCount)
        let origin = rule.cors.flatMap { $0.origin(in: keptHead(exchange, desk)) }
        for field in fields {
            if origin != nil, rule.cors?.replaces(field, of: bytes) == true { continue }
            switch field.known {
            case .connection, .keepAlive, .proxyConnection, .te: continue
            case .upgrade: if !line.isSwitch { continue }
            case .transferEncoding: if isUnchunked { continue }
            default: break
            }
            if namesFields, field.known != .upgrade,
                desk.fields.isNamedByConnection(field.name, of: fields.count, in: bytes)
            {
                continue
            }
            if edits.0.drops(field, of: bytes) || edits.1?.drops(field, of: bytes) == true {
                continue
            }
            writer.field(field, of: bytes)
        }
        if let origin { rule.cors?.write(origin: origin, to: &writer) }
        if exchange.cookie != StickyCookie.none, !line.isInterim {
            roster.clusters[exchange.cluster].pointee.cookie?.write(exchange.cookie, to: &writer)
        }
        if line.isSwitch {
            writer.field("connection", "upgrade")
        } else if !line.isInterim {
            edits.0.write(to: &writer)
            edits.1?.write(to: &writer)
            writeFraming(line.framing, exchange, hasBody: hasBody, to: &writer)
            writeConnection(
                keepsClient: exchange.keepsClient && keepsClient(exchange.client),
                isHTTP10: exchange.isHTTP10, to: &writer)
        }
        writer.end()
        return writer.written?.count
    }

    /// A request's head as it went to the endpoint; valid until the next path is brought into its
    /// normal form.
    private func keptHead(_ exchange: Exchange, _ desk: HTTPDesk) -> UnsafeRawBufferPointer {
        if exchange.head.count == 1 { return bytes(of: exchange.head.head) }
        var count = 0
        var part = exchange.head.head
        for _ in 0..<exchange.head.count {
            let piece = bytes(of: part)
            let taken = min(piece.count, desk.path.count - count)
            UnsafeMutableRawBufferPointer(rebasing: desk.path[count...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: piece[..<taken]))
            count += taken
            part = streamBuffers.load(part).pointee.next
        }
        return UnsafeRawBufferPointer(rebasing: desk.path[..<count])
    }

    /// A stream's head need not say how its body ends.
    private func writeFraming(
        _ framing: BodyFraming, _ exchange: Exchange, hasBody: Bool,
        to writer: inout HTTPHeadWriter
    ) {
        guard exchange.endpoint != Exchange.none, isStream(exchange.endpoint),
            case .untilClose = framing
        else { return }
        if !hasBody {
            writer.field("content-length", 0)
        } else if exchange.answerWriting == .chunks {
            writer.field("transfer-encoding", "chunked")
        }
    }

    private func writeConnection(
        keepsClient: Bool, isHTTP10: Bool, to writer: inout HTTPHeadWriter
    ) {
        if !keepsClient {
            writer.field("connection", "close")
        } else if isHTTP10 {
            writer.field("connection", "keep-alive")
        }
    }

    // MARK: - The worker's own answers

    /// Answers a request that goes nowhere. What is left of its body is read and dropped if it is
    /// little, or else the connection ends.
    mutating func reply(
        _ answer: Answer, to index: UInt32, isHead: Bool, keepsClient: Bool
    ) {
        guard let desk = http else { fatalError("a request was read") }
        if peers[Int(index)].isMirror { return finishClient(index) }
        if let fault = answer.fault { counters.add(fault) }
        let peer = peers + Int(index)
        var keeps = keepsClient && self.keepsClient(index)
        switch peer.pointee.reading {
        case .head: break
        case .body(.length(let left)): keeps = keeps && left <= Self.skippedBytesMax
        case .body, .spliced, .tunnel, .frames, .discarding: keeps = false
        }
        if isStream(index) { return replyByStream(answer, to: index, desk, isHead: isHead) }
        var writer = HTTPHeadWriter(desk.outgoing)
        writer.statusLine(answer.status)
        write(answer, to: &writer)
        if !keeps { writer.field("connection", "close") }
        writer.end()
        if !isHead { answer.body.withUnsafeBytes { writer.append($0) } }
        let generation = connections.generation(of: index)
        // A redirect to a target that long is the configuration's.
        guard let written = writer.written else { return terminate(index, .outOfBuffers) }
        noteStatus(answer.status)
        guard put(written, index, .response),
            isExchanging(index, generation)
        else { return }
        if !keeps { finishClient(index) }
    }

    private func write(_ answer: Answer, to writer: inout HTTPHeadWriter) {
        // RFC 9110 section 8.6: with 204 it is an error.
        if answer.status != 204 { writer.field("content-length", UInt64(answer.body.count)) }
        if !answer.body.isEmpty { writer.field("content-type", "text/plain") }
        if !answer.location.isEmpty {
            answer.location.withUnsafeBytes { writer.field("location", $0) }
        }
        answer.lines.withUnsafeBytes { writer.append($0) }
    }

    private mutating func replyByStream(
        _ answer: Answer, to index: UInt32, _ desk: HTTPDesk, isHead: Bool
    ) {
        var writer = HTTPHeadWriter(desk.outgoing)
        let isGRPC = peers[Int(index)].isGRPC
        if isGRPC {
            writer.statusLine(200)
            writer.field("content-type", "application/grpc")
            writer.field("grpc-status", UInt64(answer.grpcStatus))
            answer.body.withUnsafeBytes { writer.percentEncoded("grpc-message", $0) }
        } else {
            writer.statusLine(answer.status)
            write(answer, to: &writer)
        }
        writer.end()
        guard let count = writer.written?.count else { return terminate(index, .outOfBuffers) }
        noteStatus(answer.status)
        let isLast = isHead || isGRPC || answer.body.isEmpty
        guard putAnswer(count, index, desk, isInterim: false, isLast: isLast) else { return }
        if !isLast {
            answer.body.withUnsafeBytes { _ = put($0, index, .response) }
            endBody(index, .response, .verbatim, [])
        }
        finishClient(index)
    }

    private static var skippedBytesMax: UInt64 { 65_536 }

    /// Refuses what cannot be understood: where the next request begins is not known.
    mutating func refuse(_ index: UInt32, _ fault: RequestFault) {
        let peer = peers + Int(index)
        let id = peer.pointee.exchange
        peer.pointee.reading = .discarding
        if id != Exchange.none {
            let isAnswered = exchanges[id].pointee.progress.answer != .awaited
            dismiss(id)
            if isAnswered { return terminate(index, .requestMalformed) }
        }
        reply(Answer(fault), to: index, isHead: false, keepsClient: false)
    }
}
