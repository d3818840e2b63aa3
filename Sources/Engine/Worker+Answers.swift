import CLinux
import Kernel
import Primitives
import Routing
import Wire

/// From an endpoint's bytes to the answer that its client gets: heads are read and written anew,
/// bodies go on as they come.
extension Worker where R: ~Copyable {
    mutating func readAnswers(_ index: UInt32) {
        let generation = connections.generation(of: index)
        var goesOn = true
        while goesOn {
            switch peers[Int(index)].reading {
            case .head: goesOn = readAnswerHead(index)
            case .body(let reader): goesOn = passAnswerBody(index, reader)
            case .spliced(let left): goesOn = pumpBody(index, .response, left)
            case .tunnel: goesOn = passTunnel(index, .response)
            case .frames: goesOn = readFrames(index, .response)
            case .discarding:
                dropHeld(index, .response)
                goesOn = false
            }
            guard isExchanging(index, generation) else { return }
        }
        if peers[Int(index)].isEnded { return answersEnded(index) }
        var isHungry = false
        if case .head = peers[Int(index)].reading { isHungry = true }
        balanceReceive(index, .response, isHungry: isHungry && !isClientBlocked(index))
    }

    private func isClientBlocked(_ index: UInt32) -> Bool {
        let id = peers[Int(index)].exchange
        return id != Exchange.none && isBlocked(exchanges[id].pointee.client)
    }

    /// The endpoint has ended its stream, and what it had sent is read as far as it can be.
    private mutating func answersEnded(_ index: UInt32) {
        let peer = peers + Int(index)
        guard peer.pointee.exchange != Exchange.none else { return terminate(index, .answered) }
        let isRead = channel(index, .response).pointee.queue.isEmpty
        switch peer.pointee.reading {
        case .head:
            // The answer may be there, behind an interim one that its client has not taken yet.
            guard isRead || !isClientBlocked(index) else { return }
            terminate(index, .endpointClosed)
        case .body(.untilClose):
            guard isRead else { return }
            finishAnswer(peer.pointee.exchange, keepsEndpoint: false)
        case .body where isStream(index):
            guard isRead else { return }
            answerMalformed(peer.pointee.exchange)
        case .body:
            guard isRead else { return }
            terminate(index, .endpointClosed)
        case .tunnel: endTunnel(index, .response)
        case .frames, .spliced, .discarding: terminate(index, .endpointClosed)
        }
    }

    // MARK: - Heads

    private mutating func readAnswerHead(_ index: UInt32) -> Bool {
        // A stream's heads come whole.
        guard !isStream(index) else { return false }
        let peer = peers + Int(index)
        let id = peer.pointee.exchange
        guard let desk = http, !channel(index, .response).pointee.queue.isEmpty else {
            return false
        }
        // Nothing was asked.
        guard id != Exchange.none else {
            terminate(index, .endpointClosed)
            return false
        }
        let exchange = exchanges[id].pointee
        guard !isBlocked(exchange.client) else { return false }
        let bytes = gather(index, .response, desk)
        var examined = Int(peer.pointee.examined)
        let parser = HTTPResponseParser(headBytesMax: HTTPDesk.headBytesMax)
        switch parser.parse(
            bytes, answering: exchange.method, resumingAt: &examined, into: desk.fields)
        {
        case .incomplete:
            peer.pointee.examined = UInt32(examined)
            return false
        case .malformed:
            answerMalformed(id)
            return false
        case .complete(let line):
            peer.pointee.examined = 0
            return follow(line, bytes, id, desk, BodyReader(line.framing))
        }
    }

    /// The head of an answer by a stream.
    /// - Parameter isLast: nothing follows it.
    mutating func answerCame(_ index: UInt32, _ bytes: UnsafeRawBufferPointer, isLast: Bool) {
        let id = peers[Int(index)].exchange
        guard let desk = http, id != Exchange.none else { return terminate(index, .endpointClosed) }
        connections[index].pointee.lastActivity = tick
        var examined = 0
        let parser = HTTPResponseParser(headBytesMax: HTTPDesk.headBytesMax)
        switch parser.parse(
            bytes, answering: exchanges[id].pointee.method, resumingAt: &examined,
            into: desk.fields)
        {
        case .incomplete, .malformed: answerMalformed(id)
        case .complete(let line):
            // An interim head is never the last.
            if isLast { (peers + Int(index)).pointee.isEnded = true }
            let isEmpty = isLast || line.framing == .none
            _ = follow(line, bytes, id, desk, isEmpty ? nil : .untilClose)
        }
    }

    mutating func answerMalformed(_ id: UInt32) {
        act(exchanges[id].pointee.progress.on(.answerMalformed), id)
    }

    /// - Returns: whether there may be more to do at once.
    private mutating func follow(
        _ line: HTTPStatusLine, _ bytes: UnsafeRawBufferPointer, _ id: UInt32, _ desk: HTTPDesk,
        _ following: BodyReader?
    ) -> Bool {
        let exchange = exchanges[id]
        let index = exchange.pointee.endpoint
        let client = exchange.pointee.client
        if line.status == 101 { return upgrade(line, bytes, id, desk) }
        let isInterim = line.status < 200
        if isInterim && exchange.pointee.isHTTP10 {
            if !isStream(index) { drop(Int(line.headBytes), index, .response) }
            return true
        }
        let peer = peers + Int(index)
        if !isInterim, let cause = retryCause(line, bytes, id, desk) {
            return pass(over: line, id, following: following, after: cause)
        }
        var body = following
        if !isInterim {
            _ = exchange.pointee.progress.on(.answerBegan)
            if !peers[Int(client)].isMirror { noteStatus(line.status) }
            peer.pointee.keepsOpen = line.keepsAlive
            if body != nil {
                exchange.pointee.answerWriting = answerWriting(of: line.framing, id)
                if !isEndTold(line.framing, id) { exchange.pointee.keepsClient = false }
            }
        }
        guard var count = writeAnswerHead(line, bytes, id, desk, hasBody: body != nil) else {
            answerMalformed(id)
            return false
        }
        if !isInterim { releaseHead(id) }
        if !isStream(index) { drop(Int(line.headBytes), index, .response) }
        guard !isInterim else {
            return putAnswer(count, client, desk, isInterim: true, isLast: false)
        }
        if isStream(client) || isStream(index) {
            return begin(id, head: count, body, desk)
        }
        // The beginning of the body leaves with the head.
        var isEnded = body == nil
        if var reader = body, exchange.pointee.answerWriting == .verbatim,
            !channel(index, .response).pointee.queue.isEmpty
        {
            let piece = self.bytes(of: channel(index, .response).pointee.queue.head)
            var taken = piece.count
            switch reader.read(piece) {
            case .more: break
            case .ended(let last): (taken, isEnded) = (last, true)
            case .malformed:
                answerMalformed(id)
                return false
            }
            body = reader
            UnsafeMutableRawBufferPointer(rebasing: desk.outgoing[count...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: piece[..<taken]))
            count += taken
            drop(taken, index, .response)
        }
        if let body { peer.pointee.reading = .body(body) }
        noteLength(line.framing, body, isEnded: isEnded, index, to: client, .response)
        let generation = connections.generation(of: index)
        guard put(UnsafeRawBufferPointer(rebasing: desk.outgoing[..<count]), client, .response),
            isExchanging(index, generation)
        else { return false }
        if isEnded { finishAnswer(id, keepsEndpoint: true) }
        return true
    }

    /// Sends an answer's head where one of its ends is a stream; its body follows on its own.
    private mutating func begin(
        _ id: UInt32, head count: Int, _ body: BodyReader?, _ desk: HTTPDesk
    ) -> Bool {
        let exchange = exchanges[id]
        let (index, client) = (exchange.pointee.endpoint, exchange.pointee.client)
        let generation = connections.generation(of: index)
        if let body { (peers + Int(index)).pointee.reading = .body(body) }
        guard putAnswer(count, client, desk, isInterim: false, isLast: body == nil),
            isExchanging(index, generation)
        else { return false }
        if body == nil { finishAnswer(id, keepsEndpoint: true) }
        return true
    }

    /// The request is sent again in place of an answer that its rule does not want.
    /// - Returns: whether the endpoint's connection can be used for others.
    private mutating func pass(
        over line: HTTPStatusLine, _ id: UInt32, following: BodyReader?,
        after cause: RetryRule.Cause
    ) -> Bool {
        let exchange = exchanges[id]
        let index = exchange.pointee.endpoint
        let isIdle = following == nil && line.keepsAlive && !isStream(index)
        if isIdle {
            drop(Int(line.headBytes), index, .response)
            exchange.pointee.endpoint = Exchange.none
            park(index)
        } else {
            dropEndpoint(of: id)
        }
        _ = retry(id, after: cause)
        return isIdle
    }

    /// Why the rule does not want such an answer; nil = it goes to the client.
    private mutating func retryCause(
        _ line: HTTPStatusLine, _ bytes: UnsafeRawBufferPointer, _ id: UInt32, _ desk: HTTPDesk
    ) -> RetryRule.Cause? {
        if mayRetry(id, after: .status(line.status)) { return .status(line.status) }
        guard isStream(exchanges[id].pointee.endpoint), retryRule(id) != nil else { return nil }
        // Of gRPC's answers that are trailers only.
        for field in desk.fields(line.fieldCount) {
            let name = field.name.bytes(in: bytes)
            guard name.count == 11, name.elementsEqual("grpc-status".utf8) else { continue }
            let text = String(decoding: field.value.bytes(in: bytes), as: UTF8.self)
            guard let code = UInt8(text), mayRetry(id, after: .code(code)) else { return nil }
            return .code(code)
        }
        return nil
    }

    /// How an answer's body goes to the client.
    private func answerWriting(of framing: BodyFraming, _ id: UInt32) -> BodyWriting {
        let exchange = exchanges[id].pointee
        switch framing {
        case .chunked:
            return exchange.isHTTP10 || isStream(exchange.client) ? .content : .verbatim
        case .untilClose where isStream(exchange.endpoint):
            return exchange.isHTTP10 || isStream(exchange.client) ? .verbatim : .chunks
        case .none, .length, .untilClose: return .verbatim
        }
    }

    /// Whether the client can tell where an answer ends without the end of its connection: not one
    /// of HTTP/1.0 where it has no length, and no other where it is not known before it is there.
    private func isEndTold(_ framing: BodyFraming, _ id: UInt32) -> Bool {
        let exchange = exchanges[id].pointee
        switch framing {
        case .none, .length: return true
        case .chunked: return !exchange.isHTTP10
        case .untilClose: return exchange.answerWriting == .chunks
        }
    }

    /// Sends an answer's head.
    /// - Parameter count: bytes of `desk.outgoing`.
    /// - Returns: false = the connection has ended.
    mutating func putAnswer(
        _ count: Int, _ client: UInt32, _ desk: HTTPDesk, isInterim: Bool, isLast: Bool
    ) -> Bool {
        let head = UnsafeMutableRawBufferPointer(rebasing: desk.outgoing[..<count])
        guard isStream(client) else {
            return put(UnsafeRawBufferPointer(head), client, .response)
        }
        guard let (session, stream) = line(of: client) else { return true }
        if isInterim {
            session.submitInterim(head, by: stream)
        } else {
            session.submitAnswer(head, by: stream, isLast: isLast)
        }
        noteOutput(peers[Int(client)].carrier)
        return true
    }

    /// `Switching Protocols` (RFC 9110 section 15.2.2).
    private mutating func upgrade(
        _ line: HTTPStatusLine, _ bytes: UnsafeRawBufferPointer, _ id: UInt32, _ desk: HTTPDesk
    ) -> Bool {
        let exchange = exchanges[id]
        let (index, client) = (exchange.pointee.endpoint, exchange.pointee.client)
        guard exchange.pointee.isUpgrade, exchange.pointee.progress.request == .passed,
            let count = writeAnswerHead(line, bytes, id, desk, hasBody: false)
        else {
            answerMalformed(id)
            return false
        }
        _ = exchange.pointee.progress.on(.answerBegan)
        noteStatus(line.status)
        releaseHead(id)
        timers.cancel(exchangeTimer(id))
        drop(Int(line.headBytes), index, .response)
        (peers + Int(index)).pointee.reading = .tunnel
        (peers + Int(client)).pointee.reading = .tunnel
        guard put(UnsafeRawBufferPointer(rebasing: desk.outgoing[..<count]), client, .response)
        else { return false }
        readRequests(client)
        return true
    }

    // MARK: - Bodies

    private mutating func passAnswerBody(_ index: UInt32, _ reader: BodyReader) -> Bool {
        let peer = peers + Int(index)
        let id = peer.pointee.exchange
        let exchange = exchanges[id]
        let client = exchange.pointee.client
        let input = channel(index, .response)
        guard !isBlocked(client) else { return false }
        guard !input.pointee.queue.isEmpty else {
            guard case .length(let left) = reader else { return false }
            return beginSplice(index, .response, left)
        }
        let piece = bytes(of: input.pointee.queue.head)
        switch (exchange.pointee.answerWriting, reader) {
        case (.content, .chunked(var chunks)):
            return passAnswerChunks(piece, &chunks, index, id)
        case (.chunks, _): return passAsChunk(piece, from: index, to: client, .response)
        case (.content, _), (.verbatim, _): break
        }
        var reader = reader
        switch reader.read(piece) {
        case .malformed:
            answerMalformed(id)
            return false
        case .more:
            peer.pointee.reading = .body(reader)
            if case .length(let left) = reader {
                peer.pointee.wantsSplice = isWorthSplicing(left, from: index, to: client, .response)
            }
            _ = pass(piece, from: index, to: client, .response)
            return true
        case .ended(let count):
            let part = UnsafeRawBufferPointer(rebasing: piece[..<count])
            peer.pointee.wantsSplice = false
            guard pass(part, from: index, to: client, .response) else { return false }
            finishAnswer(id, keepsEndpoint: true)
            return true
        }
    }

    private mutating func passAnswerChunks(
        _ piece: UnsafeRawBufferPointer, _ reader: inout ChunkedReader, _ index: UInt32,
        _ id: UInt32
    ) -> Bool {
        switch passContent(piece, &reader, from: index, to: exchanges[id].pointee.client, .response)
        {
        case .more:
            (peers + Int(index)).pointee.reading = .body(.chunked(reader))
            return true
        case .ended:
            finishAnswer(id, keepsEndpoint: true)
            return true
        case .lost:
            return false
        case .malformed:
            answerMalformed(id)
            return false
        }
    }

    /// The answer is whole.
    mutating func finishAnswer(_ id: UInt32, keepsEndpoint: Bool) {
        let exchange = exchanges[id]
        let (client, index) = (exchange.pointee.client, exchange.pointee.endpoint)
        let generation = connections.generation(of: client)
        let trailers = details[Int(index)].trailers
        details[Int(index)].trailers = []
        endBody(client, .response, exchange.pointee.answerWriting, trailers)
        // The last of it may not have found room.
        guard isExchanging(client, generation) else { return }
        let isWhole = exchange.pointee.progress.on(.answerEnded) == .finish
        let keepsClient =
            exchange.pointee.keepsClient && isWhole && self.keepsClient(client)
        releaseExchange(id)
        let peer = peers + Int(index)
        peer.pointee.reading = .head
        if isWhole, keepsEndpoint, !isStream(index), peer.pointee.keepsOpen, !isBlocked(index),
            channel(index, .response).pointee.queue.isEmpty
        {
            park(index)
        } else {
            terminate(index, .answered)
        }
        goOn(client, keepsClient: keepsClient)
    }

    /// The client's last request has its answer.
    mutating func goOn(_ client: UInt32, keepsClient: Bool) {
        guard keepsClient else { return finishClient(client) }
        let connection = connections[client]
        connection.pointee.lastActivity = tick
        readRequests(client)
    }
}
