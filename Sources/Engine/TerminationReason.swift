import Discovery

/// Why a connection or flow ended, and so which side caused it. Every one that was accepted ends
/// with exactly one reason, which is counted.
public enum TerminationReason: UInt8, BitwiseCopyable, CaseIterable, Sendable {
    // MARK: As the peers wished
    /// Both sides sent their end of stream; the client was first.
    case clientClosed
    /// Both sides sent their end of stream; the endpoint was first.
    case endpointClosed
    case clientReset
    case endpointReset
    /// A UDP flow got the answers that it was expected to get.
    case flowAnswered

    // MARK: The client's side failed
    case proxyHeaderMalformed
    case proxyHeaderMissing
    case inspectionTimedOut
    /// An error of the client's socket that is no reset, such as a host that became unreachable.
    case clientFailed
    /// The listener's or the route's authorization does not let the client in.
    case clientDenied

    // MARK: The endpoint's side failed
    case connectFailed
    case connectTimedOut
    case endpointFailed
    /// The endpoint was left out after failures, and the Backend's EndpointPolicy ends its
    /// connections then.
    case endpointDown
    /// A tier of endpoints that goes before its own serves again.
    case failedBack
    /// The route's share went to an invalid reference, or its Backend has no endpoint.
    case noEndpoint
    /// No route is attached to the listener.
    case noRoute

    // MARK: Limits and time
    case idleTimedOut
    case listenerLimit
    case totalLimit
    /// The route's BackendTrafficPolicy: `circuitBreaker.maxConnections`.
    case clusterLimit
    /// `circuitBreaker.maxPendingRequests`: connects to endpoints under way.
    case pendingLimit
    /// `circuitBreaker.perEndpoint.maxConnections`, of all endpoints.
    case endpointLimit
    /// The Backend's EndpointPolicy: `limits.connectionsPerSourceMax`.
    case sourceLimit
    /// `limits.newConnectionsPerSecondPerSource`.
    case sourceRate
    /// A flow made room for a new one.
    case flowEvicted
    case outOfDescriptors
    case outOfBuffers
    case drainTimedOut
    /// The configuration lost the listener, and the time to drain it is over.
    case listenerRemoved

    /// As metrics and logs name it: `client_closed`.
    public var name: String {
        "\(self)".reduce(into: "") { text, character in
            if character.isUppercase { text += "_" }
            text += character.lowercased()
        }
    }
}

extension TerminationReason {
    init(_ refusal: ClusterLimits.Refusal) {
        switch refusal {
        case .connections: self = .clusterLimit
        case .pending: self = .pendingLimit
        case .source: self = .sourceLimit
        case .sourceRate: self = .sourceRate
        }
    }
}
