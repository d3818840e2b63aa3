import CLinux
import Primitives

/// Rouses a worker that waits in its ring: an eventfd (`eventfd(2)`) that the worker keeps a read
/// on. Made by whoever starts the worker and shared with it; `signal()` may be called from any
/// thread.
public final class Wakeup: Sendable {
    // MARK: Immutable after start
    public let descriptor: Descriptor

    /// - Throws: EMFILE or ENFILE.
    public init() throws(Errno) {
        let result = apus_eventfd()
        if let error = Errno(result: Int(result)) { throw error }
        descriptor = result
    }

    deinit {
        _ = apus_close(descriptor)
    }

    public func signal() {
        var one: UInt64 = 1
        let written = apus_write(descriptor, &one, MemoryLayout<UInt64>.size)
        precondition(written == MemoryLayout<UInt64>.size, "an eventfd takes eight bytes")
    }

    /// Waits until it was signalled since the last wait.
    public func wait() {
        var value: UInt64 = 0
        while true {
            let result = apus_read(descriptor, &value, MemoryLayout<UInt64>.size)
            if result > 0 { return }
            precondition(result == -Int(EINTR), "an eventfd can be read")
        }
    }
}
