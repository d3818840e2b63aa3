import Routing
import Wire

/// How long a listener's clients are waited for, and how much they may say.
struct RequestLimits: Sendable {
    let parser: HTTPRequestParser
    let escapedSlashes: HTTPPath.EscapedSlashes
    let mergesSlashes: Bool
    /// 0 = for ever.
    let idleTicks: UInt64
    let headTicks: UInt64
    /// 0 = for ever.
    let streamIdleTicks: UInt64
    let http2: HTTP2Plan
    let clientAddress: HTTPListenerPlan.ClientAddress
    /// Of one connection.
    let requestsMax: UInt32
    /// What a body may take from the beginning of its request; 0 = there is no limit.
    let requestTicks: UInt64
    /// A path that is answered by the worker itself; empty = there is none.
    let healthPath: [UInt8]

    /// Where the plan says nothing (ClientTrafficPolicy `timeout.http.requestReceivedTimeout`), a
    /// head that does not come to its end would hold a connection for ever.
    private static let headMilliseconds: UInt32 = 60_000

    init(_ plan: HTTPListenerPlan) {
        let headBytesMax = min(max(Int(plan.headerBytesMax), 1_024), HTTPDesk.headBytesMax)
        parser = HTTPRequestParser(
            headBytesMax: headBytesMax, fieldsMax: HTTPDesk.fieldsMax,
            underscores: plan.underscores.parsed)
        escapedSlashes = plan.escapedSlashes.parsed
        mergesSlashes = plan.mergesSlashes
        idleTicks = Tick.count(milliseconds: plan.idleTimeout)
        let head = plan.headersReceivedTimeout ?? plan.requestReceivedTimeout
        headTicks = max(1, Tick.count(milliseconds: head ?? Self.headMilliseconds))
        http2 = plan.http2
        clientAddress = plan.clientAddress
        requestsMax = plan.requestsPerConnectionMax ?? .max
        requestTicks = Tick.count(milliseconds: plan.requestReceivedTimeout ?? 0)
        healthPath = plan.healthPath.map { Array($0.utf8) } ?? []
        streamIdleTicks = Tick.count(milliseconds: plan.streamIdleTimeout)
    }
}

extension HTTPListenerPlan.Underscores {
    fileprivate var parsed: HTTPRequestParser.Underscores {
        switch self {
        case .allow: .allow
        case .rejectRequest: .reject
        case .dropHeader: .drop
        }
    }
}

extension HTTPListenerPlan.EscapedSlashes {
    fileprivate var parsed: HTTPPath.EscapedSlashes {
        switch self {
        case .keepUnchanged: .keepUnchanged
        case .rejectRequest: .reject
        case .unescapeAndForward: .unescapeAndForward
        case .unescapeAndRedirect: .unescapeAndRedirect
        }
    }
}
