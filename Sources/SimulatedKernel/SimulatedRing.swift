import CLinux
import Kernel
import Primitives

/// The `Ring` of a worker in a `SimulatedKernel`. Owned by the worker; the kernel by the test.
public struct SimulatedRing: Ring, ~Copyable {
    public let features: KernelFeatures
    private let kernel: SimulatedKernel

    public init(kernel: SimulatedKernel, features: KernelFeatures = .all) {
        self.kernel = kernel
        self.features = features
    }

    /// Looking at the clock takes time too, or a worker that spins would spin for ever.
    public func now() -> UInt64 {
        kernel.clock += 50
        return kernel.clock
    }

    // MARK: - Operations

    public mutating func accept(on listener: Descriptor, token: Token) {
        let multishot = features.contains(.multishotAccept)
        kernel.queue(.accept(multishot: multishot), on: listener, token: token)
    }

    public mutating func connect(
        _ socket: Descriptor, to address: UnsafePointer<RawSocketAddress>, token: Token
    ) {
        kernel.queue(.connect(address), on: socket, token: token)
    }

    public mutating func receive(
        on socket: Descriptor, group: BufferGroup, multishot: Bool, pollFirst: Bool, token: Token
    ) {
        let multishot = multishot && features.contains(.multishotReceive)
        kernel.queue(
            .receive(group: group, multishot: multishot, pollFirst: pollFirst), on: socket,
            token: token)
    }

    public mutating func receiveMessages(
        on socket: Descriptor, header: UnsafeMutablePointer<msghdr>, group: BufferGroup,
        token: Token
    ) {
        kernel.queue(.receiveMessages(header: header, group: group), on: socket, token: token)
    }

    public mutating func sendMessage(
        on socket: Descriptor, header: UnsafePointer<msghdr>, token: Token
    ) {
        kernel.queue(.sendMessage(header), on: socket, token: token)
    }

    public mutating func poll(_ descriptor: Descriptor, events: Int32, token: Token) {
        kernel.queue(.poll(events: events), on: descriptor, token: token)
    }

    public mutating func awaitWakeup(token: Token) {
        kernel.queue(.awaitWakeup, on: -1, token: token)
    }

    public mutating func cancel(_ target: Token) {
        kernel.queue(.cancel(target), on: -1, token: .none)
    }

    // MARK: - Completions

    public mutating func submit() {
        kernel.tick()
        kernel.submitQueued()
    }

    public mutating func submitAndWait(
        minimum: UInt32, batchMicroseconds: UInt32, timeoutNanoseconds: UInt64?
    ) {
        let batches = minimum > 1 && features.contains(.minimumWait) && batchMicroseconds > 0
        kernel.wait(
            minimum: Int(minimum),
            batchNanoseconds: batches ? UInt64(batchMicroseconds) * 1_000 : nil,
            timeoutNanoseconds: timeoutNanoseconds)
    }

    public var hasPending: Bool {
        kernel.tick()
        return kernel.completions.count > kernel.completionsTaken || !kernel.woken.isEmpty
    }

    public mutating func takeCompletions(
        into batch: UnsafeMutableBufferPointer<Completion>
    ) -> Int {
        let kernel = kernel
        let count = min(batch.count, kernel.completions.count - kernel.completionsTaken)
        for offset in 0..<count {
            batch[offset] = kernel.completions[kernel.completionsTaken + offset]
        }
        kernel.completionsTaken += count
        if kernel.completionsTaken == kernel.completions.count {
            kernel.completions.removeAll(keepingCapacity: true)
            kernel.completionsTaken = 0
        }
        return count
    }

    // MARK: - Provided buffers

    public mutating func registerBufferGroup(_ group: BufferGroup, entries: UInt32) -> Int32 {
        precondition(entries.nonzeroBitCount == 1 && entries <= 32_768)
        let kernel = kernel
        guard kernel.groups[group] == nil else { return -EEXIST }
        kernel.groups[group] = ProvidedBufferGroup(entriesMax: Int(entries))
        return 0
    }

    public mutating func provideBuffer(
        _ id: UInt16, at address: UnsafeMutableRawPointer, length: UInt32, group: BufferGroup
    ) {
        let buffer = ProvidedBufferGroup.Buffer(id: id, address: address, length: Int(length))
        guard kernel.groups[group] != nil else {
            return kernel.report("a buffer for group \(group), which is not registered")
        }
        if let defect = kernel.groups[group]?.stage(buffer) { kernel.report(defect) }
    }

    public mutating func publishBuffers(group: BufferGroup) {
        kernel.groups[group]?.publish()
    }

    // MARK: - System calls that answer at once

    public mutating func socket(family: Int32, type: Int32) -> Int32 {
        kernel.tick()
        return kernel.makeSocket(family: family, type: type)
    }

    public mutating func connectNow(
        _ socket: Descriptor, to address: UnsafePointer<RawSocketAddress>
    ) -> Int32 {
        kernel.tick()
        return kernel.connectDatagram(socket, to: address.pointee)
    }

    public mutating func acceptNow(_ listener: Descriptor) -> Int32 {
        kernel.tick()
        guard let listener = kernel.file(listener, "accept") as? StreamListener else {
            return -ENOTSOCK
        }
        return kernel.acceptNow(from: listener)
    }

    public mutating func send(_ socket: Descriptor, _ data: UnsafeRawPointer, count: Int) -> Int {
        kernel.tick()
        let result = kernel.sendNow(socket, OutgoingMessage(.init(start: data, count: count)))
        kernel.trace("send \(count) on \(socket): \(result)")
        return result
    }

    public mutating func sendMessageNow(
        _ socket: Descriptor, header: UnsafePointer<msghdr>
    ) -> Int {
        kernel.tick()
        let result = kernel.sendNow(socket, OutgoingMessage(header.pointee))
        kernel.trace("sendmsg on \(socket): \(result)")
        return result
    }

    public mutating func splice(from source: Descriptor, to sink: Descriptor, count: Int) -> Int {
        kernel.tick()
        let result = kernel.spliceNow(from: source, to: sink, count: count)
        kernel.trace("splice \(count) from \(source) to \(sink): \(result)")
        return result
    }

    public mutating func makePipe(capacity: Int) -> Result<Pipe, Errno> {
        kernel.makePipeNow(capacity: capacity)
    }

    public mutating func setOption(
        _ socket: Descriptor, level: Int32, name: Int32, value: UnsafeRawPointer, length: Int
    ) -> Int32 {
        kernel.setOptionNow(
            socket, level: level, name: name, value: .init(start: value, count: length))
    }

    public mutating func peerName(
        _ socket: Descriptor, into address: inout RawSocketAddress
    ) -> Int32 {
        kernel.name(socket, isPeer: true, into: &address)
    }

    public mutating func localName(
        _ socket: Descriptor, into address: inout RawSocketAddress
    ) -> Int32 {
        kernel.name(socket, isPeer: false, into: &address)
    }

    public mutating func shutdownWrite(_ socket: Descriptor) -> Int32 {
        kernel.tick()
        kernel.trace("shutdown \(socket)")
        return kernel.shutdownWriteNow(socket)
    }

    public mutating func close(_ descriptor: Descriptor) -> Int32 {
        kernel.tick()
        kernel.trace("close \(descriptor)")
        return kernel.closeNow(descriptor)
    }
}
