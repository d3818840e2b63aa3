/// What a value must be: the part of a CustomResourceDefinition's OpenAPI schema that says
/// something of it. Immutable; made once a kind by `SchemaParser`, shared by all who validate.
package final class Schema: Sendable {
    package enum Shape: Sendable {
        case object([Field], allowsUnknown: Bool)
        /// `keys`: no two items may be alike in these fields (`x-kubernetes-list-map-keys`).
        case list(Schema, keys: [String], isSet: Bool)
        case map(Schema)
        case text
        case integer
        case number
        case boolean
        /// A number or a Kubernetes quantity (`x-kubernetes-int-or-string`).
        case quantity
        case any
    }

    package struct Field: Sendable {
        package let name: String
        package let isRequired: Bool
        /// Of different node types: which one holds is told by the value alone.
        package let schemas: [Schema]
        /// Understood by nobody here yet, and why.
        package let later: String?
        /// What an absent field is when another is there: `(other, value)`.
        package let inferred: [Inference]
    }

    package struct Inference: Sendable {
        let other: String
        let value: String
    }

    package struct Rule: Sendable {
        package let expression: Expression
        package let message: String
    }

    package struct Bounds: Sendable {
        package var least: Int64?
        package var most: Int64?
    }

    package enum Format: String, Sendable {
        case base64 = "byte"
        case ipv4, ipv6
        case time = "date-time"
    }

    package let shape: Shape
    package let words: [String]
    package let patterns: [Pattern]
    package let format: Format?
    /// In Unicode scalars.
    package let length: Bounds
    /// Items of a list, fields of a map or object.
    package let count: Bounds
    package let range: Bounds
    package let rules: [Rule]
    package let `default`: Node?

    init(_ draft: SchemaDraft) {
        shape = draft.shape
        words = draft.words
        patterns = draft.patterns
        format = draft.format
        length = draft.length
        count = draft.count
        range = draft.range
        rules = draft.rules
        self.default = draft.default
    }

    /// Whether a value of this node type can be meant.
    func takes(_ node: Node) -> Bool {
        switch (shape, node.value) {
        case (.any, _): true
        case (.object, .mapping), (.map, .mapping): true
        case (.list, .sequence): true
        case (.object, _), (.map, _), (.list, _): false
        case (.boolean, .scalar(let scalar)): if case .boolean = scalar.kind { true } else { false }
        case (_, .scalar): true
        default: false
        }
    }
}

/// A schema while it is read: what `Schema` will be, without the promise to stay.
struct SchemaDraft {
    var shape = Schema.Shape.any
    var words: [String] = []
    var patterns: [Pattern] = []
    var format: Schema.Format?
    var length = Schema.Bounds()
    var count = Schema.Bounds()
    var range = Schema.Bounds()
    var rules: [Schema.Rule] = []
    var `default`: Node?
}
