/// A YAML value with its place. What the decoder reads; made by `Composer`.
package struct Node: Sendable {
    package enum Value: Sendable {
        case scalar(Scalar)
        case mapping([Entry])
        case sequence([Node])
    }

    package struct Entry: Sendable {
        package let key: String
        package let keyPlace: SourcePlace
        package let value: Node

        package init(key: String, keyPlace: SourcePlace, value: Node) {
            self.key = key
            self.keyPlace = keyPlace
            self.value = value
        }
    }

    package let place: SourcePlace
    package let value: Value

    package init(place: SourcePlace, value: Value) {
        self.place = place
        self.value = value
    }

    /// Kubernetes drops a field whose value is null; it counts as absent.
    package var isNull: Bool {
        if case .scalar(let scalar) = value { scalar.kind == .null } else { false }
    }

    /// The value in words, for "must be a string, not …".
    package var article: String {
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
