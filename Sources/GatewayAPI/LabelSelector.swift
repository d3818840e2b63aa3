import Manifest

/// Which labels an object must have (Kubernetes `LabelSelector`): all of it; nothing asked for =
/// every object.
struct LabelSelector: Sendable {
    struct Requirement: Sendable {
        enum Relation: String, Sendable {
            case isIn = "In"
            case isNotIn = "NotIn"
            case exists = "Exists"
            case doesNotExist = "DoesNotExist"
        }

        let key: String
        let relation: Relation
        let values: [String]

        func matches(_ labels: [String: String]) -> Bool {
            let value = labels[key]
            return switch relation {
            case .isIn: value.map(values.contains) ?? false
            case .isNotIn: !(value.map(values.contains) ?? false)
            case .exists: value != nil
            case .doesNotExist: value == nil
            }
        }
    }

    let requirements: [Requirement]

    func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { $0.matches(labels) }
    }
}

extension LabelSelector {
    /// Reads `matchLabels` and `matchExpressions`.
    init(_ fields: Fields) {
        let labels = fields.mapping("matchLabels")?.texts ?? []
        requirements =
            labels.map { Requirement(key: $0.key, relation: .isIn, values: [$0.value]) }
            + fields.mappings("matchExpressions").compactMap { fields in
                guard let key = fields.text("key"), let word = fields.text("operator"),
                    let relation = Requirement.Relation(rawValue: word.value)
                else { return nil }
                let values = fields.texts("values").map(\.value)
                return Requirement(key: key.value, relation: relation, values: values)
            }
    }
}
