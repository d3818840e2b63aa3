/// Which object: its kind, namespace and name. The API group is implied by the kind, since no two
/// kinds that are read share a name.
public struct ObjectIdentity: Hashable, Sendable {
    public let kind: String
    public let namespace: String
    public let name: String

    public init(kind: String, namespace: String, name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// Objects without a namespace stand in this one, as `kubectl apply` puts them.
    public static let defaultNamespace = "default"
}

extension ObjectIdentity: CustomStringConvertible {
    public var description: String { "\(kind) \(namespace)/\(name)" }
}

extension ObjectIdentity: Comparable {
    public static func < (left: ObjectIdentity, right: ObjectIdentity) -> Bool {
        (left.namespace, left.name, left.kind) < (right.namespace, right.name, right.kind)
    }
}

/// What every object has: identity, age, generation, and where it was written. Never changed, and
/// referred to by all that is made of the object.
public final class Metadata: Sendable {
    public let identity: ObjectIdentity
    public let place: SourcePlace
    public let generation: Int64
    /// RFC 3339 in UTC, so that text order is time order; empty in files that were never applied,
    /// which makes those the oldest.
    public let creationTimestamp: String
    public let labels: [String: String]

    package init(
        identity: ObjectIdentity, place: SourcePlace, generation: Int64, creationTimestamp: String,
        labels: [String: String] = [:]
    ) {
        self.identity = identity
        self.place = place
        self.generation = generation
        self.creationTimestamp = creationTimestamp
        self.labels = labels
    }

    public var namespace: String { identity.namespace }
    public var name: String { identity.name }

    /// The Gateway API's order of precedence: the oldest first, then by `namespace/name`.
    package func precedes(_ other: Metadata) -> Bool {
        (creationTimestamp, identity.namespace, identity.name)
            < (other.creationTimestamp, other.identity.namespace, other.identity.name)
    }
}
