import Primitives

/// One listening place: the listeners of a Gateway (and of its ListenerSets) that share a port, on
/// one or more addresses.
public struct ListenerPlan: Hashable, Sendable {
    public enum Transport: Hashable, Sendable {
        case tcp(TCPListenerPlan)
        case udp(UDPListenerPlan)
    }

    /// What decides where a connection, flow or request goes.
    public enum Routes: Hashable, Sendable {
        /// TCP and UDP: nothing is looked at; nil while no route is attached: connections are then
        /// refused.
        case opaque(RoutePlan?)
        /// TLS and HTTPS: the name that the client asks for (RFC 6066 section 3) chooses the
        /// server; the most specific comes first.
        case tls([TLSServerPlan])
        /// HTTP: the request's host chooses the server; the most specific comes first.
        case http([HTTPServerPlan])
    }

    /// `namespace/gateway/listener`, of the first listener where several share the port.
    public var name: String
    /// Where it listens. `::` means every address of both families.
    public var addresses: [SocketAddress]
    public var transport: Transport
    public var routes: Routes
    /// Who may connect (SecurityPolicy `spec.authorization`); nil = everybody. Rules of routes are
    /// in their routes.
    public var authorization: AuthorizationPlan?

    public init(
        name: String, addresses: [SocketAddress], transport: Transport, routes: Routes,
        authorization: AuthorizationPlan? = nil
    ) {
        self.name = name
        self.addresses = addresses
        self.transport = transport
        self.routes = routes
        self.authorization = authorization
    }

    public init(
        name: String, addresses: [SocketAddress], transport: Transport, route: RoutePlan? = nil
    ) {
        self.init(name: name, addresses: addresses, transport: transport, routes: .opaque(route))
    }

    /// The route of a TCP or UDP listener.
    public var route: RoutePlan? {
        get { if case .opaque(let route) = routes { route } else { nil } }
        set { routes = .opaque(newValue) }
    }

    /// Whether nothing is looked at that a client says.
    public var isOpaque: Bool {
        if case .opaque = routes { true } else { false }
    }

    /// Whether some of its clients' requests are read.
    public var readsRequests: Bool {
        switch routes {
        case .opaque: false
        case .http: true
        case .tls(let servers): servers.contains { $0.requests != nil }
        }
    }
}

/// A name or a family of names: `a.example.com`, `*.example.com`, or any.
public enum HostPattern: Hashable, Sendable {
    case any
    case exact(String)
    /// What follows the star, with its dot: `.example.com`. It stands for one or more labels.
    case suffix(String)

    /// - Parameter text: as in a listener's `hostname`, lowercase; nil or empty = any.
    public init(_ text: String?) {
        guard let text, !text.isEmpty, text != "*" else {
            self = .any
            return
        }
        self = text.hasPrefix("*.") ? .suffix(String(text.dropFirst())) : .exact(text)
    }

    /// - Parameter name: lowercase, without a port or trailing dot.
    public func matches(_ name: String) -> Bool {
        switch self {
        case .any: true
        case .exact(let exact): name == exact
        case .suffix(let suffix): name.utf8.count > suffix.utf8.count && name.hasSuffix(suffix)
        }
    }

    /// What both stand for; nil = they have no name in common (HTTPRoute `spec.hostnames`).
    public func intersection(_ other: HostPattern) -> HostPattern? {
        switch (self, other) {
        case (.any, _): other
        case (_, .any): self
        case (.exact(let name), _): other.matches(name) ? self : nil
        case (_, .exact(let name)): matches(name) ? other : nil
        case (.suffix(let left), .suffix(let right)):
            left.hasSuffix(right) ? self : right.hasSuffix(left) ? other : nil
        }
    }

    /// The more specific is greater: exact before wildcard, then by length.
    public var precedence: (Int, Int) {
        switch self {
        case .any: (0, 0)
        case .suffix(let suffix): (1, suffix.utf8.count)
        case .exact(let name): (2, name.utf8.count)
        }
    }
}

extension HostPattern: CustomStringConvertible {
    public var description: String {
        switch self {
        case .any: "*"
        case .exact(let name): name
        case .suffix(let suffix): "*" + suffix
        }
    }
}
