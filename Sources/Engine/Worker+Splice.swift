import CLinux
import Kernel
import Primitives

/// Splicing: bulk data moves from socket to socket through a pipe and never comes up to user space
/// (`splice(2)`). A pipe is held only while there are bytes in it.
extension Worker where R: ~Copyable {
    mutating func polled(_ completion: Completion, _ way: Way, _ event: Direction.Event) {
        let index = completion.token.index
        guard let connection = connections.find(index, generation: completion.token.generation)
        else { return dropStale(completion) }
        connection.pointee.operations -= 1
        guard connection.pointee.phase == .relaying else {
            return connection.pointee.phase == .exchanging
                ? peerPolled(index, way) : closeIfJoined(index)
        }
        connection.pointee.lastActivity = tick
        perform(channel(index, way).pointee.direction.on(event), index, way)
    }

    private enum Pumped {
        case report(Direction.Event)
        case sourceFailed(Int32)
        case sinkFailed(Int32)
    }

    mutating func pump(_ index: UInt32, _ way: Way) {
        let channel = channel(index, way)
        if channel.pointee.pipe == nil {
            guard let pipe = pipes.take(from: &ring) else {
                counters.add(.pipeRefusals)
                perform(channel.pointee.direction.on(.pipeRefused), index, way)
                return
            }
            channel.pointee.pipe = pipe
        }
        let outcome = moveThroughPipe(index, way)
        if channel.pointee.pipeBytes == 0 { releasePipe(index, way) }
        switch outcome {
        case .report(let event):
            if case .pumpedEnd = event, connections[index].pointee.firstEnded == nil {
                connections[index].pointee.firstEnded = way
            }
            finishPump(event, index, way)
        case .sinkFailed(let errno):
            releasePipe(index, way)
            sinkFailed(errno, index, way)
        case .sourceFailed(let errno):
            terminate(index, sourceFailure(errno, way))
        }
    }

    private mutating func finishPump(
        _ event: Direction.Event, _ index: UInt32, _ way: Way
    ) {
        let connection = connections[index]
        let failure =
            way == .request ? connection.pointee.clientFailure : connection.pointee.endpointFailure
        if case .pumpedEnd = event, failure != 0 {
            return terminate(index, sourceFailure(failure, way))
        }
        perform(channel(index, way).pointee.direction.on(event), index, way)
    }

    /// In and out by turns until one side has enough, or the turn's share is used up. A piece much
    /// smaller than the one before was all there was: to ask again at once would move what little
    /// came meanwhile, and each small piece costs both peers a wake-up.
    private mutating func moveThroughPipe(_ index: UInt32, _ way: Way) -> Pumped {
        let channel = channel(index, way)
        guard let pipe = channel.pointee.pipe else { fatalError("a pump has a pipe") }
        let source = source(index, way)
        let sink = sink(index, way)
        var moved = 0
        var largest = 0
        var isDry = false
        var isEnded = channel.pointee.direction.isSourceEnded
        for _ in 0..<Self.pumpRoundsMax {
            let room = pipe.capacity - Int(channel.pointee.pipeBytes)
            if !isEnded && !isDry && room > 0 {
                let count = ring.splice(from: source, to: pipe.writeEnd, count: room)
                if count > 0 {
                    channel.pointee.pipeBytes += Int32(count)
                    // A full pipe is no measure: its slots may hold 1,448 bytes each or 32 KiB.
                    isDry = 2 * count < largest
                    largest = max(largest, count)
                } else if count == 0 {
                    isEnded = true
                } else if count == -Int(EAGAIN) {
                    // Either the source is dry or the pipe's slots are all in use.
                    isDry = channel.pointee.pipeBytes == 0
                } else {
                    return .sourceFailed(Int32(-count))
                }
            }
            if channel.pointee.pipeBytes > 0 {
                let count = ring.splice(
                    from: pipe.readEnd, to: sink, count: Int(channel.pointee.pipeBytes))
                if count == -Int(EAGAIN) {
                    return .report(isEnded ? .pumpedEnd(isPipeEmpty: false) : .pumpedFull)
                }
                guard count > 0 else { return .sinkFailed(count == 0 ? EPIPE : Int32(-count)) }
                channel.pointee.pipeBytes -= Int32(count)
                channel.pointee.bytes += UInt64(count)
                counters.add(.splicedBytes, count)
                bytesSpliced += count
                moved += count
            }
            guard channel.pointee.pipeBytes == 0 else { continue }
            if isEnded { return .report(.pumpedEnd(isPipeEmpty: true)) }
            if isDry { return .report(.pumpedDry(isSmall: moved < BufferSize.stream)) }
        }
        return .report(
            channel.pointee.pipeBytes == 0 ? .pumpedDry(isSmall: false) : .pumpedFull)
    }

    mutating func releasePipe(_ index: UInt32, _ way: Way) {
        let channel = channel(index, way)
        guard let pipe = channel.pointee.pipe else { return }
        pipes.give(pipe, isEmpty: channel.pointee.pipeBytes == 0, ring: &ring)
        channel.pointee.pipe = nil
        channel.pointee.pipeBytes = 0
    }

    private static var pumpRoundsMax: Int { 16 }
}
