import Discovery
import Wire

/// Why a request is answered by the worker itself and by no endpoint, or why its answer was cut
/// short. Each is counted.
public enum RequestFault: UInt8, BitwiseCopyable, CaseIterable, Sendable {
    // MARK: The client's
    case malformed
    case headTooLong
    case targetTooLong
    case versionUnknown
    case expectationUnknown
    case codingUnknown
    /// Tunnels are made by `Upgrade` only.
    case connectRefused
    case headTimedOut
    /// The connection's server name is not the one that the request is for (RFC 9110 section
    /// 15.5.20).
    case misdirected
    case denied

    // MARK: The configuration's
    /// No route of the listener matches.
    case unrouted
    /// The rule's share went to a reference that is invalid, or it has no backend.
    case backendInvalid

    // MARK: The endpoints'
    /// The Backend has none that can be used.
    case endpointMissing
    case endpointUnreachable
    /// Its connection ended before the answer was whole.
    case endpointLost
    case answerMalformed
    case timedOut

    // MARK: Limits
    case overflow
    /// Its source has too many requests at a time, or makes them too fast.
    case sourceOverflow
    case sourceTooFast
    case draining

    /// The status of the answer, if nothing of another has been sent (RFC 9110 section 15).
    var status: UInt16 {
        switch self {
        case .malformed: 400
        case .headTooLong: 431
        case .targetTooLong: 414
        case .versionUnknown: 505
        case .expectationUnknown: 417
        case .codingUnknown, .connectRefused: 501
        case .headTimedOut: 408
        case .misdirected: 421
        case .denied: 403
        case .sourceOverflow, .sourceTooFast: 429
        case .unrouted: 404
        case .backendInvalid: 500
        case .endpointMissing, .endpointUnreachable, .endpointLost, .overflow, .draining: 503
        case .answerMalformed: 502
        case .timedOut: 504
        }
    }

    /// The body of the answer: one line.
    var text: StaticString {
        switch self {
        case .malformed: "the request is malformed\n"
        case .headTooLong: "the request's header fields are too large\n"
        case .targetTooLong: "the request's target is too long\n"
        case .versionUnknown: "only HTTP/1.0 and HTTP/1.1 are understood here\n"
        case .expectationUnknown: "only 100-continue can be expected\n"
        case .codingUnknown: "the only transfer coding understood is chunked\n"
        case .connectRefused: "CONNECT is not served\n"
        case .headTimedOut: "the request took too long to arrive\n"
        case .misdirected: "this connection is for another host\n"
        case .denied: "access denied\n"
        case .unrouted: "no route matches\n"
        case .backendInvalid: "the route's backend is invalid\n"
        case .endpointMissing: "no endpoint is available\n"
        case .endpointUnreachable: "no endpoint could be connected to\n"
        case .endpointLost: "the endpoint closed the connection before it answered\n"
        case .answerMalformed: "the endpoint's answer is malformed\n"
        case .timedOut: "the endpoint took too long to answer\n"
        case .overflow: "too many requests at a time\n"
        case .sourceOverflow: "too many requests of one client at a time\n"
        case .sourceTooFast: "too many requests of one client\n"
        case .draining: "the server is shutting down\n"
        }
    }

    /// As Envoy's access log names it (`%RESPONSE_FLAGS%`), where it has a name for it.
    var flag: StaticString {
        switch self {
        case .malformed, .headTooLong, .targetTooLong, .versionUnknown, .expectationUnknown,
            .codingUnknown, .connectRefused:
            "DPE"
        case .headTimedOut: "DT"
        case .misdirected, .unrouted: "NR"
        case .denied: "UAEX"
        case .backendInvalid: "NC"
        case .endpointMissing: "UH"
        case .endpointUnreachable: "UF"
        case .endpointLost: "UC"
        case .answerMalformed: "UPE"
        case .timedOut: "UT"
        case .overflow, .draining: "UO"
        case .sourceOverflow, .sourceTooFast: "RL"
        }
    }

    /// As metrics and logs name it: `head_too_long`.
    public var name: String { snakeCase("\(self)") }

    init(_ failure: ExchangeProgress.Failure) {
        switch failure {
        case .endpointLost: self = .endpointLost
        case .endpointMissing: self = .endpointUnreachable
        case .answerMalformed: self = .answerMalformed
        case .timedOut: self = .timedOut
        }
    }
}

extension RequestFault {
    init(_ refusal: ClusterLimits.Refusal) {
        switch refusal {
        case .connections, .pending, .requests: self = .overflow
        case .source: self = .sourceOverflow
        case .sourceRate: self = .sourceTooFast
        }
    }

    init(_ fault: HTTPFault) {
        switch fault {
        case .headTooLong, .tooManyFields, .trailersTooLong: self = .headTooLong
        case .targetTooLong: self = .targetTooLong
        case .versionNotSupported: self = .versionUnknown
        case .badExpectation: self = .expectationUnknown
        case .unknownTransferEncoding: self = .codingUnknown
        default: self = .malformed
        }
    }
}
