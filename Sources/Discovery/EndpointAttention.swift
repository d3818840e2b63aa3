import Kernel
import Primitives

/// How workers call whoever looks after endpoints: one write to an eventfd, and only when an
/// endpoint fails more often than it may.
public final class EndpointAttention: Sendable {
    private let wakeup: Wakeup

    /// - Throws: EMFILE or ENFILE.
    public init() throws(Errno) {
        wakeup = try Wakeup()
    }

    public var descriptor: Descriptor { wakeup.descriptor }

    public func signal() { wakeup.signal() }

    /// After the descriptor was readable.
    public func clear() { wakeup.wait() }
}
