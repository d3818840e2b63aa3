/// A YAML value with its place. What the decoder reads; made by `Composer`.
struct Node: Sendable {
    enum Value: Sendable {
        case scalar(Scalar)
        case mapping([Entry])
        case sequence([Node])
    }

    struct Entry: Sendable {
        let key: String
        let keyPlace: SourcePlace
        let value: Node
    }

    let place: SourcePlace
    let value: Value

    /// Kubernetes drops a field whose value is null; it counts as absent.
    var isNull: Bool {
        if case .scalar(let scalar) = value { scalar.kind == .null } else { false }
    }

    /// The value in words, for "must be a string, not …".
    var article: String {
        switch value {
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .scalar(let scalar):
            switch scalar.kind {
            case .null: "null"
            case .boolean: "the boolean \(scalar.excerpt)"
            case .integer, .real: "the number \(scalar.excerpt)"
            case .text: "the string \"\(scalar.excerpt)\""
            }
        }
    }
}
