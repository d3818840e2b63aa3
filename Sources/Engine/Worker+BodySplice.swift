import CLinux
import Kernel
import Primitives
import Wire

/// Long bodies with a length, between two sockets without TLS: they move through a pipe and never
/// come up to user space (`splice(2)`). The pipe and the polls are those of the slot that the body
/// comes from.
extension Worker where R: ~Copyable {
    /// Whether so much of a body is left that splicing it is worth to stop receiving first.
    func isWorthSplicing(_ left: UInt64, from index: UInt32, to other: UInt32, _ way: Way) -> Bool {
        left >= Self.splicedBytesMin && ring.features.contains(.splice) && !isStream(index)
            && !isStream(other) && connections[index].pointee.secured.isEmpty
            && connections[other].pointee.secured.isEmpty
            && peers[Int(index)].mirror == HTTPPeer.none
    }

    private static var splicedBytesMin: UInt64 { 128 << 10 }

    /// A head has told how long its body is.
    /// - Parameter body: what is left of it.
    mutating func noteLength(
        _ framing: BodyFraming, _ body: BodyReader?, isEnded: Bool, _ index: UInt32,
        to other: UInt32, _ way: Way
    ) {
        let peer = peers + Int(index)
        guard case .length(let whole) = framing else {
            peer.pointee.isBulky = false
            return
        }
        peer.pointee.isBulky = isWorthSplicing(whole, from: index, to: other, way)
        if case .length(let left) = body, !isEnded {
            peer.pointee.wantsSplice = isWorthSplicing(left, from: index, to: other, way)
        }
    }

    /// Receiving for a body that is to be spliced has stopped, and what was received has gone on.
    /// - Returns: whether there may be more to do at once.
    mutating func beginSplice(_ index: UInt32, _ way: Way, _ left: UInt64) -> Bool {
        let peer = peers + Int(index)
        guard peer.pointee.wantsSplice, peer.pointee.receiving == .stopped,
            !peer.pointee.isEnded
        else { return false }
        peer.pointee.wantsSplice = false
        peer.pointee.reading = .spliced(left)
        return true
    }

    private enum Pumped {
        /// All of the body is with the other end.
        case done
        case wantsSource
        case wantsSink
        case sourceEnded
        case sourceFailed(Int32)
        case sinkFailed(Int32)
    }

    /// Moves what can be moved now.
    /// - Returns: whether there may be more to do at once.
    mutating func pumpBody(_ index: UInt32, _ way: Way, _ left: UInt64) -> Bool {
        let peer = peers + Int(index)
        let channel = channel(index, way)
        guard case .none = peer.pointee.polling, let other = partner(of: index, way),
            !isBlocked(other)
        else { return false }
        if channel.pointee.pipe == nil {
            guard let pipe = pipes.take(from: &ring) else {
                counters.add(.pipeRefusals)
                peer.pointee.reading = .body(.length(left))
                return true
            }
            channel.pointee.pipe = pipe
        }
        var left = left
        let pumped = pump(&left, index, other, way)
        peer.pointee.reading = .spliced(left)
        if channel.pointee.pipeBytes == 0 { releasePipe(index, way) }
        switch pumped {
        case .done:
            endSplice(index, way)
            return true
        case .wantsSource:
            poll(index, .source, way)
        case .wantsSink:
            poll(index, .sink, way)
        case .sourceEnded:
            peer.pointee.isEnded = true
        case .sinkFailed(let errno):
            // Nothing more reaches it; what it has sent before may still be read.
            releasePipe(index, way)
            peer.pointee.reading = left > 0 ? .body(.length(left)) : .spliced(0)
            notePeerFailure(errno, other, way.opposite)
            guard left > 0 else {
                endSplice(index, way)
                return true
            }
            return true
        case .sourceFailed(let errno):
            terminate(index, sourceFailure(errno, way))
        }
        return false
    }

    private mutating func pump(
        _ left: inout UInt64, _ index: UInt32, _ other: UInt32, _ way: Way
    ) -> Pumped {
        let channel = channel(index, way)
        guard let pipe = channel.pointee.pipe else { fatalError("a pump has a pipe") }
        let source = source(index, way)
        let sink = sink(other, way)
        connections[other].pointee.lastActivity = tick
        for _ in 0..<Self.roundsMax {
            var isDry = left == 0
            let room = Int(min(UInt64(pipe.capacity) - UInt64(channel.pointee.pipeBytes), left))
            if room > 0 {
                let count = ring.splice(from: source, to: pipe.writeEnd, count: room)
                if count > 0 {
                    channel.pointee.pipeBytes += Int32(count)
                    left -= UInt64(count)
                } else if count == 0 {
                    if channel.pointee.pipeBytes == 0 { return .sourceEnded }
                } else if count == -Int(EAGAIN) {
                    isDry = true
                } else {
                    return .sourceFailed(Int32(-count))
                }
            }
            guard channel.pointee.pipeBytes > 0 else { return left == 0 ? .done : .wantsSource }
            let count = ring.splice(
                from: pipe.readEnd, to: sink, count: Int(channel.pointee.pipeBytes))
            if count == -Int(EAGAIN) { return .wantsSink }
            guard count > 0 else { return .sinkFailed(count == 0 ? EPIPE : Int32(-count)) }
            channel.pointee.pipeBytes -= Int32(count)
            channel.pointee.bytes += UInt64(count)
            counters.add(.splicedBytes, count)
            bytesSpliced += count
            guard channel.pointee.pipeBytes == 0 else { continue }
            if left == 0 { return .done }
            if isDry { return .wantsSource }
        }
        return channel.pointee.pipeBytes > 0 ? .wantsSink : .wantsSource
    }

    private static var roundsMax: Int { 16 }

    private mutating func poll(_ index: UInt32, _ side: HTTPPeer.Polling, _ way: Way) {
        guard let other = partner(of: index, way) else { return }
        (peers + Int(index)).pointee.polling = side
        let connection = connections[index]
        connection.pointee.operations += 1
        if case .source = side {
            ring.poll(
                source(index, way), events: Int32(POLLIN), token: token(way.pollSourceKind, index))
        } else {
            ring.poll(
                sink(other, way), events: Int32(POLLOUT), token: token(way.pollSinkKind, index))
        }
    }

    mutating func peerPolled(_ index: UInt32, _ way: Way) {
        (peers + Int(index)).pointee.polling = .none
        connections[index].pointee.lastActivity = tick
        readPeer(index, way)
    }

    /// The whole body has moved.
    private mutating func endSplice(_ index: UInt32, _ way: Way) {
        let peer = peers + Int(index)
        let id = peer.pointee.exchange
        if way == .response { return finishAnswer(id, keepsEndpoint: true) }
        peer.pointee.reading = .head
        _ = exchanges[id].pointee.progress.on(.requestEnded)
    }
}
