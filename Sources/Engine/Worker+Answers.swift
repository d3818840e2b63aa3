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
            case .tunnel: goesOn = passTunnel(index, .response)
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
        case .body:
            guard isRead else { return }
            terminate(index, .endpointClosed)
        case .tunnel: endTunnel(index, .response)
        case .discarding: terminate(index, .endpointClosed)
        }
    }

    // MARK: - Heads

    private mutating func readAnswerHead(_ index: UInt32) -> Bool {
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
            return follow(line, bytes, id, desk)
        }
    }

    private mutating func answerMalformed(_ id: UInt32) {
        act(exchanges[id].pointee.progress.on(.answerMalformed), id)
    }

    /// - Returns: whether there may be more to do at once.
    private mutating func follow(
        _ line: HTTPStatusLine, _ bytes: UnsafeRawBufferPointer, _ id: UInt32, _ desk: HTTPDesk
    ) -> Bool {
        let exchange = exchanges[id]
        let index = exchange.pointee.endpoint
        let client = exchange.pointee.client
        if line.status == 101 { return upgrade(line, bytes, id, desk) }
        let isInterim = line.status < 200
        if isInterim && exchange.pointee.isHTTP10 {
            drop(Int(line.headBytes), index, .response)
            return true
        }
        let peer = peers + Int(index)
        var body = BodyReader(line.framing)
        if !isInterim {
            _ = exchange.pointee.progress.on(.answerBegan)
            noteStatus(line.status)
            releaseHead(id)
            peer.pointee.keepsOpen = line.keepsAlive
            // Only the end of the stream tells a client of HTTP/1.0 where a body ends that comes
            // in chunks, and any client where one does that has no length.
            if case .untilClose = line.framing { exchange.pointee.keepsClient = false }
            if case .chunked = line.framing, exchange.pointee.isHTTP10 {
                exchange.pointee.keepsClient = false
            }
        }
        guard var count = writeAnswerHead(line, bytes, id, desk) else {
            answerMalformed(id)
            return false
        }
        drop(Int(line.headBytes), index, .response)
        guard !isInterim else {
            return put(UnsafeRawBufferPointer(rebasing: desk.outgoing[..<count]), client, .response)
        }
        // The beginning of the body leaves with the head.
        var isEnded = body == nil
        if var reader = body, !exchange.pointee.isUnchunked(line.framing),
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
        let generation = connections.generation(of: index)
        guard put(UnsafeRawBufferPointer(rebasing: desk.outgoing[..<count]), client, .response),
            isExchanging(index, generation)
        else { return false }
        if isEnded { finishAnswer(id, keepsEndpoint: true) }
        return true
    }

    /// `Switching Protocols` (RFC 9110 section 15.2.2).
    private mutating func upgrade(
        _ line: HTTPStatusLine, _ bytes: UnsafeRawBufferPointer, _ id: UInt32, _ desk: HTTPDesk
    ) -> Bool {
        let exchange = exchanges[id]
        let (index, client) = (exchange.pointee.endpoint, exchange.pointee.client)
        guard exchange.pointee.isUpgrade, exchange.pointee.progress.request == .passed,
            let count = writeAnswerHead(line, bytes, id, desk)
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
        guard !input.pointee.queue.isEmpty, !isBlocked(client) else { return false }
        let piece = bytes(of: input.pointee.queue.head)
        if case .chunked(var chunks) = reader, exchange.pointee.isHTTP10 {
            return passChunks(piece, &chunks, index, id)
        }
        var reader = reader
        switch reader.read(piece) {
        case .malformed:
            answerMalformed(id)
            return false
        case .more:
            peer.pointee.reading = .body(reader)
            _ = pass(piece, from: index, to: client, .response)
            return true
        case .ended(let count):
            let part = UnsafeRawBufferPointer(rebasing: piece[..<count])
            guard pass(part, from: index, to: client, .response) else { return false }
            finishAnswer(id, keepsEndpoint: true)
            return true
        }
    }

    /// To a client of HTTP/1.0 only what is in the chunks.
    private mutating func passChunks(
        _ piece: UnsafeRawBufferPointer, _ reader: inout ChunkedReader, _ index: UInt32,
        _ id: UInt32
    ) -> Bool {
        let client = exchanges[id].pointee.client
        let generation = connections.generation(of: index)
        var place = 0
        while true {
            switch reader.next(piece, from: &place) {
            case .data(let range):
                let part = UnsafeRawBufferPointer(rebasing: piece[range])
                guard put(part, client, .response), isExchanging(index, generation) else {
                    return false
                }
            case .trailerLine: break
            case .needsMore:
                guard place < piece.count else {
                    (peers + Int(index)).pointee.reading = .body(.chunked(reader))
                    drop(place, index, .response)
                    return true
                }
                // A trailer that is not whole: no client of HTTP/1.0 is told of it.
                switch reader.read(UnsafeRawBufferPointer(rebasing: piece[place...])) {
                case .more: place = piece.count
                case .ended(let count): place += count
                case .malformed:
                    answerMalformed(id)
                    return false
                }
            case .ended:
                drop(place, index, .response)
                finishAnswer(id, keepsEndpoint: true)
                return true
            case .malformed:
                answerMalformed(id)
                return false
            }
        }
    }

    /// The answer is whole.
    private mutating func finishAnswer(_ id: UInt32, keepsEndpoint: Bool) {
        let exchange = exchanges[id]
        let (client, index) = (exchange.pointee.client, exchange.pointee.endpoint)
        let isWhole = exchange.pointee.progress.on(.answerEnded) == .finish
        let keepsClient =
            exchange.pointee.keepsClient && isWhole && self.keepsClient(client)
        releaseExchange(id)
        let peer = peers + Int(index)
        peer.pointee.reading = .head
        if isWhole, keepsEndpoint, peer.pointee.keepsOpen, !isBlocked(index),
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
