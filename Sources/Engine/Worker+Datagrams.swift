import CLinux
import Kernel
import Primitives

/// Datagrams: received by multishot RECVMSG, sent on from the handler, those that come in a burst
/// with one call.
extension Worker where R: ~Copyable {
    // MARK: - Listening sockets

    mutating func openDatagramSocket(_ index: UInt32) {
        if !datagrams.isOpen {
            let result = ring.registerBufferGroup(
                BufferSize.datagramGroup, entries: UInt32(DatagramDesk.entries))
            precondition(result == 0, "a ring takes its second buffer group")
            datagrams.isOpen = true
            datagramPostBuffers()
        }
        armListener(index)
    }

    mutating func armListener(_ index: UInt32) {
        let socket = roster.sockets[index]
        guard !socket.pointee.isArmed else { return }
        socket.pointee.isArmed = true
        ring.receiveMessages(
            on: socket.pointee.descriptor, header: datagrams.listenerHeader,
            group: BufferSize.datagramGroup,
            token: socketToken(.listenerDatagrams, index))
    }

    /// Closes the socket once no receive is in the kernel: now, or when that has been cancelled.
    mutating func closeDatagramSocket(_ index: UInt32) {
        let socket = roster.sockets[index]
        if socket.pointee.isArmed {
            guard !socket.pointee.isPaused else { return }
            socket.pointee.isPaused = true
            ring.cancel(socketToken(.listenerDatagrams, index))
            ring.submit()
        } else {
            closeSocket(index)
        }
    }

    // MARK: - From clients

    mutating func listenerReceived(_ completion: Completion) {
        let index = completion.token.index
        let socket = roster.sockets[index]
        if !completion.hasMore { socket.pointee.isArmed = false }
        if completion.result >= 0 {
            takeRequest(completion, socket: index)
        } else {
            noteReceiveFailure(completion)
        }
        guard !socket.pointee.isArmed else { return }
        // Only one that is to be closed is paused.
        guard !socket.pointee.isPaused else { return closeSocket(index) }
        if completion.result == -ENOBUFS, starved.count < starved.capacity {
            starved.append(completion.token)
        } else {
            armListener(index)
        }
    }

    private mutating func takeRequest(_ completion: Completion, socket index: UInt32) {
        let id = completion.bufferID
        let (record, control) = readRecord(completion, nameBytes: DatagramDesk.nameBytes)
        let size = control.segmentBytes ?? record.payload.count
        let segments = Self.segments(record.payload.count, size)
        counters.add(.datagramsFromClients, segments)
        guard !record.isTruncated,
            let flow = flow(for: record, local: control.local, socket: index)
        else {
            counters.add(.datagramsDropped, segments)
            return datagrams.buffers.give(id)
        }
        counters.add(.bytesFromClients, record.payload.count)
        flows.touch(flow, tick: tick)
        let expected = roster.clusters[flows[flow].pointee.cluster].pointee.answersPerRequest
        let state = flows[flow]
        state.pointee.answersLeft += expected * Int64(segments)
        gather(record.payload, segmentBytes: size, for: .endpoint(flow), buffer: id)
    }

    /// What the kernel wrote into a buffer, which is the worker's from now on.
    @inline(__always)
    private mutating func readRecord(
        _ completion: Completion, nameBytes: Int
    ) -> (DatagramRecord, DatagramRecord.Control) {
        datagrams.posting.noteTaken()
        let record = DatagramRecord(
            datagrams.buffers.address(completion.bufferID), count: Int(completion.result),
            nameBytes: nameBytes, controlBytes: DatagramDesk.controlBytes)
        let hasControl = !record.control.isEmpty
        return (record, hasControl ? record.readControl() : DatagramRecord.Control())
    }

    @inline(__always)
    private static func segments(_ bytes: Int, _ size: Int) -> Int {
        bytes <= size ? 1 : (bytes + size - 1) / size
    }

    private mutating func noteReceiveFailure(_ completion: Completion) {
        if completion.hasBuffer {
            datagrams.posting.noteTaken()
            datagrams.buffers.give(completion.bufferID)
        }
        switch -completion.result {
        case ECANCELED, ECONNREFUSED: break
        case ENOBUFS:
            counters.add(.bufferStarvations)
            datagrams.posting.noteExhausted()
        default: counters.add(.unexpectedErrors)
        }
    }

    // MARK: - From endpoints

    mutating func flowReceived(_ completion: Completion) {
        let index = completion.token.index
        guard let flow = flows.find(index, generation: completion.token.generation) else {
            counters.add(.staleCompletions)
            if completion.hasBuffer { noteReceiveFailure(completion) }
            return
        }
        if !completion.hasMore { flow.pointee.isArmed = false }
        guard flow.pointee.isLive else {
            if completion.hasBuffer {
                datagrams.posting.noteTaken()
                datagrams.buffers.give(completion.bufferID)
            }
            return closeFlowIfJoined(index)
        }
        if completion.result >= 0 {
            takeAnswer(completion, index)
            guard flows.find(index, generation: completion.token.generation) != nil,
                flow.pointee.isLive
            else { return }
        } else {
            noteReceiveFailure(completion)
            if completion.result == -ECONNREFUSED { flowRefused(index) }
        }
        guard !flow.pointee.isArmed else { return }
        if completion.result == -ENOBUFS, starved.count < starved.capacity {
            starved.append(completion.token)
        } else {
            armFlow(index)
        }
    }

    private mutating func takeAnswer(_ completion: Completion, _ index: UInt32) {
        let id = completion.bufferID
        let (record, control) = readRecord(completion, nameBytes: 0)
        let size = control.segmentBytes ?? record.payload.count
        let segments = Self.segments(record.payload.count, size)
        counters.add(.datagramsFromEndpoints, segments)
        counters.add(.bytesFromEndpoints, record.payload.count)
        flows.touch(index, tick: tick)
        gather(record.payload, segmentBytes: size, for: .client(index), buffer: id)
        let flow = flows[index]
        if flow.pointee.isDoubtful {
            flow.pointee.isDoubtful = false
            let cluster = roster.clusters[flow.pointee.cluster]
            flow.pointee.leader._withUnsafeGuaranteedRef { endpoint in
                cluster.pointee.endpoints.noteSuccess(of: endpoint)
            }
        }
        guard flow.pointee.answersLeft > 0 else { return }
        flow.pointee.answersLeft -= Int64(segments)
        if flow.pointee.answersLeft <= 0 { endFlow(index, .flowAnswered) }
    }

    // MARK: - Sending

    @inline(__always)
    private mutating func gather(
        _ payload: UnsafeRawBufferPointer, segmentBytes size: Int, for target: DatagramBatch.Target,
        buffer: UInt16
    ) {
        if !datagrams.batch.isEmpty {
            let canJoin = ring.features.contains(.udpSegmentation)
            if !canJoin || !datagrams.batch.takes(payload, segmentBytes: size, for: target) {
                datagramFlush()
            }
        }
        datagrams.batch.append(payload, segmentBytes: size, for: target, buffer: buffer)
    }

    /// Sends the pending batch.
    @inline(__always)
    mutating func datagramFlush() {
        guard !datagrams.batch.isEmpty else { return }
        switch datagrams.batch.target {
        case .endpoint(let index): flushToEndpoint(index)
        case .client(let index): flushToClient(index)
        }
        datagrams.batch.removeAll(givingBackTo: &datagrams.buffers)
    }

    private mutating func flushToEndpoint(_ index: UInt32) {
        let endpoint = flows[index].pointee.endpoint
        if datagrams.batch.segments == 1 {
            let vector = datagrams.batch.vectors[0]
            let data = UnsafeRawPointer(vector.iov_base!)
            var result = ring.send(endpoint, data, count: vector.iov_len)
            if result == -Int(ECONNREFUSED) {
                // The refusal of an earlier datagram; this one was not sent yet (`udp(7)`).
                flowRefused(index)
                result = ring.send(endpoint, data, count: vector.iov_len)
            }
            if result < 0 { counters.add(.datagramsDropped) }
            return
        }
        var message = msghdr()
        var result = sendBatch(&message, on: endpoint)
        if result == -Int(ECONNREFUSED) {
            flowRefused(index)
            result = sendBatch(&message, on: endpoint)
        }
        if result < 0 { sendSegments(&message, on: endpoint) }
    }

    private mutating func flushToClient(_ index: UInt32) {
        let flow = flows[index]
        let socket = roster.sockets[UInt32(flow.pointee.key.socket)].pointee.descriptor
        if datagrams.batch.segments == 1, flow.pointee.key.local.isAny {
            let vector = datagrams.batch.vectors[0]
            let length = flow.pointee.name.length
            let result = ring.sendTo(
                socket, UnsafeRawPointer(vector.iov_base!), count: vector.iov_len,
                name: &flow.pointee.name.bytes, nameLength: length)
            if result < 0 { counters.add(.datagramsDropped) }
            return
        }
        var name = flow.pointee.name
        let length = name.length
        withUnsafeMutablePointer(to: &name.bytes) { name in
            var message = msghdr()
            message.msg_name = UnsafeMutableRawPointer(name)
            message.msg_namelen = length
            if sendBatch(&message, on: socket, from: flow.pointee.key.local) < 0 {
                sendSegments(&message, on: socket, from: flow.pointee.key.local)
            }
        }
    }

    /// One call for the whole batch.
    /// - Parameter local: the address to send from, if the socket has several.
    @inline(__always)
    private mutating func sendBatch(
        _ message: inout msghdr, on socket: Descriptor, from local: IPAddress = .anyIPv6
    ) -> Int {
        message.msg_iov = datagrams.batch.vectors
        message.msg_iovlen = datagrams.batch.count
        let segmentBytes = datagrams.batch.segments > 1 ? datagrams.batch.segmentBytes : 0
        writeControl(&message, local: local, segmentBytes: segmentBytes)
        return ring.sendMessageNow(socket, header: &message)
    }

    /// One call a datagram: where the kernel or the device cannot segment these (EIO, EINVAL,
    /// EMSGSIZE), or had no room for all of them at once.
    private mutating func sendSegments(
        _ message: inout msghdr, on socket: Descriptor, from local: IPAddress = .anyIPv6
    ) {
        let size = max(datagrams.batch.segmentBytes, 1)
        writeControl(&message, local: local, segmentBytes: 0)
        for place in 0..<datagrams.batch.count {
            let whole = datagrams.batch.vectors[place]
            var offset = 0
            repeat {
                var part = iovec(
                    iov_base: whole.iov_base! + offset, iov_len: min(size, whole.iov_len - offset))
                offset += size
                message.msg_iovlen = 1
                let result = withUnsafeMutablePointer(to: &part) { part in
                    message.msg_iov = part
                    return ring.sendMessageNow(socket, header: &message)
                }
                if result < 0 { counters.add(.datagramsDropped) }
            } while offset < whole.iov_len
        }
    }

    private mutating func writeControl(_ message: inout msghdr, local: IPAddress, segmentBytes: Int)
    {
        guard segmentBytes > 0 || !local.isAny else {
            message.msg_control = nil
            message.msg_controllen = 0
            return
        }
        var writer = ControlWriter(datagrams.control)
        if !local.isAny { writer.addLocal(local) }
        if segmentBytes > 0 {
            writer.add(Int32(IPPROTO_UDP), UDP_SEGMENT, UInt16(segmentBytes))
        }
        message.msg_control = datagrams.control
        message.msg_controllen = writer.count
    }

    // MARK: - Buffers

    mutating func datagramPostBuffers() {
        guard datagrams.isOpen else { return }
        let missing = datagrams.posting.missing
        guard missing > 0 else { return }
        var count = 0
        while count < missing, let id = datagrams.buffers.take() {
            ring.provideBuffer(
                id, at: datagrams.buffers.address(id), length: UInt32(DatagramDesk.bufferBytes),
                group: BufferSize.datagramGroup)
            count += 1
        }
        guard count > 0 else { return }
        ring.publishBuffers(group: BufferSize.datagramGroup)
        datagrams.posting.notePosted(count)
    }

    /// A socket or flow that found no buffer tries again.
    mutating func feedStarvedDatagrams(_ token: Token) {
        if token.kind == OperationKind.listenerDatagrams.rawValue {
            guard
                let socket = roster.sockets.find(token.index, generation: token.generation),
                !socket.pointee.isPaused
            else { return }
            return armListener(token.index)
        }
        guard let flow = flows.find(token.index, generation: token.generation),
            flow.pointee.isLive, !flow.pointee.isArmed
        else { return }
        armFlow(token.index)
    }
}
