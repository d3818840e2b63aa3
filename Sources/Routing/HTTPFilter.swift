/// What a rule changes of a request or answer, or does in its place (`HTTPRouteFilter`).
public enum HTTPFilter: Hashable, Sendable {
    case requestHeaders(HeaderEdit)
    case responseHeaders(HeaderEdit)
    case redirect(Redirect)
    case rewrite(Rewrite)
    case mirror(Mirror)
    case cors(CORS)
    /// An answer of the forwarder's own (HTTPRouteFilter `directResponse`).
    case respond(status: UInt16, body: String)

    /// `set` replaces, `add` appends, `remove` removes, in this order. Names are lowercase.
    public struct HeaderEdit: Hashable, Sendable {
        public struct Field: Hashable, Sendable {
            public var name: String
            public var value: String

            public init(name: String, value: String) {
                self.name = name
                self.value = value
            }
        }

        public var set: [Field]
        public var add: [Field]
        public var remove: [String]

        public init(set: [Field] = [], add: [Field] = [], remove: [String] = []) {
            self.set = set
            self.add = add
            self.remove = remove
        }
    }

    public enum PathEdit: Hashable, Sendable {
        case full(String)
        /// In place of the prefix that the rule matched.
        case prefix(String)
    }

    public struct Redirect: Hashable, Sendable {
        public var scheme: String?
        public var host: String?
        public var port: UInt16?
        public var path: PathEdit?
        public var status: UInt16

        public init(
            scheme: String? = nil, host: String? = nil, port: UInt16? = nil,
            path: PathEdit? = nil, status: UInt16 = 302
        ) {
            self.scheme = scheme
            self.host = host
            self.port = port
            self.path = path
            self.status = status
        }
    }

    public struct Rewrite: Hashable, Sendable {
        public var host: String?
        public var path: PathEdit?

        public init(host: String? = nil, path: PathEdit? = nil) {
            self.host = host
            self.path = path
        }
    }

    /// A copy of the request, whose answer nobody waits for.
    public struct Mirror: Hashable, Sendable {
        /// Index into `Plan.clusters`; nil: the reference is invalid, and nothing is copied.
        public var cluster: Int?
        public var numerator: UInt32
        public var denominator: UInt32

        public init(cluster: Int?, numerator: UInt32 = 100, denominator: UInt32 = 100) {
            self.cluster = cluster
            self.numerator = numerator
            self.denominator = denominator
        }
    }

    /// The Fetch standard's cross-origin headers.
    public struct CORS: Hashable, Sendable {
        public var origins: [String] = []
        public var methods: [String] = []
        public var headers: [String] = []
        public var exposedHeaders: [String] = []
        public var allowsCredentials = false
        public var ageMaxSeconds: UInt32?

        public init() {}
    }
}
