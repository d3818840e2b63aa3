import Manifest
import Primitives
import Routing

/// Objects to plan. Pure and deterministic: it depends on what the objects say and on their
/// precedence (age, then name), not on the order in which they were written.
func translate(_ objects: Objects) -> Translation {
    var translation = Translation(objects)
    translation.run()
    return translation
}

/// The state of one `translate()`: what was read, indexed, and what comes of it. Kept as long as
/// the plan is in force, so that endpoints may change in it.
struct Translation {
    var objects: Objects
    var index: ObjectIndex
    let log = FindingLog()
    let certificates = CertificateStore()
    var policies = PolicyIndex()
    var policyStates: [PolicyState] = []
    /// By precedence.
    let gateways: [Gateway]
    let routes: [Route]

    // MARK: Built on the way

    /// Backends that nothing may be sent to, and why.
    var invalidBackends: [ObjectIdentity: Refusal] = [:]
    var plan = Plan()
    var conditions: [Condition] = []
    var statuses: [ListenerStatus] = []
    /// Every listener of a Gateway that is served, its ListenerSets' included.
    var listeners: [AttachedListener] = []
    /// Those of a Gateway or ListenerSet, as indices into `listeners`.
    var listenersOfOwner: [ObjectIdentity: [Int]] = [:]
    /// Those that may meet on a port or path.
    var listenersAtPlace: [BindPlace: [Int]] = [:]
    /// Those that browsers may take for one another, as indices into `listeners`.
    var listenersOfHTTPS: [AttachedListener.HTTPSPlace: [Int]] = [:]
    /// Of each cluster of the plan.
    var clusterSources: [ClusterSource] = []
    /// Of the clusters of each name.
    var clusterIndices: [String: [Int]] = [:]
    /// Where policies of a listener may stand, the most specific place first; by its name in the
    /// plan.
    var policyChains: [String: [PolicyIndex.Target]] = [:]

    init(_ objects: Objects) {
        self.objects = objects
        index = ObjectIndex(objects)
        gateways = objects.gateways.sorted { $0.metadata.precedes($1.metadata) }
        routes = objects.routes.sorted { $0.metadata.precedes($1.metadata) }
    }

    mutating func run() {
        indexPolicies()
        for gatewayClass in objects.gatewayClasses.sorted(by: { $0.metadata.precedes($1.metadata) })
        {
            translate(gatewayClass)
        }
        let ofClasses = conditions
        conditions = []
        for gateway in gateways { collectListeners(of: gateway) }
        for backend in objects.backends.sorted(by: { $0.metadata.precedes($1.metadata) }) {
            translate(backend)
        }
        for route in routes { attach(route) }
        buildListeners()
        for (number, listener) in listeners.enumerated() where listener.protocol == .https {
            listenersOfHTTPS[listener.httpsPlace, default: []].append(number)
        }
        // What became of the Gateways is known last and said first.
        let ofOthers = conditions
        conditions = ofClasses
        for gateway in gateways { report(gateway) }
        reportPolicies()
        conditions += ofOthers
        // Nobody asks for these again.
        listeners = []
        listenersAtPlace = [:]
        listenersOfHTTPS = [:]
        policyStates = []
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
        rule: String, _ message: String
    ) {
        log.append(
            Finding(
                severity, .controller, at: place, object: object, path: path, rule: rule, message))
    }

    func isRefused(_ identity: ObjectIdentity) -> Bool { objects.refused.contains(identity) }
}

/// Why something is not taken: a condition's reason and sentence.
struct Refusal {
    let reason: String
    let message: String
}

/// What the Gateway API's status says of a listener besides its conditions.
public struct ListenerStatus: Hashable, Sendable {
    /// The Gateway or ListenerSet.
    public let owner: ObjectIdentity
    public let name: String
    /// Kinds of routes that may attach.
    public let supportedKinds: [String]
    public let attachedRoutes: Int
}
