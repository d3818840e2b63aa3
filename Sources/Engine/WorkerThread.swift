import CLinux
import Kernel
import Primitives
import Synchronization

/// Starts a worker on a thread of its own, pinned to one processor. The ring is made on that
/// thread; the starter waits until that has succeeded or failed.
public final class WorkerThread: Sendable {
    private enum Start { case pending, running(KernelFeatures), failed(RingFailure) }

    // MARK: Immutable after start
    private let handle: WorkerHandle
    private let cpu: Int?
    private let start = Mutex<Start>(.pending)
    private let started: Wakeup

    private init(_ handle: WorkerHandle, cpu: Int?) throws(Errno) {
        self.handle = handle
        self.cpu = cpu
        started = try Wakeup()
    }

    /// Returns when the worker waits for its first message.
    /// - Parameters:
    ///   - cpu: the processor to pin to; nil leaves that to the system.
    ///   - ended: called on the worker's thread when it has closed everything.
    /// - Returns: the features that its ring has.
    public static func run(
        _ handle: WorkerHandle, cpu: Int?, ended: @escaping @Sendable () -> Void
    ) throws -> KernelFeatures {
        let thread = try WorkerThread(handle, cpu: cpu)
        try PosixThread.start(name: "apus-\(handle.index)") {
            thread.main()
            ended()
        }
        thread.started.wait()
        switch thread.start.withLock({ $0 }) {
        case .running(let features): return features
        case .failed(let failure): throw failure
        case .pending: fatalError("the thread signals only when it has started")
        }
    }

    private func main() {
        // Pinning is for speed alone; a container may forbid it.
        if let cpu { _ = apus_pin(Int32(cpu)) }
        do throws(RingFailure) {
            let ring = try IOUring(wakeup: handle.wakeup, allowed: handle.settings.features)
            start.withLock { $0 = .running(ring.features) }
            started.signal()
            var worker = Worker(ring: ring, handle: handle)
            worker.run()
        } catch {
            start.withLock { $0 = .failed(error) }
            started.signal()
        }
    }
}
