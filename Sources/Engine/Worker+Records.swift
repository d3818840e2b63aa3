import CLinux
import Kernel
import Primitives
import TLS

/// Relaying where TLS is spoken with a side, or with both: a received buffer is decrypted or
/// encrypted whole as it comes, or both one after the other, and what it became is sent on. What
/// the sink does not take is kept as it will be sent, so that what is held is always ready.
extension Worker where R: ~Copyable {
    /// - Parameter isLast: the RECV operation ended with it.
    mutating func relayRecords(
        _ id: UInt16, isLast: Bool, _ index: UInt32, _ way: Way
    ) {
        let load = streamBuffers.load(id).pointee
        let bytes = UnsafeRawBufferPointer(
            start: streamBuffers.address(id) + Int(load.start), count: Int(load.end - load.start))
        if let session = session(ofSourceOf: way, index) {
            decrypt(bytes, by: session, isLast: isLast, index, way)
        } else {
            pass(bytes, isLast: isLast, index, way)
        }
        streamBuffers.give(id)
    }

    /// Nil = that side does not speak TLS.
    private func session(ofSourceOf way: Way, _ index: UInt32) -> TLSSession? {
        way == .request ? details[Int(index)].clientTLS : details[Int(index)].endpointTLS
    }

    private static func recordsFailed(ofSourceOf way: Way) -> TerminationReason {
        way == .request ? .clientRecordsFailed : .endpointRecordsFailed
    }

    // MARK: - Both ways

    private mutating func decrypt(
        _ bytes: UnsafeRawBufferPointer, by session: TLSSession, isLast: Bool, _ index: UInt32,
        _ way: Way
    ) {
        guard let desk else { fatalError("who has a session has a desk") }
        var isLast = isLast
        // Whatever is emitted may end the connection, and then its slot may be free.
        let connection = connections[index]
        let channel = channel(index, way)
        guard channel.pointee.direction.phase != .finished, !channel.pointee.isClosedInside else {
            return emit(UnsafeRawBufferPointer(start: nil, count: 0), isLast, index, way)
        }
        desk.records.clearOutput()
        desk.records.setInput(bytes)
        while true {
            let (count, outcome) = Self.fill(desk.plaintext, from: session)
            answer(desk, index, way)
            guard connection.pointee.phase == .relaying else { return }
            pass(
                UnsafeRawBufferPointer(rebasing: desk.plaintext[..<count]), isLast: isLast, index,
                way)
            guard connection.pointee.phase == .relaying else { return }
            isLast = false
            switch outcome {
            case .bytes: continue
            case .wantsInput: return
            case .ended: return closedInside(index, way)
            case .failed: return terminate(index, Self.recordsFailed(ofSourceOf: way))
            }
        }
    }

    /// Plaintext of as many records as there are and have room.
    private static func fill(
        _ buffer: UnsafeMutableRawBufferPointer, from session: TLSSession
    ) -> (count: Int, outcome: TLSSession.Reading) {
        var count = 0
        while buffer.count - count >= TLSSession.recordBytesMax {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let outcome = session.read(into: rest)
            guard case .bytes(let more) = outcome else { return (count, outcome) }
            count += more
        }
        return (count, .bytes(count))
    }

    /// What reading had to answer, such as a KeyUpdate or an alert, goes back to the source.
    private mutating func answer(_ desk: TLSDesk, _ index: UInt32, _ way: Way) {
        guard desk.records.output.count > 0 else { return }
        emit(desk.records.output, false, index, way.opposite)
        desk.records.clearOutput()
    }

    /// Plaintext goes on to the sink, in records where it speaks TLS.
    private mutating func pass(
        _ bytes: UnsafeRawBufferPointer, isLast: Bool, _ index: UInt32, _ way: Way
    ) {
        guard let session = session(ofSourceOf: way.opposite, index) else {
            return emit(bytes, isLast, index, way)
        }
        guard let desk else { fatalError("who has a session has a desk") }
        desk.records.clearOutput()
        let channel = channel(index, way)
        guard channel.pointee.direction.phase != .finished else {
            return emit(desk.records.output, isLast, index, way)
        }
        // The source's records may be waiting there, for its own session.
        let inputLeft = desk.records.inputLeft
        let size = recordBytes(for: bytes.count, index, way)
        if session.write(bytes, recordBytesMax: size) != nil {
            return terminate(index, Self.recordsFailed(ofSourceOf: way.opposite))
        }
        precondition(desk.records.inputLeft == inputLeft, "writing reads nothing")
        emit(desk.records.output, isLast, index, way)
        desk.records.clearOutput()
    }

    /// What records to the sink carry: a client's way is long as a rule, and its records follow how
    /// much there is; an endpoint is near, and gets the fewest.
    mutating func recordBytes(for count: Int, _ index: UInt32, _ way: Way) -> Int {
        guard way == .response else { return TLSSession.recordBytesMax }
        return (details + Int(index)).pointee.clientRecords
            .recordBytes(for: count, nowNanoseconds: now)
    }

    // MARK: - Ends

    /// The source's close_notify: its stream ends, though its socket may stay.
    private mutating func closedInside(_ index: UInt32, _ way: Way) {
        let channel = channel(index, way)
        channel.pointee.isClosedInside = true
        switch channel.pointee.direction.receive {
        case .armed: ring.cancel(token(way.receiveKind, index))
        case .cancelling: break
        case .none, .starved: ended(index, way)
        }
    }

    /// Before the end of the stream to a sink that speaks TLS: close_notify, so that it knows that
    /// nothing was cut off (RFC 8446 section 6.1). Of a source that ends without, nobody knows that
    /// (many servers end so, and HAProxy and Envoy take it for an end too): the stream ends, and
    /// the sink is not told what we were not.
    mutating func sendClose(_ index: UInt32, _ way: Way) {
        let channel = channel(index, way)
        let isWhole = session(ofSourceOf: way, index) == nil || channel.pointee.isClosedInside
        guard let desk, let session = session(ofSourceOf: way.opposite, index), isWhole,
            channel.pointee.direction.phase != .finished
        else { return }
        desk.records.clearOutput()
        session.sendClose()
        var output = desk.records.output
        if channel.pointee.direction.phase == .copying, let start = output.baseAddress,
            self.channel(index, way.opposite).pointee.direction.isSourceEnded
        {
            // Who has said all there is may be gone, and that is no failure.
            let sent = ring.send(sink(index, way), start, count: output.count)
            if sent < 0 && sent != -Int(EAGAIN) { return }
            output = UnsafeRawBufferPointer(rebasing: output[max(sent, 0)...])
        }
        if output.count > 0 { emit(output, false, index, way) }
        desk.records.clearOutput()
    }

    // MARK: - To the sink

    /// Hands bytes that are ready to a direction, as if they had been received so.
    private mutating func emit(
        _ bytes: UnsafeRawBufferPointer, _ isLast: Bool, _ index: UInt32, _ way: Way
    ) {
        let channel = channel(index, way)
        let actions = channel.pointee.direction.on(.received(isFull: false, isLast: isLast))
        if actions.contains(.discard) { return }
        guard actions == .forward else {
            assert(actions == .enqueue, "what is blocked holds something")
            _ = hold(bytes, index, way)
            return
        }
        var taken = 0
        if let start = bytes.baseAddress, bytes.count > 0 {
            let sent = ring.send(sink(index, way), start, count: bytes.count)
            if sent < 0 && sent != -Int(EAGAIN) { return sinkFailed(Int32(-sent), index, way) }
            taken = max(sent, 0)
            channel.pointee.bytes += UInt64(taken)
        }
        let isWhole = taken == bytes.count
        if !isWhole {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[taken...])
            guard hold(rest, index, way) else { return }
        }
        let next = channel.pointee.direction.on(.forwarded(inFull: isWhole))
        if !next.isEmpty { perform(next, index, way) }
    }

    /// Copies bytes behind what is held, first into the room that its last buffer has; false =
    /// there was no buffer, and the connection ended.
    mutating func hold(_ bytes: UnsafeRawBufferPointer, _ index: UInt32, _ way: Way) -> Bool {
        let channel = channel(index, way)
        var rest = bytes
        if !channel.pointee.queue.isEmpty { fill(channel.pointee.queue.tail, with: &rest) }
        while rest.count > 0 {
            guard let id = streamBuffers.take() else {
                terminate(index, .outOfBuffers)
                return false
            }
            let load = streamBuffers.load(id)
            (load.pointee.start, load.pointee.end) = (0, 0)
            fill(id, with: &rest)
            channel.pointee.queue.append(id, in: streamBuffers)
        }
        return true
    }

    /// What of a buffer is on its way into the kernel is not touched by bytes behind it.
    private mutating func fill(_ id: UInt16, with bytes: inout UnsafeRawBufferPointer) {
        let load = streamBuffers.load(id)
        let place = Int(load.pointee.end)
        let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(BufferSize.stream - place))
        UnsafeMutableRawBufferPointer(
            start: streamBuffers.address(id) + place, count: BufferSize.stream - place
        ).copyMemory(from: part)
        load.pointee.end += UInt32(part.count)
        bytes = UnsafeRawBufferPointer(rebasing: bytes[part.count...])
    }
}
