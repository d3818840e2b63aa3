/// How many flows a UDP listener keeps (EndpointPolicy `spec.udp`; where its backends have several
/// policies, the strictest of each).
public struct UDPListenerPlan: Hashable, Sendable {
    /// Flows at a time, per worker; the oldest idle one makes room.
    public var flowsMax: UInt32
    /// Flows at a time of one source address, per worker.
    public var flowsPerSourceMax: UInt32

    public static let flowsMaxDefault: UInt32 = 16_384
    public static let flowsPerSourceMaxDefault: UInt32 = 4_096

    public init(
        flowsMax: UInt32 = flowsMaxDefault, flowsPerSourceMax: UInt32 = flowsPerSourceMaxDefault
    ) {
        self.flowsMax = flowsMax
        self.flowsPerSourceMax = flowsPerSourceMax
    }
}

/// When a flow to a cluster ends (EndpointPolicy `spec.udp`, which targets the Backend). Only
/// clusters of UDPRoutes have flows.
public struct UDPFlowPlan: Hashable, Sendable {
    /// A flow without a datagram for so long is forgotten.
    public var idleTimeoutMilliseconds: UInt32
    /// A flow ends after so many answers to its last request (1 for DNS); nil = only by time-out.
    public var expectedResponses: UInt32?

    public static let idleTimeoutMillisecondsDefault: UInt32 = 60_000

    public init(
        idleTimeoutMilliseconds: UInt32 = idleTimeoutMillisecondsDefault,
        expectedResponses: UInt32? = nil
    ) {
        self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
        self.expectedResponses = expectedResponses
    }
}
