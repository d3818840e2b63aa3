import Kernel
import Primitives
import Wire

/// A request's body on its way to the endpoint, or to nowhere where nobody has asked for it.
extension Worker where R: ~Copyable {
    /// - Returns: whether there may be more to do at once.
    mutating func passRequestBody(_ index: UInt32, _ reader: BodyReader) -> Bool {
        let peer = peers + Int(index)
        let id = peer.pointee.exchange
        let input = channel(index, .request)
        guard !input.pointee.queue.isEmpty else {
            guard case .length(let left) = reader else { return false }
            return beginSplice(index, .request, left)
        }
        // Nobody asked for it: the request was answered already.
        guard id != Exchange.none else {
            return skipBody(index, reader, bytes(of: input.pointee.queue.head))
        }
        let endpoint = exchanges[id].pointee.endpoint
        guard endpoint != Exchange.none, connections[endpoint].pointee.phase == .exchanging,
            !isBlocked(endpoint)
        else { return false }
        var reader = reader
        let piece = bytes(of: input.pointee.queue.head)
        let exchange = exchanges[id]
        switch (exchange.pointee.requestWriting, reader) {
        case (.content, .chunked(var chunks)):
            return passRequestChunks(piece, &chunks, index, endpoint)
        case (.chunks, _):
            _ = exchange.pointee.progress.on(.bodyBegan)
            _ = passAsChunk(piece, from: index, to: endpoint, .request)
            return true
        case (.content, _), (.verbatim, _): break
        }
        switch reader.read(piece) {
        case .malformed:
            refuse(index, .malformed)
        case .more:
            peer.pointee.reading = .body(reader)
            _ = exchange.pointee.progress.on(.bodyBegan)
            if case .length(let left) = reader {
                peer.pointee.wantsSplice = isWorthSplicing(
                    left, from: index, to: endpoint, .request)
            }
            _ = pass(piece, from: index, to: endpoint, .request)
        case .ended(let count):
            peer.pointee.reading = .head
            peer.pointee.wantsSplice = false
            _ = exchange.pointee.progress.on(.bodyBegan)
            _ = exchange.pointee.progress.on(.requestEnded)
            let part = UnsafeRawBufferPointer(rebasing: piece[..<count])
            let writing = exchange.pointee.requestWriting
            let isStream = isStream(endpoint)
            let generation = connections.generation(of: index)
            let isPassed = pass(part, from: index, to: endpoint, .request)
            if isExchanging(index, generation) { finishMirrors(of: index) }
            guard isPassed else { return true }
            if isStream { endBody(endpoint, .request, writing, []) }
        }
        return true
    }

    private mutating func passRequestChunks(
        _ piece: UnsafeRawBufferPointer, _ reader: inout ChunkedReader, _ index: UInt32,
        _ endpoint: UInt32
    ) -> Bool {
        let id = peers[Int(index)].exchange
        let generation = connections.generation(of: index)
        _ = exchanges[id].pointee.progress.on(.bodyBegan)
        let passed = passContent(piece, &reader, from: index, to: endpoint, .request)
        // The endpoint may have gone meanwhile, and the exchange with it.
        guard isExchanging(index, generation), peers[Int(index)].exchange == id,
            exchanges[id].pointee.endpoint == endpoint
        else { return false }
        switch passed {
        case .more: (peers + Int(index)).pointee.reading = .body(.chunked(reader))
        case .ended: endRequestBody(index)
        case .lost: return false
        case .malformed: refuse(index, .malformed)
        }
        return true
    }

    /// All of a request's body has gone on.
    mutating func endRequestBody(_ index: UInt32) {
        let peer = peers + Int(index)
        peer.pointee.reading = .head
        finishMirrors(of: index)
        let id = peer.pointee.exchange
        guard id != Exchange.none else { return }
        let exchange = exchanges[id]
        let endpoint = exchange.pointee.endpoint
        guard endpoint != Exchange.none, connections[endpoint].pointee.phase == .exchanging else {
            // It ends when there is somebody to tell.
            peer.pointee.reading = .body(.untilClose)
            return
        }
        _ = exchange.pointee.progress.on(.bodyBegan)
        _ = exchange.pointee.progress.on(.requestEnded)
        let trailers = details[Int(index)].trailers
        details[Int(index)].trailers = []
        endBody(endpoint, .request, exchange.pointee.requestWriting, trailers)
    }

    private mutating func skipBody(
        _ index: UInt32, _ reader: BodyReader, _ piece: UnsafeRawBufferPointer
    ) -> Bool {
        var reader = reader
        switch reader.read(piece) {
        case .malformed:
            peers[Int(index)].reading = .discarding
        case .more:
            (peers + Int(index)).pointee.reading = .body(reader)
            (peers + Int(index)).pointee.wantsSplice = false
            drop(piece.count, index, .request)
        case .ended(let count):
            (peers + Int(index)).pointee.reading = .head
            drop(count, index, .request)
            finishMirrors(of: index)
        }
        return true
    }
}
