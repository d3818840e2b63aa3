/// Holds a document against the schema of its kind, as the API server does before it stores an
/// object: every fault with its place, then the object as it would be stored, with defaults and
/// without nulls. A value of the function that validates; nothing is built while nothing is wrong.
package struct SchemaValidator {
    package enum UnknownFields: Sendable { case refuse, prune }

    private enum Step {
        case field(String)
        case item(Int)
    }

    private let log: FindingLog
    private let unknownFields: UnknownFields
    private var path: [Step] = []

    package init(log: FindingLog, unknownFields: UnknownFields = .refuse) {
        self.log = log
        self.unknownFields = unknownFields
    }

    /// The document as the API server would store it. What is wrong is in the log.
    package mutating func validated(_ document: Node, by schema: Schema) -> Node {
        check(document, schema)
    }

    // MARK: - Any value

    private mutating func check(_ node: Node, _ schema: Schema) -> Node {
        let errorsBefore = log.errorCount
        var result = node
        switch (schema.shape, node.value) {
        case (.any, _): break
        case (.object(let fields, let allowsUnknown), .mapping(let entries)):
            result = object(node, entries, fields, allowsUnknown)
            count(entries.count, schema, node, "fields")
        case (.map(let value), .mapping(let entries)):
            result = map(node, entries, value)
            count(entries.count, schema, node, "fields")
        case (.list(let item, let keys, let isSet), .sequence(let items)):
            result = list(node, items, item)
            count(items.count, schema, node, "items")
            if !keys.isEmpty { refuseTwins(result, keys) }
            if isSet { refuseTwins(result) }
        case (_, .scalar(let scalar)): check(scalar, node, schema)
        default: wrongType(node, schema)
        }
        // As the API server does: rules speak of values whose types are right.
        guard !schema.rules.isEmpty, log.errorCount == errorsBefore else { return result }
        for rule in schema.rules {
            switch rule.expression.isTrue(self: result) {
            case .isTrue: break
            // What cannot be evaluated is refused as well, as by the API server.
            case .isFalse, .failed: fault(node, "rule", rule.message)
            }
        }
        return result
    }

    private func wrongType(_ node: Node, _ schema: Schema) {
        fault(node, "type", "must be \(schema.article), not \(node.article)")
    }

    private func count(_ count: Int, _ schema: Schema, _ node: Node, _ what: String) {
        let bounds = schema.count
        guard Int64(count) < bounds.least ?? 0 || Int64(count) > bounds.most ?? .max else { return }
        fault(node, "count", "has \(count) \(what); \(Self.allowed(bounds)) are allowed")
    }

    private static func allowed(_ bounds: Schema.Bounds) -> String {
        switch (bounds.least, bounds.most) {
        case (let least?, let most?): "\(least) to \(most)"
        case (let least?, nil): "at least \(least)"
        case (nil, let most?): "at most \(most)"
        case (nil, nil): "any"
        }
    }

    // MARK: - Objects

    private mutating func object(
        _ node: Node, _ entries: [Node.Entry], _ fields: [Schema.Field], _ allowsUnknown: Bool
    ) -> Node {
        var kept: [Node.Entry] = []
        kept.reserveCapacity(entries.count + 2)
        for entry in entries {
            guard let field = fields.first(where: { $0.name == entry.key }) else {
                if allowsUnknown {
                    kept.append(entry)
                } else if unknownFields == .refuse {
                    refuse(entry, fields)
                }
                continue
            }
            // The API server drops nulls.
            guard !entry.value.isNull else { continue }
            path.append(.field(entry.key))
            if let later = field.later {
                log.notServed(
                    at: entry.keyPlace, path: text(of: path),
                    later.isEmpty ? "not served yet" : later)
            }
            if let schema = schema(for: entry.value, of: field) {
                let value = check(entry.value, schema)
                kept.append(Node.Entry(key: entry.key, keyPlace: entry.keyPlace, value: value))
            }
            path.removeLast()
        }
        for field in fields where !kept.contains(where: { $0.key == field.name }) {
            if let value = absent(field, node, kept) {
                kept.append(Node.Entry(key: field.name, keyPlace: node.place, value: value))
            }
        }
        return Node(place: node.place, value: .mapping(kept))
    }

    /// Of several node types the one that the value has; nil, and reported, when it has none.
    private func schema(for node: Node, of field: Schema.Field) -> Schema? {
        guard field.schemas.count > 1 else { return field.schemas[0] }
        if let schema = field.schemas.first(where: { $0.takes(node) }) { return schema }
        let wanted = field.schemas.map(\.article).joined(separator: " or ")
        fault(node, "type", "must be \(wanted), not \(node.article)")
        return nil
    }

    /// What an absent field is; nil = it stays absent.
    private mutating func absent(
        _ field: Schema.Field, _ node: Node, _ others: [Node.Entry]
    ) -> Node? {
        if let value = field.schemas[0].default {
            return relocated(value, to: node.place)
        }
        for inference in field.inferred where others.contains(where: { $0.key == inference.other })
        {
            return Node(
                place: node.place, value: .scalar(Scalar(inference.value, isText: true)))
        }
        if field.isRequired {
            path.append(.field(field.name))
            fault(node, "required", "is missing; it is required")
            path.removeLast()
        }
        return nil
    }

    /// A default stands where the mapping stands that lacks it.
    private func relocated(_ node: Node, to place: SourcePlace) -> Node {
        let value: Node.Value =
            switch node.value {
            case .scalar: node.value
            case .sequence(let items): .sequence(items.map { relocated($0, to: place) })
            case .mapping(let entries):
                .mapping(
                    entries.map {
                        Node.Entry(
                            key: $0.key, keyPlace: place, value: relocated($0.value, to: place))
                    })
            }
        return Node(place: place, value: value)
    }

    private func refuse(_ entry: Node.Entry, _ fields: [Schema.Field]) {
        let known = fields.map(\.name)
        let message: String
        if let nearest = Suggestion.nearest(to: entry.key, among: known) {
            message = "unknown field; did you mean \(nearest)?"
        } else if known.isEmpty {
            message = "unknown field; remove it"
        } else {
            message = "unknown field; known are \(known.sorted().joined(separator: ", "))"
        }
        log.error(
            at: entry.keyPlace,
            path: text(of: path + [.field(Scalar(entry.key, isText: true).excerpt)]),
            rule: "unknown-field", message)
    }

    private mutating func map(_ node: Node, _ entries: [Node.Entry], _ schema: Schema) -> Node {
        var kept: [Node.Entry] = []
        for entry in entries where !entry.value.isNull {
            path.append(.field(entry.key))
            kept.append(
                Node.Entry(
                    key: entry.key, keyPlace: entry.keyPlace, value: check(entry.value, schema)))
            path.removeLast()
        }
        return Node(place: node.place, value: .mapping(kept))
    }

    // MARK: - Lists

    private mutating func list(_ node: Node, _ items: [Node], _ schema: Schema) -> Node {
        var kept: [Node] = []
        kept.reserveCapacity(items.count)
        for (number, item) in items.enumerated() {
            path.append(.item(number))
            kept.append(check(item, schema))
            path.removeLast()
        }
        return Node(place: node.place, value: .sequence(kept))
    }

    /// No two items may have the same values in `keys`.
    private mutating func refuseTwins(_ node: Node, _ keys: [String] = []) {
        guard case .sequence(let items) = node.value, items.count > 1 else { return }
        var lines: [[String?]: Int] = [:]
        for (number, item) in items.enumerated() {
            let identity = keys.isEmpty ? [Self.scalar(item)] : keys.map { Self.scalar(item, $0) }
            guard let line = lines[identity] else {
                lines[identity] = item.place.line
                continue
            }
            path.append(.item(number))
            let shown = identity.compactMap { $0 }.joined(separator: "/")
            fault(item, "duplicate", "\(shown) is in the list already, on line \(line)")
            path.removeLast()
        }
    }

    private static func scalar(_ node: Node, _ key: String? = nil) -> String? {
        switch node.value {
        case .scalar(let scalar): scalar.text
        case .mapping(let entries):
            key.flatMap { key in entries.first { $0.key == key } }.flatMap { scalar($0.value) }
        case .sequence: nil
        }
    }

    // MARK: - Scalars

    private func check(_ scalar: Scalar, _ node: Node, _ schema: Schema) {
        switch (schema.shape, scalar.kind) {
        case (.text, .text): check(text: scalar, node, schema)
        case (.text, _):
            fault(
                node, "type",
                "must be a string, not \(node.article); if that is meant, put it in quotes")
        case (.integer, .integer(let value)), (.number, .integer(let value)):
            let bounds = schema.range
            guard value < bounds.least ?? .min || value > bounds.most ?? .max else { return }
            fault(node, "range", "\(value) is outside \(Self.allowed(bounds))")
        case (.number, .real), (.boolean, .boolean): break
        case (.integer, .text) where Int64(scalar.text) != nil:
            fault(
                node, "type", "must be a whole number, not \(node.article); remove the quotes")
        case (.quantity, .integer), (.quantity, .text), (.quantity, .real):
            checkPatterns(scalar, node, schema)
        default: wrongType(node, schema)
        }
    }

    private func check(text scalar: Scalar, _ node: Node, _ schema: Schema) {
        if !schema.words.isEmpty, !schema.words.contains(scalar.text) {
            let nearest = Suggestion.nearest(to: scalar.text, among: schema.words)
            let hint = nearest.map { "; did you mean \($0)?" } ?? ""
            return fault(
                node, "enum",
                "\"\(scalar.excerpt)\" is none of \(schema.words.joined(separator: ", "))\(hint)")
        }
        let bounds = schema.length
        if bounds.least != nil || bounds.most != nil {
            let length = Int64(scalar.text.unicodeScalars.count)
            guard length >= bounds.least ?? 0, length <= bounds.most ?? .max else {
                return fault(
                    node, "length",
                    length == 0
                        ? "is empty"
                        : "has \(length) characters; \(Self.allowed(bounds)) are allowed")
            }
        }
        checkPatterns(scalar, node, schema)
        if let format = schema.format, !format.holds(scalar.text) {
            fault(node, "format", "\"\(scalar.excerpt)\" is no \(format.article)")
        }
    }

    private func checkPatterns(_ scalar: Scalar, _ node: Node, _ schema: Schema) {
        for pattern in schema.patterns where !pattern.matches(scalar.text) {
            let fix = PatternHint.text(for: pattern.text) ?? "it must match \(pattern.text)"
            fault(node, "pattern", "\"\(scalar.excerpt)\" is not valid; \(fix)")
        }
    }

    // MARK: - Faults

    private func fault(_ node: Node, _ rule: String, _ message: String) {
        log.error(at: node.place, path: text(of: path), rule: rule, message)
    }

    private func text(of path: [Step]) -> String {
        var text = ""
        for step in path {
            switch step {
            case .field(let name): text += text.isEmpty ? name : ".\(name)"
            case .item(let number): text += "[\(number)]"
            }
        }
        return text
    }
}

extension Schema {
    /// What it takes, in words.
    fileprivate var article: String {
        switch shape {
        case .object, .map: "a mapping"
        case .list: "a list"
        case .text, .any: "a string"
        case .integer: "a whole number"
        case .number: "a number"
        case .boolean: "true or false"
        case .quantity: "a number or a quantity such as 32Ki"
        }
    }
}

extension Schema.Format {
    var article: String {
        switch self {
        case .base64: "base64 (RFC 4648)"
        case .ipv4: "IPv4 address"
        case .ipv6: "IPv6 address"
        case .time: "time (RFC 3339)"
        }
    }

    /// Base64 alone is looked at: whoever decodes the others says better what is wrong.
    func holds(_ text: String) -> Bool {
        guard self == .base64 else { return true }
        let bytes = text.utf8.filter { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: " ") }
        return bytes.count % 4 == 0
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"),
                    UInt8(ascii: "="):
                    true
                default: false
                }
            }
    }
}

/// What the patterns that recur in the CRDs mean, in words.
enum PatternHint {
    private static let texts = [
        "^([0-9]{1,5}(h|m|s|ms)){1,4}$":
            "write whole numbers with h, m, s or ms, as in 1h30m or 500ms",
        #"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"#:
            "write lowercase letters, digits, hyphens and dots",
        #"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\.?$"#:
            "write lowercase letters, digits, hyphens and dots",
        #"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"#:
            "write a host name in lowercase, with *. before it for all names under it",
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$": "write lowercase letters, digits and hyphens",
        #"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"#:
            "write an API group such as gateway.networking.k8s.io",
        "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$": "write a kind such as Gateway",
    ]

    static func text(for pattern: String) -> String? { texts[pattern] }
}
