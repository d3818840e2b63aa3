import Manifest
import Primitives
import Routing
import TLS

/// A listener of a Gateway or ListenerSet on its way into the plan, with the routes that attach to
/// it. One `Translation` makes it, and nobody else sees it: it is a class so that going through
/// them copies nothing.
final class AttachedListener {
    let gateway: Gateway
    /// The Gateway, or the ListenerSet that adds the listener.
    let owner: Metadata
    let listener: Listener
    let addresses: [SocketAddress]
    let host: HostPattern
    /// Nil: one that nobody knows.
    let `protocol`: ListenerProtocol?
    /// `namespace/owner/listener`.
    let planName: String
    /// Why it is not accepted.
    var refusal: Refusal?
    /// The listeners of one port contradict each other.
    var conflict: String?
    /// Why its references do not resolve, or `allowedRoutes.kinds` names what it cannot carry.
    var unresolved: Refusal?
    var certificates: [CertificatePlan] = []
    /// What the Gateway says of client certificates; PEM.
    var clientAuthorities: [String] = []
    var clientValidation: TLSTerminationPlan.ClientValidation?
    /// A certificate authority of the Gateway's that does not resolve. The others hold without it.
    var frontendFault: Refusal?
    var attachments: [Attachment] = []

    init(
        gateway: Gateway, owner: Metadata, listener: Listener, addresses: [SocketAddress],
        host: HostPattern
    ) {
        self.gateway = gateway
        self.owner = owner
        self.listener = listener
        self.addresses = addresses
        self.host = host
        self.protocol = ListenerProtocol(rawValue: listener.protocol.value)
        planName = "\(owner.namespace)/\(owner.name)/\(listener.name.value)"
    }

    /// A route at a listener. It may have come by several parentRefs.
    struct Attachment {
        let route: Route
        let backends: ResolvedRoute
        /// The names that route and listener have in common.
        let hosts: [HostPattern]
    }

    struct HTTPSPlace: Hashable {
        let gateway: ObjectIdentity
        let port: UInt16
    }

    var httpsPlace: HTTPSPlace {
        HTTPSPlace(gateway: gateway.metadata.identity, port: listener.port.value)
    }

    /// Two names of their certificates that stand for one server.
    func certificateOverlap(
        _ other: AttachedListener
    ) -> (own: String, its: String)? {
        for own in certificates.flatMap(\.names) {
            for its in other.certificates.flatMap(\.names)
            where CertificateName(own).overlaps(CertificateName(its)) {
                return (own, its)
            }
        }
        return nil
    }

    var listenerSet: ObjectIdentity? {
        owner.identity == gateway.metadata.identity ? nil : owner.identity
    }

    var isServed: Bool { refusal == nil && (unresolved == nil || isResolvedEnough) }

    /// A kind that cannot attach does not keep the others out; a missing certificate does.
    private var isResolvedEnough: Bool { unresolved?.reason == "InvalidRouteKinds" }

    /// The kinds of routes that it takes.
    var kinds: [String] {
        let carried = self.protocol?.kinds(listener.tls?.isPassthrough ?? false) ?? []
        guard let wanted = listener.kinds else { return carried }
        return carried.filter { kind in
            wanted.contains { $0.group == Kind.gatewayGroup && $0.kind == kind }
        }
    }
}

/// `listeners[].protocol`.
enum ListenerProtocol: String, CaseIterable {
    case http = "HTTP"
    case https = "HTTPS"
    case tls = "TLS"
    case tcp = "TCP"
    case udp = "UDP"

    func kinds(_ isPassthrough: Bool) -> [String] {
        switch self {
        case .http, .https: ["HTTPRoute", "GRPCRoute"]
        case .tls: isPassthrough ? ["TLSRoute"] : ["TLSRoute", "TCPRoute"]
        case .tcp: ["TCPRoute"]
        case .udp: ["UDPRoute"]
        }
    }

    /// Listeners of one port go together when the same first bytes tell them apart.
    func shares(_ other: ListenerProtocol) -> Bool {
        switch (self, other) {
        case (.http, .http), (.https, .https), (.tls, .tls), (.https, .tls), (.tls, .https): true
        default: false
        }
    }
}

/// Sockets of different places never meet, whatever their addresses.
enum BindPlace: Hashable {
    case port(UInt16, isUDP: Bool)
    case unix(path: String)

    init(_ address: SocketAddress, isUDP: Bool) {
        switch address {
        case .ip(_, let port): self = .port(port, isUDP: isUDP)
        case .unix(let path): self = .unix(path: path)
        }
    }
}
