import Manifest
import Primitives
import Routing

/// Objects to plan. Pure and deterministic: it depends on what the objects say and on their
/// precedence (age, then name), not on the order in which they were written.
func translate(_ objects: Objects) -> (Plan, [Condition], [Finding]) {
    var translation = Translation(objects)
    translation.run()
    return (translation.plan, translation.conditions, translation.log.findings)
}

/// The state of one `translate()`: what was read, indexed, and what comes of it.
struct Translation {
    let objects: Objects
    let log = FindingLog()
    var plan = Plan()
    var conditions: [Condition] = []

    // MARK: Looked up by name

    let gateways: [Gateway]
    let gatewaysByIdentity: [ObjectIdentity: Gateway]
    let routes: [Route]
    let backends: [ObjectIdentity: Backend]
    var policies = PolicyIndex()

    // MARK: Built on the way

    /// The listeners that are served, in the plan's order.
    var listeners: [ServedListener] = []
    /// Those of a Gateway, and those that may meet on a port or path, as indices into `listeners`.
    var listenersOfGateway: [ObjectIdentity: [Int]] = [:]
    var listenersAtPlace: [BindPlace: [Int]] = [:]
    /// Which cluster stands for a Backend as a route reaches it with a policy.
    var clusterIndices: [ClusterKey: Int] = [:]
    /// What EndpointPolicies say about the flows of a cluster, by its index.
    var flowLimits: [Int: EndpointPolicy.UDP] = [:]

    /// A listener with what attachment asks of it. Its index is that of `plan.listeners`.
    struct ServedListener {
        let gateway: Gateway
        let listener: Gateway.Listener
        let addresses: [SocketAddress]
    }

    /// Sockets of different places never meet, whatever their addresses.
    enum BindPlace: Hashable {
        case port(UInt16, Route.Transport)
        case unix(path: String)

        init(_ address: SocketAddress, _ transport: Route.Transport) {
            switch address {
            case .ip(_, let port): self = .port(port, transport)
            case .unix(let path): self = .unix(path: path)
            }
        }
    }

    struct ClusterKey: Hashable {
        let backend: ObjectIdentity
        let route: ObjectIdentity
        let policy: ObjectIdentity?
    }

    init(_ objects: Objects) {
        self.objects = objects
        gateways = objects.gateways.sorted { $0.metadata.precedes($1.metadata) }
        gatewaysByIdentity = Dictionary(
            objects.gateways.map { ($0.metadata.identity, $0) },
            uniquingKeysWith: { first, _ in first })
        routes = objects.routes.sorted { $0.metadata.precedes($1.metadata) }
        backends = Dictionary(
            objects.backends.map { ($0.metadata.identity, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    mutating func run() {
        indexPolicies()
        for gateway in gateways { translate(gateway) }
        for backend in objects.backends.sorted(by: { $0.metadata.precedes($1.metadata) }) {
            translate(backend)
        }
        for route in routes { attach(route) }
        applyFlowCaps()
    }

    // MARK: - What comes of it

    mutating func condition(
        _ subject: Condition.Subject, of metadata: Metadata, _ type: String, _ status: Bool,
        _ reason: String, _ message: String = ""
    ) {
        conditions.append(
            Condition(
                subject: subject, type: type, status: status, reason: reason, message: message,
                observedGeneration: metadata.generation))
    }

    func report(
        _ severity: Finding.Severity, at place: SourcePlace, _ object: ObjectIdentity, path: String,
        _ message: String
    ) {
        log.append(
            Finding(severity, .controller, at: place, object: object, path: path, message))
    }
}
