/// The schemas of every kind that is read, each parsed when it is first asked for. Owned by whoever
/// reads a configuration.
package struct SchemaCatalog {
    package enum Dialect: Sendable {
        /// The real CRDs, the older dialect of Backend, and what is our own.
        case union
        /// Nothing that the real CRDs refuse.
        case crd
    }

    private struct Key: Hashable {
        let kind: String
        let group: String
        let version: String
    }

    package static let texts: [SchemaText] = [
        SchemaText.gatewayClass, SchemaText.gateway, SchemaText.listenerSet, SchemaText.httpRoute,
        SchemaText.grpcRoute, SchemaText.tlsRoute, SchemaText.tcpRoute, SchemaText.udpRoute,
        SchemaText.referenceGrant, SchemaText.backendTLSPolicy, SchemaText.backend,
        SchemaText.backendTrafficPolicy, SchemaText.clientTrafficPolicy, SchemaText.securityPolicy,
        SchemaText.httpRouteFilter, SchemaText.core, SchemaText.own,
    ].flatMap { $0 }

    /// What every object has (`ObjectMeta`), and what a server adds to it.
    private static let common = """
        apiVersion! string
        kind! string
        metadata! object
          annotations {}string
          creationTimestamp string
          deletionGracePeriodSeconds integer
          deletionTimestamp string
          finalizers []string
          generateName string
          generation integer in=0..
          labels {}string
          managedFields any
          name! string len=1..253
            ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
          namespace string len=1..63
            ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
          ownerReferences any
          resourceVersion string
          selfLink string
          uid string
        status any

        """

    package let dialect: Dialect
    private var schemas: [Key: Schema] = [:]

    package init(_ dialect: Dialect = .union) { self.dialect = dialect }

    /// Nil = there is no such version of the kind.
    package mutating func schema(kind: String, group: String, version: String) -> Schema? {
        let key = Key(kind: kind, group: group, version: version)
        if let known = schemas[key] { return known }
        let found = Self.texts.first { text in
            text.kind == kind && text.group == group && text.versions.contains(version)
        }
        guard let text = found else { return nil }
        let overlay = dialect == .union ? SchemaText.overlays[kind] ?? "" : ""
        let schema = SchemaParser.parse(
            SchemaText(
                kind: kind, group: group, versions: text.versions, text: Self.common + text.text,
                overlay: overlay),
            overlay: dialect == .union)
        schemas[key] = schema
        return schema
    }

    /// The versions that a kind has, in the order of its text.
    package static func versions(kind: String, group: String) -> [String] {
        texts.filter { $0.kind == kind && $0.group == group }.flatMap(\.versions)
    }
}
