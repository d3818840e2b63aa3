import Kernel
import Routing

/// What the control thread tells a worker.
public enum WorkerMessage: Sendable {
    /// The plan to serve, with the worker's own sockets for it.
    case plan(WorkerPlan)
    /// Take what waits in the accept queues, accept no more, and end what still lives at the
    /// deadline (CLOCK_MONOTONIC, nanoseconds).
    case drain(deadline: UInt64)
    /// Look for clients of endpoints that they are to leave.
    case depart
    /// End everything now.
    case stop
}
