import CLinux
import Kernel
import Primitives

/// What a descriptor stands for, and the operations that wait for it. Owned by the kernel's
/// descriptor table, or by the world outside.
public class SimulatedFile {
    unowned let kernel: SimulatedKernel
    let name: String
    var waiters: [Operation] = []
    /// Operations that are in the kernel with this file, waiting or not.
    var operationsCount = 0

    init(kernel: SimulatedKernel, name: String) {
        self.kernel = kernel
        self.name = name
    }

    /// What `poll(2)` would say now.
    var readiness: Int32 { 0 }

    func receive(into target: UnsafeMutableRawPointer, capacity: Int) -> Int {
        Int(-ENOTSOCK)
    }
    func send(_ message: OutgoingMessage) -> Int {
        Int(-ENOTSOCK)
    }
    /// Bytes that a receive would give at once.
    var bytesReadable: Int { 0 }
    func setOption(level: Int32, name: Int32, value: UnsafeRawBufferPointer) -> Int32 { -ENOTSOCK }
    /// The last descriptor was closed.
    func release() {}

    /// Wakes the operations that have something to see.
    func notify() {
        let seen = readiness
        guard seen != 0, !waiters.isEmpty else { return }
        for operation in waiters where seen & (operation.eventsWanted | POLLERR | POLLHUP) != 0 {
            kernel.wake(operation)
        }
        waiters.removeAll { $0.state != .armed }
    }
}

/// Where connections arrive (`listen(2)`).
final class StreamListener: SimulatedFile {
    let address: SocketAddress
    let family: Int32
    let backlog: Int
    var queue: [StreamSocket] = []
    private(set) var isClosed = false

    init(kernel: SimulatedKernel, address: SocketAddress, backlog: Int) {
        self.address = address
        self.backlog = backlog
        family = address.raw.family
        super.init(kernel: kernel, name: "listener \(address)")
    }

    override var readiness: Int32 { queue.isEmpty ? 0 : POLLIN }

    /// Connections that nobody accepted are reset (`inet_csk_listen_stop`).
    override func release() {
        isClosed = true
        kernel.forget(self)
        for socket in queue { socket.reset() }
        queue = []
    }

    override func setOption(level: Int32, name: Int32, value: UnsafeRawBufferPointer) -> Int32 { 0 }
}

/// One end of a pipe.
final class PipeEnd: SimulatedFile {
    /// What both ends share.
    final class Store {
        var bytes = ByteQueue()
        let capacity: Int
        var readersCount = 1
        var writersCount = 1

        init(capacity: Int) {
            self.capacity = capacity
        }
    }

    let store: Store
    let isWriteEnd: Bool

    init(kernel: SimulatedKernel, store: Store, isWriteEnd: Bool) {
        self.store = store
        self.isWriteEnd = isWriteEnd
        super.init(kernel: kernel, name: isWriteEnd ? "pipe's write end" : "pipe's read end")
    }

    override var readiness: Int32 {
        if isWriteEnd { return store.bytes.count < store.capacity ? POLLOUT : 0 }
        return (store.bytes.isEmpty ? 0 : POLLIN) | (store.writersCount == 0 ? POLLHUP : 0)
    }

    override func release() {
        if isWriteEnd { store.writersCount -= 1 } else { store.readersCount -= 1 }
    }
}

/// What `Wakeup` is to the real ring.
final class WakeupFile: SimulatedFile {
    private var count = 0

    init(kernel: SimulatedKernel) {
        super.init(kernel: kernel, name: "wake-up")
    }

    override var readiness: Int32 { count > 0 ? POLLIN : 0 }

    func signal() {
        count += 1
        notify()
    }

    func take() -> Bool {
        defer { count = 0 }
        return count > 0
    }
}
