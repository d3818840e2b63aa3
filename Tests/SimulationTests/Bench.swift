import CLinux
import Kernel
import Primitives
import SimulatedKernel

/// A simulated kernel with a listener and a group of buffers, for tests of the kernel itself.
/// Owned by one test.
final class Bench {
    let kernel: SimulatedKernel
    var ring: SimulatedRing
    let memory: UnsafeMutableRawPointer
    let bufferSize: Int
    static let group: BufferGroup = 0
    static let address = SocketAddress.ip(.loopbackIPv4, port: 80)
    static let client = SocketAddress.ip(IPAddress(v4: 0x0a00_0001), port: 5_000)

    init(
        seed: UInt64 = 1, faults: FaultProfile = .none, buffers: Int = 0, bufferSize: Int = 4_096,
        features: KernelFeatures = .all
    ) {
        kernel = SimulatedKernel(seed: seed, faults: faults)
        ring = SimulatedRing(kernel: kernel, features: features)
        self.bufferSize = bufferSize
        memory = .allocate(byteCount: 64 * bufferSize, alignment: 16)
        let registered = ring.registerBufferGroup(Self.group, entries: 64)
        precondition(registered == 0)
        for id in 0..<buffers { provide(UInt16(id)) }
    }

    deinit {
        memory.deallocate()
    }

    func provide(_ id: UInt16) {
        ring.provideBuffer(
            id, at: memory + Int(id) * bufferSize, length: UInt32(bufferSize), group: Self.group)
        ring.publishBuffers(group: Self.group)
    }

    /// What completes until nothing more happens within a second of virtual time.
    func completions(atLeast minimum: UInt32 = 64) -> [Completion] {
        ring.submitAndWait(
            minimum: minimum, batchMicroseconds: 0, timeoutNanoseconds: 1_000_000_000)
        let batch = UnsafeMutableBufferPointer<Completion>.allocate(capacity: 256)
        defer { batch.deallocate() }
        let count = ring.takeCompletions(into: batch)
        return Array(batch[..<count])
    }

    /// An accepted connection and its client's side.
    func connection() -> (descriptor: Descriptor, client: StreamSocket) {
        let listener = kernel.listen(on: Self.address)
        let client = kernel.connect(from: Self.client, to: Self.address)
        while kernel.step() {}
        var descriptor: Descriptor
        repeat { descriptor = ring.acceptNow(listener) } while descriptor < 0
        return (descriptor, client)
    }

    func bytes(_ completion: Completion) -> [UInt8] {
        Array(
            UnsafeRawBufferPointer(
                start: memory + Int(completion.bufferID) * bufferSize,
                count: Int(completion.result)))
    }

    func receive(on descriptor: Descriptor, token: Token) {
        ring.receive(
            on: descriptor, group: Self.group, multishot: true, pollFirst: false, token: token)
    }

    func send(_ descriptor: Descriptor, _ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { ring.send(descriptor, $0.baseAddress!, count: $0.count) }
    }

    func makeSocket(_ type: __socket_type = SOCK_STREAM) -> Descriptor {
        ring.socket(family: AF_INET, type: Int32(type.rawValue))
    }
}

extension Completion {
    /// As "-104" or "5 more", for comparing whole sequences.
    var text: String { "\(result)" + (hasMore ? " more" : "") + (hasBuffer ? " buffer" : "") }
}
