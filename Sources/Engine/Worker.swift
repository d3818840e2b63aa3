import Kernel

/// Stands in until the worker lands: nothing is served yet.
public struct Worker<R: Ring & ~Copyable>: ~Copyable {
    private var ring: R
    private let handle: WorkerHandle

    public init(ring: consuming R, handle: WorkerHandle) {
        self.ring = ring
        self.handle = handle
    }

    public mutating func run() {
        handle.finish(.drained)
    }
}
