import Kernel
import Routing

/// What the control thread tells a worker.
public enum WorkerMessage: Sendable {
    /// The plan to serve, with the worker's own sockets for it.
    case plan(WorkerPlan)
    /// Take what waits in the accept queues, accept no more, and end what still lives at the
    /// deadline (CLOCK_MONOTONIC, nanoseconds).
    case drain(deadline: UInt64)
    /// End everything now.
    case stop
}

/// A plan and the listening sockets of one worker for it: `sockets[i]` are those of
/// `plan.listeners[i]`, one for each of its addresses, bound, listening and non-blocking. The
/// worker closes them.
public struct WorkerPlan: Sendable {
    public let plan: Plan
    public let sockets: [[Descriptor]]
    /// The listeners' own limits, which all workers share.
    let limits: [ConnectionBudget?]

    /// - Parameter limits: `limits(of: plan)`, one array for all workers; nil for a lone worker.
    public init(plan: Plan, sockets: [[Descriptor]], limits: [ConnectionBudget?]? = nil) {
        precondition(sockets.count == plan.listeners.count)
        self.plan = plan
        self.sockets = sockets
        self.limits = limits ?? Self.limits(of: plan)
        precondition(self.limits.count == plan.listeners.count)
    }

    public static func limits(of plan: Plan) -> [ConnectionBudget?] {
        plan.listeners.map { listener in
            guard case .tcp(let tcp) = listener.transport else { return nil }
            return tcp.connectionsMax.map { ConnectionBudget(countMax: Int($0)) }
        }
    }
}
