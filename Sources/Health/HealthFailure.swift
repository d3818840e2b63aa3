import CLinux
import Primitives
import TLS

/// Why a check failed; its description is one sentence without its end. A value.
public enum HealthFailure: Hashable, Sendable {
    case connectRefused
    case connectFailed(Errno)
    case timedOut(milliseconds: UInt32)
    /// The connection broke.
    case lost(Errno)
    /// There is no handshake with it, or a record of its is none.
    case tlsFailed(TLSFault)
    /// The endpoint closed before it had answered.
    case closedEarly
    /// It sent so many bytes and not what is expected.
    case answerTooLong(bytes: Int)
    /// ICMP says that nobody is there (RFC 1122 §3.2.2.1).
    case datagramRefused
    case status(UInt16, isRetriable: Bool)
    /// An expected status, and not the expected body.
    case bodyDiffers(status: UInt16)
    case malformed(HTTPFault)
    /// An error code of HTTP/2 (RFC 9113 §7), by us or by the endpoint.
    case http2(code: UInt32)
    /// The RPC ended with a status other than OK.
    case rpcFailed(code: UInt32, message: String)
    /// An answer of `grpc.health.v1` other than SERVING.
    case notServing(UInt64)
    /// What came is no answer of `grpc.health.v1`.
    case rpcMalformed

    /// Whether the endpoint itself said that it is not well. That counts at once, whatever the
    /// threshold, as with Envoy; what befell a connection is counted.
    var isDecisive: Bool {
        switch self {
        case .status(_, let isRetriable): !isRetriable
        case .bodyDiffers, .rpcFailed, .notServing, .rpcMalformed: true
        default: false
        }
    }
}

extension HealthFailure: CustomStringConvertible {
    public var description: String {
        switch self {
        case .connectRefused: "connect refused"
        case .connectFailed(let errno): "connect failed: \(errno)"
        case .timedOut(let milliseconds): "timed out after \(Self.text(milliseconds))"
        case .lost(let errno): "connection lost: \(errno)"
        case .tlsFailed(let fault): "TLS failed: \(fault)"
        case .closedEarly: "closed before the answer was complete"
        case .answerTooLong(let bytes): "sent \(bytes) bytes without what is expected"
        case .datagramRefused: "datagram refused"
        case .status(let status, _): "status \(status)"
        case .bodyDiffers(let status): "status \(status), but not the expected body"
        case .malformed(let fault): "malformed answer: \(fault)"
        case .http2(let code): "HTTP/2 failed: \(HTTP2Session.name(ofError: code))"
        case .rpcFailed(let code, let message):
            "gRPC status \(GRPCAnswer.name(ofStatus: code))"
                + (message.isEmpty ? "" : ": \(message)")
        case .notServing(let status): "answered \(GRPCAnswer.name(ofHealth: status))"
        case .rpcMalformed: "no answer of grpc.health.v1"
        }
    }

    private static func text(_ milliseconds: UInt32) -> String {
        milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000) s" : "\(milliseconds) ms"
    }
}

extension CheckOutcome {
    /// What an error of a socket means for the check: the one place where these are told apart.
    ///
    /// - Parameter isConnected: whether the connection stood when it came.
    init(_ errno: Errno, isConnected: Bool) {
        switch errno.rawValue {
        // No descriptors, memory or local ports.
        case EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL: self = .inconclusive(errno)
        case _ where isConnected: self = .failed(.lost(errno))
        case ECONNREFUSED: self = .failed(.connectRefused)
        default: self = .failed(.connectFailed(errno))
        }
    }
}
