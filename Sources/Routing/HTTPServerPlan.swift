/// One host of an HTTP listener with everything that its requests can match. Which rule a request
/// takes is decided by `HTTPTable`.
public struct HTTPServerPlan: Hashable, Sendable {
    /// `namespace/gateway/listener`.
    public var name: String
    public var host: HostPattern
    /// By precedence, across all routes: the first that matches is taken.
    public var candidates: [HTTPCandidate]
    public var rules: [HTTPRulePlan]
    public var settings: HTTPListenerPlan

    public init(
        name: String, host: HostPattern, candidates: [HTTPCandidate] = [],
        rules: [HTTPRulePlan] = [], settings: HTTPListenerPlan = HTTPListenerPlan()
    ) {
        self.name = name
        self.host = host
        self.candidates = candidates
        self.rules = rules
        self.settings = settings
    }
}

/// One match of one rule for one host name of its route.
public struct HTTPCandidate: Hashable, Sendable {
    public var host: HostPattern
    public var match: HTTPMatch
    /// Index into `HTTPServerPlan.rules`.
    public var rule: Int

    public init(host: HostPattern, match: HTTPMatch, rule: Int) {
        self.host = host
        self.match = match
        self.rule = rule
    }
}

/// What a request must have (`HTTPRouteMatch`, `GRPCRouteMatch`): all of it.
public struct HTTPMatch: Hashable, Sendable {
    public enum Path: Hashable, Sendable {
        case exact(String)
        /// By whole segments, without a slash at the end: `/a` stands for `/a` and `/a/b`, not for
        /// `/ab`; empty = every path.
        case prefix(String)
        case expression(String)
    }

    /// A header or query parameter.
    public struct Field: Hashable, Sendable {
        public enum Value: Hashable, Sendable {
            case exact(String)
            case expression(String)
        }

        /// Header names are lowercase.
        public var name: String
        public var value: Value

        public init(name: String, value: Value) {
            self.name = name
            self.value = value
        }
    }

    public var path: Path
    public var method: String?
    public var headers: [Field]
    public var query: [Field]

    public init(
        path: Path = .prefix(""), method: String? = nil, headers: [Field] = [], query: [Field] = []
    ) {
        self.path = path
        self.method = method
        self.headers = headers
        self.query = query
    }
}

/// A rule of an HTTPRoute or GRPCRoute: what becomes of a request that matched.
public struct HTTPRulePlan: Hashable, Sendable {
    /// `Kind/namespace/name/rule/number`, and the rule's own name if it has one.
    public var name: String
    public var isGRPC: Bool
    public var filters: [HTTPFilter]
    public var backends: [WeightedBackend]
    /// Of `backends`, by index; empty = none has any.
    public var backendFilters: [[HTTPFilter]]
    public var timeouts: HTTPTimeouts
    public var retry: RetryPlan?
    public var authorization: AuthorizationPlan?

    public init(
        name: String, isGRPC: Bool = false, filters: [HTTPFilter] = [],
        backends: [WeightedBackend] = [], backendFilters: [[HTTPFilter]] = [],
        timeouts: HTTPTimeouts = HTTPTimeouts(), retry: RetryPlan? = nil,
        authorization: AuthorizationPlan? = nil
    ) {
        self.name = name
        self.isGRPC = isGRPC
        self.filters = filters
        self.backends = backends
        self.backendFilters = backendFilters
        self.timeouts = timeouts
        self.retry = retry
        self.authorization = authorization
    }
}

/// Milliseconds; nil = not limited (HTTPRoute `timeouts`, BackendTrafficPolicy `timeout.http`).
public struct HTTPTimeouts: Hashable, Sendable {
    public var request: UInt32?
    public var backendRequest: UInt32?
    public var streamIdle: UInt32?
    public var streamDurationMax: UInt32?

    public init(request: UInt32? = nil, backendRequest: UInt32? = nil) {
        self.request = request
        self.backendRequest = backendRequest
    }
}

/// How an HTTP listener treats its clients (ClientTrafficPolicy). Milliseconds and bytes.
public struct HTTPListenerPlan: Hashable, Sendable {
    public enum Underscores: String, Hashable, Sendable {
        case allow = "Allow"
        case rejectRequest = "RejectRequest"
        case dropHeader = "DropHeader"
    }

    public enum EscapedSlashes: String, Hashable, Sendable {
        case keepUnchanged = "KeepUnchanged"
        case rejectRequest = "RejectRequest"
        case unescapeAndForward = "UnescapeAndForward"
        case unescapeAndRedirect = "UnescapeAndRedirect"
    }

    /// Where the client's address is taken from (`spec.clientIPDetection`).
    public enum ClientAddress: Hashable, Sendable {
        case connection
        case forwardedFor(hops: UInt32)
        case forwardedForTrusting([AddressRange])
        case header(String, failsClosed: Bool)
    }

    public var requestReceivedTimeout: UInt32?
    public var headersReceivedTimeout: UInt32?
    public var idleTimeout: UInt32 = 3_600_000
    public var streamIdleTimeout: UInt32 = 300_000
    public var requestsPerConnectionMax: UInt32?
    public var streamDurationMax: UInt32?
    public var headerBytesMax: UInt32 = 60 << 10
    public var underscores = Underscores.rejectRequest
    public var escapedSlashes = EscapedSlashes.unescapeAndRedirect
    public var mergesSlashes = true
    public var clientAddress = ClientAddress.connection
    public var http2 = HTTP2Plan()
    /// Answered by the listener itself with 200, and with 503 while it drains
    /// (`spec.healthCheck.path`).
    public var healthPath: String?

    public init() {}
}

/// HTTP/2's own limits (`spec.http2` of both traffic policies). Bytes and streams.
public struct HTTP2Plan: Hashable, Sendable {
    public var streamWindowBytes: UInt32 = 64 << 10
    public var connectionWindowBytes: UInt32 = 1 << 20
    public var streamsMax: UInt32 = 100

    public init() {}
}
