import Manifest

/// A reference to another object, as written: kind and name, and the namespace if it may differ
/// from the referring object's.
struct ObjectReference: Equatable, Sendable {
    let group: String
    let kind: String
    let namespace: String
    let name: Located<String>
    /// Of the field, as in `spec.rules[0].backendRefs[0]`.
    let path: String

    var identity: ObjectIdentity {
        ObjectIdentity(kind: kind, namespace: namespace, name: name.value)
    }
}

extension ObjectReference {
    /// Reads `group`, `kind`, `namespace` and `name`; the caller reads the rest.
    /// - Parameters:
    ///   - group, kind: what is meant where they are left out.
    ///   - namespace: of the referring object.
    init?(_ fields: Fields, group: String = "", kind: String, namespace: String) {
        guard let name = fields.text("name") else { return nil }
        self.name = name
        self.group = fields.text("group")?.value ?? group
        self.kind = fields.text("kind")?.value ?? kind
        self.namespace = fields.text("namespace")?.value ?? namespace
        path = fields.path
    }
}
