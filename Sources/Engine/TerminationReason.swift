import Discovery
import TLS

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
    /// Requests were answered, and neither side wanted to go on with the connection.
    case answered
    /// A UDP flow got the answers that it was expected to get.
    case flowAnswered

    // MARK: The client's side failed
    case proxyHeaderMalformed
    case proxyHeaderMissing
    case inspectionTimedOut
    /// The stream ended before the ClientHello was whole.
    case helloMissing
    /// What came first is no TLS, at a listener that is for TLS.
    case notTLS
    case helloMalformed
    case helloTooLong
    /// The hello asks for no server by name, and no listener of the port is for all names.
    case serverNameMissing
    /// No listener of the port is for the name that the hello asks for.
    case serverUnknown
    /// The name is an HTTPS listener's, whose requests are not routed yet; or its certificates
    /// cannot be used.
    case serverUnserved
    /// Client and listener did not agree on TLS, or the client went away meanwhile.
    case handshakeFailed
    case handshakeTimedOut
    /// The client had no certificate, or none that the listener believes.
    case clientCertificateRefused
    /// What the client sent is no HTTP, or could be read in two ways.
    case requestMalformed
    /// After the handshake: a record that cannot be decrypted, or an alert.
    case clientRecordsFailed
    /// An error of the client's socket that is no reset, such as a host that became unreachable.
    case clientFailed
    /// The listener's or the route's authorization does not let the client in.
    case clientDenied

    // MARK: The endpoint's side failed
    case connectFailed
    case connectTimedOut
    /// No endpoint is left, and the last to be tried did not agree on TLS: its certificate is not
    /// believed, it sent an alert or something else, or went away meanwhile.
    case endpointHandshakeFailed
    /// After the handshake: a record that cannot be decrypted, or an alert.
    case endpointRecordsFailed
    case endpointFailed
    /// The endpoint was left out after failures, and the Backend's EndpointPolicy ends its
    /// connections then.
    case endpointDown
    /// A tier of endpoints that goes before its own serves again.
    case failedBack
    /// The route's share went to an invalid reference, or its Backend has no endpoint.
    case noEndpoint
    /// No route is attached to the listener, or none for the name that the client asks for.
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
    case outOfMemory
    case drainTimedOut
    /// The configuration lost the listener, and the time to drain it is over.
    case listenerRemoved

    /// As metrics and logs name it: `client_closed`.
    public var name: String { snakeCase("\(self)") }
}

/// `clientClosed` → `client_closed`.
func snakeCase(_ name: String) -> String {
    var text = ""
    var follows = false
    for character in name {
        if character.isUppercase, follows { text += "_" }
        text += character.lowercased()
        follows = character.isLowercase
    }
    return text
}

extension TerminationReason {
    init(_ refusal: ClusterLimits.Refusal) {
        switch refusal {
        case .connections: self = .clusterLimit
        case .pending: self = .pendingLimit
        case .requests: fatalError("a connection is no request")
        case .source: self = .sourceLimit
        case .sourceRate: self = .sourceRate
        }
    }
}

extension TerminationReason {
    /// Of a handshake with a client.
    init(_ fault: TLSFault) {
        switch fault.kind {
        case .certificateExpired, .certificateNotYetValid, .certificateWrongHost,
            .certificateUntrusted, .certificateRevoked, .certificateRevocationUnknown,
            .certificateWrongPurpose, .certificateUnpinned, .clientCertificateMissing:
            self = .clientCertificateRefused
        case .outOfMemory: self = .outOfMemory
        case .peerClosed, .alertReceived, .protocolVersion, .noSharedCipher, .noSharedAlgorithm,
            .noApplicationProtocol, .badRecord, .notTLS, .malformedMessage, .unexpectedMessage,
            .other:
            self = .handshakeFailed
        }
    }
}
