import CLinux
import Kernel
import Primitives

/// Operations from submission to completion, in the way of `io_uring`: tried at once, else armed
/// on their file; woken by it, and run when the worker next enters the kernel.
extension SimulatedKernel {
    func queue(_ kind: Operation.Kind, on descriptor: Descriptor, token: Token) {
        var file: SimulatedFile?
        switch kind {
        case .cancel: break
        case .awaitWakeup: file = wakeup
        default: file = self.file(descriptor, "\(kind)")
        }
        queued.append(Operation(kind, token: token, descriptor: descriptor, file: file))
    }

    func submitQueued() {
        let operations = queued
        queued = []
        for operation in operations {
            trace("submit \(operation.kind) on \(operation.descriptor) \(operation.token.text)")
            if case .cancel(let target) = operation.kind {
                cancel(target)
                continue
            }
            operation.copyArguments()
            guard let file = operation.file else {
                post(operation.token, -EBADF)
                continue
            }
            if !(file is WakeupFile), self.file(operation.descriptor, "submit") !== file {
                report("descriptor \(operation.descriptor) was closed under a queued operation")
            }
            inFlight.append(operation)
            file.operationsCount += 1
            if case .receive(_, _, true) = operation.kind {
                arm(operation)
            } else {
                attempt(operation)
            }
        }
    }

    /// Runs what was woken: the task work that `io_uring_enter` does.
    func runWoken() {
        while !woken.isEmpty {
            let operations = woken
            woken = []
            for operation in operations where operation.state == .woken {
                if operation.isCancelled {
                    finish(operation, -ECANCELED)
                } else {
                    attempt(operation)
                }
            }
        }
    }

    func wake(_ operation: Operation) {
        guard operation.state == .armed else { return }
        operation.state = .woken
        guard chance(faults.lateCompletion) else { return woken.append(operation) }
        after(UInt64(random(1_000...500_000))) { [self] in
            if operation.state == .woken { woken.append(operation) }
        }
    }

    private func arm(_ operation: Operation) {
        guard let file = operation.file else { return }
        operation.state = .armed
        file.waiters.append(operation)
        let wanted = operation.eventsWanted | POLLERR | POLLHUP
        switch operation.kind {
        case .receive, .accept, .poll:
            // The poll sees at once what is already there.
            if file.readiness & wanted != 0 { file.notify() }
        default: break
        }
    }

    private func post(_ token: Token, _ result: Int32, flags: UInt32 = 0) {
        trace("complete \(token.text): \(result) flags \(flags & 3) buffer \(flags >> 16)")
        completions.append(Completion(token: token, result: result, flags: flags))
    }

    private func finish(_ operation: Operation, _ result: Int32, flags: UInt32 = 0) {
        operation.state = .done
        if let index = inFlight.firstIndex(where: { $0 === operation }) {
            inFlight.remove(at: index)
        }
        operation.file?.waiters.removeAll { $0 === operation }
        operation.file?.operationsCount -= 1
        post(operation.token, result, flags: flags)
    }

    // MARK: - Cancelling

    private func cancel(_ target: Token) {
        guard let operation = inFlight.first(where: { $0.token == target && !$0.isCancelled })
        else {
            return post(.none, -ENOENT)
        }
        if operation.state == .woken, chance(faults.cancelTooLate) {
            attempt(operation)
            guard operation.state != .done else { return post(.none, -EALREADY) }
        }
        operation.isCancelled = true
        operation.file?.waiters.removeAll { $0 === operation }
        operation.state = .woken
        woken.append(operation)
    }

    // MARK: - Trying

    private func attempt(_ operation: Operation) {
        guard let file = operation.file else { return }
        switch (operation.kind, file) {
        case (.accept(let multishot), let listener as StreamListener):
            attemptAccept(operation, on: listener, multishot: multishot)
        case (.connect, let socket as StreamSocket):
            attemptConnect(operation, on: socket)
        case (.receive(let group, let multishot, _), _):
            attemptReceive(operation, on: file, group: group, multishot: multishot)
        case (.receiveMessages(let header, let group), let socket as DatagramSocket):
            attemptReceiveMessages(operation, on: socket, header: header, group: group)
        case (.sendMessage, _):
            guard let message = operation.message else { return }
            complete(operation, file.send(message))
        case (.poll(let events), _):
            attemptPoll(operation, on: file, events: events)
        case (.awaitWakeup, let wakeup as WakeupFile):
            complete(operation, wakeup.take() ? MemoryLayout<UInt64>.size : Int(-EAGAIN))
        default:
            report("\(operation.kind) on \(file.name)")
            finish(operation, -ENOTSOCK)
        }
    }

    private func complete(_ operation: Operation, _ result: Int) {
        if result == Int(-EAGAIN) { arm(operation) } else { finish(operation, Int32(result)) }
    }

    private func attemptPoll(_ operation: Operation, on file: SimulatedFile, events: Int32) {
        let seen = file.readiness & (events | POLLERR | POLLHUP)
        if seen != 0 { return finish(operation, seen) }
        guard operation.state == .queued, chance(faults.spuriousPoll) else { return arm(operation) }
        finish(operation, events & (POLLIN | POLLOUT))
    }

    private func attemptAccept(_ operation: Operation, on listener: StreamListener, multishot: Bool)
    {
        while true {
            let result = acceptNow(from: listener)
            if result == -EAGAIN { return arm(operation) }
            guard multishot, result >= 0, !chance(faults.multishotEnds) else {
                return finish(operation, result)
            }
            post(operation.token, result, flags: Completion.hasMoreFlag)
        }
    }

    /// The number is taken before the queue is looked at, so a full table shows even when nobody
    /// waits (`io_accept`, `do_accept`).
    func acceptNow(from listener: StreamListener) -> Int32 {
        if isTableFull { return -EMFILE }
        guard let socket = listener.queue.first else { return -EAGAIN }
        if chance(faults.acceptRefused) {
            return [-EMFILE, -ENFILE, -ENOMEM, -ECONNABORTED][random(0...3)]
        }
        listener.queue.removeFirst()
        return install(socket)
    }

    private func attemptConnect(_ operation: Operation, on socket: StreamSocket) {
        switch socket.state {
        case .connected:
            finish(operation, socket.pendingError != 0 ? -socket.pendingError : 0)
        case .connecting:
            guard socket.pendingError != 0 else { return arm(operation) }
            let error = socket.pendingError
            socket.pendingError = 0
            socket.state = .unconnected
            finish(operation, -error)
        case .unconnected:
            guard let address = SocketAddress(operation.address) else {
                return finish(operation, -EINVAL)
            }
            if let error = beginConnect(socket, to: address) { return finish(operation, -error) }
            arm(operation)
        }
    }

    // MARK: - Receiving

    private func attemptReceive(
        _ operation: Operation, on file: SimulatedFile, group: BufferGroup, multishot: Bool
    ) {
        for _ in 0..<32 {
            guard let buffer = selectBuffer(group) else { return finish(operation, -ENOBUFS) }
            let result = file.receive(into: buffer.address, capacity: buffer.length)
            if result <= 0 {
                groups[group]?.restore(buffer)
                if result == Int(-EAGAIN) { return arm(operation) }
                return finishReceive(operation, Int32(result), group: group)
            }
            _ = groups[group]?.take()
            let flags = Completion.hasBufferFlag | UInt32(buffer.id) << Completion.bufferIDShift
            guard multishot, !chance(faults.multishotEnds) else {
                return finish(operation, Int32(result), flags: flags)
            }
            post(operation.token, Int32(result), flags: flags | Completion.hasMoreFlag)
            if file.bytesReadable == 0, !faults.receivesUntilEmpty {
                return arm(operation)
            }
        }
        // After so many results others have their turn (`MULTISHOT_MAX_RETRY`).
        operation.state = .woken
        woken.append(operation)
    }

    private func finishReceive(_ operation: Operation, _ result: Int32, group: BufferGroup) {
        guard result == 0, chance(faults.endOfStreamTakesBuffer), let buffer = groups[group]?.take()
        else { return finish(operation, result) }
        finish(
            operation, 0,
            flags: Completion.hasBufferFlag | UInt32(buffer.id) << Completion.bufferIDShift)
    }

    private func attemptReceiveMessages(
        _ operation: Operation, on socket: DatagramSocket,
        header: UnsafeMutablePointer<msghdr>, group: BufferGroup
    ) {
        for _ in 0..<32 {
            guard let buffer = selectBuffer(group) else { return finish(operation, -ENOBUFS) }
            let (result, ends) = socket.receiveMessage(
                into: buffer.address, capacity: buffer.length, header: header.pointee)
            if result == Int(-EAGAIN) { return arm(operation) }
            if result < 0 { return finish(operation, Int32(result)) }
            _ = groups[group]?.take()
            let flags = Completion.hasBufferFlag | UInt32(buffer.id) << Completion.bufferIDShift
            guard !ends, !chance(faults.multishotEnds) else {
                return finish(operation, Int32(result), flags: flags)
            }
            post(operation.token, Int32(result), flags: flags | Completion.hasMoreFlag)
        }
        operation.state = .woken
        woken.append(operation)
    }

    private func selectBuffer(_ group: BufferGroup) -> ProvidedBufferGroup.Buffer? {
        guard let buffers = groups[group] else {
            report("a receive names buffer group \(group), which is not registered")
            return nil
        }
        guard let buffer = buffers.first else { return nil }
        if !ProvidedBufferGroup.isIntact(buffer) {
            report("buffer \(buffer.id) was written to while the kernel owned it")
        }
        return buffer
    }
}

extension Token {
    var text: String { "\(kind)/\(generation)/\(index)" }
}
