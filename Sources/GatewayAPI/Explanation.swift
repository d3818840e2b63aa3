import Manifest
import Primitives
import Routing

/// What becomes of a connection, datagram, name or request under a configuration, and why. A value
/// made by `Explainer`, whose decisions are those of `Routing`, as on the data path.
public struct Explanation: Hashable, Sendable {
    /// What is asked.
    public enum Question: Hashable, Sendable {
        /// Everything that a listener has; its name, or the end of it from a slash on.
        case listener(String)
        /// A TCP connection, or a datagram; who sends it may be left open.
        case arrival(from: SocketAddress?, to: SocketAddress, isDatagram: Bool)
        /// A TLS connection that asks for a name.
        case serverName(String, port: UInt16?, from: IPAddress?)
        /// Within TLS, over a connection that asked for `serverName`; nil = for the request's host.
        case request(Request, serverName: String? = nil, from: IPAddress?)
    }

    public struct Request: Hashable, Sendable {
        public struct Header: Hashable, Sendable {
            public let name: String
            public let value: String

            public init(name: String, value: String) {
                self.name = name
                self.value = value
            }
        }

        public let method: String
        public let url: String
        public let headers: [Header]

        /// - Parameter url: `https://host:port/path?query`; nil = it is no URL of HTTP.
        public init?(method: String, url: String, headers: [Header] = []) {
            self.method = method
            self.url = url
            self.headers = headers
            guard URLParts(url) != nil else { return nil }
        }
    }

    /// What was decided, as indices into the plan: exactly what `Routing` gave.
    public struct Decision: Hashable, Sendable {
        /// Nil = nobody listens there.
        public var listener: Int?
        public var tls: ListenerTable.TLSDecision?
        public var http: ListenerTable.HTTPDecision?
        /// Nil = nobody is kept out, or it is not known who asks.
        public var authorization: AuthorizationPlan.Verdict?
    }

    /// A listener, server, route or rule.
    public struct Candidate: Hashable, Sendable {
        public enum Role: String, Sendable {
            case listener
            /// A name that the listener stands for.
            case server = "host"
            case route, rule

            /// From the outside in.
            var depth: Int {
                switch self {
                case .listener: 0
                case .server: 1
                case .route: 2
                case .rule: 3
                }
            }
        }

        public let role: Role
        public let name: String
        /// Of the object that it was made of.
        public let place: SourcePlace?
        /// Why it is taken, or is not.
        public let reason: String
    }

    /// Whether the client may come in, as the listener and the route each have it.
    public struct Admission: Hashable, Sendable {
        /// Of the listener, route or rule.
        public let name: String
        /// Nil = it depends on the client's address, which was not given.
        public let verdict: AuthorizationPlan.Verdict?
        public let reason: String
        /// Who says so.
        public let origin: Setting.Origin?
    }

    public struct Destination: Hashable, Sendable {
        public struct Endpoint: Hashable, Sendable {
            public let target: String
            /// What else is known of it: its host name, zone, TLS.
            public let remark: String
        }

        /// Of the Backend or Service; nil = the reference is invalid, and its share is refused.
        public let name: String?
        public let place: SourcePlace?
        public let weight: UInt32
        /// Of all weights of the rule.
        public let weightSum: UInt64
        /// The first tier serves; those after it when it cannot.
        public let tiers: [[Endpoint]]
        public let settings: [Setting]
    }

    /// A value that is in force.
    public struct Setting: Hashable, Sendable {
        /// Where it was written.
        public struct Origin: Hashable, Sendable {
            public let object: ObjectIdentity
            /// As in `spec.timeout.tcp.connectTimeout`.
            public let path: String
            public let place: SourcePlace
        }

        /// As in `healthCheck.active.interval`.
        public let name: String
        public let value: String
        /// Nil = nobody wrote it: it is the default.
        public let origin: Origin?
    }

    /// A policy for what is asked about, or for something that it is part of.
    public struct PolicyUse: Hashable, Sendable {
        public enum State: Hashable, Sendable {
            case inForce
            /// It says something that cannot be done: nobody is served by it.
            case invalid(String)
            /// It fills in what a more specific one does not say.
            case merged(ObjectIdentity)
            /// A more specific one holds in its place.
            case overridden(ObjectIdentity)
            /// Another of its kind had the target before; and why.
            case conflicted(String)
        }

        public let policy: ObjectIdentity
        public let place: SourcePlace
        /// As in `Gateway default/edge`.
        public let target: String
        public let state: State
    }

    /// What becomes of it in the end.
    public enum Outcome: Hashable, Sendable {
        case forwarded
        /// Answered here: a redirect or a direct response.
        case answered(String)
        case refused(String)
        /// There is more to ask: by name, or by request.
        case open(String)
    }

    public internal(set) var decision = Decision()
    /// From the outside in: listener, server, route, rule.
    public internal(set) var chosen: [Candidate] = []
    public internal(set) var others: [Candidate] = []
    public internal(set) var admissions: [Admission] = []
    /// The most specific first, of each kind.
    public internal(set) var policies: [PolicyUse] = []
    public internal(set) var outcome = Outcome.forwarded
    public internal(set) var destinations: [Destination] = []
    /// Of the listener, its server, and the rule.
    public internal(set) var settings: [Setting] = []
}

/// The parts of a URL that say where a request goes.
struct URLParts {
    let scheme: String
    /// Without a port; IPv6 in brackets.
    let host: String
    let port: UInt16

    /// Nil = it is no URL of HTTP (RFC 9110 section 4.2).
    init?(_ url: String) {
        guard let scheme = ["http", "https"].first(where: { url.hasPrefix($0 + "://") }) else {
            return nil
        }
        self.scheme = scheme
        let rest = url.dropFirst(scheme.count + 3)
        let authority = rest.prefix { !"/?#".contains($0) }
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        let usual: UInt16 = scheme == "https" ? 443 : 80
        guard let colon = authority.lastIndex(of: ":"), authority.last != "]" else {
            host = String(authority)
            port = usual
            return
        }
        guard let port = UInt16(authority[authority.index(after: colon)...]) else { return nil }
        host = String(authority[..<colon])
        self.port = port
        guard !host.isEmpty else { return nil }
    }

    /// The host where it is an address.
    var address: IPAddress? {
        IPAddress(host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host)
    }
}
