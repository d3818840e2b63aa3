/// The JSON Schema of everything that is read, for editors to complete and check by: draft-07,
/// because that is what YAML language servers support best. Made of the schemas that documents are
/// held against, so that the two never disagree. A namespace; `apus schema` calls it.
///
/// It says all that JSON Schema can say. What it cannot (rules between fields, keys of lists)
/// stands in descriptions; and nulls, which the API server drops, are no values here: an editor had
/// better point at them.
package enum SchemaDocument {
    package static func document(_ dialect: SchemaCatalog.Dialect) -> JSON {
        var catalog = SchemaCatalog(dialect)
        var definitions: [JSON.Field] = []
        var choices: [JSON] = []
        for text in SchemaCatalog.texts {
            guard
                let schema = catalog.schema(
                    kind: text.kind, group: text.group, version: text.versions[0])
            else { preconditionFailure("no schema of \(text.kind) \(text.versions[0])") }
            let name = name(of: text)
            definitions.append(JSON.Field(name: name, value: SchemaWriter.json(schema)))
            choices.append(choice(versions(of: text), text.kind, "#/definitions/\(name)"))
        }
        let list = JSON.object([
            "properties": .object(["items": .object(["items": .object(["$ref": .text("#")])])])
        ])
        definitions.append(JSON.Field(name: "List", value: list))
        choices.append(choice(["v1"], "List", "#/definitions/List"))
        let strict = dialect == .crd ? ", as the API server takes it" : ""
        return .object([
            "$schema": .text("http://json-schema.org/draft-07/schema#"),
            "title": .text("A document that Apus reads" + strict),
            "type": .text("object"),
            "required": .array([.text("apiVersion"), .text("kind")]),
            "properties": .object([
                "apiVersion": suggestion(SchemaCatalog.texts.flatMap(versions)),
                "kind": suggestion(SchemaCatalog.texts.map(\.kind)),
            ]),
            "allOf": .array(choices),
            "definitions": .object(definitions),
        ])
    }

    /// Kinds whose versions differ have a definition for each.
    private static func name(of text: SchemaText) -> String {
        let twins = SchemaCatalog.texts.count { $0.kind == text.kind && $0.group == text.group }
        return twins == 1 ? text.kind : "\(text.kind).\(text.versions[0])"
    }

    private static func versions(of text: SchemaText) -> [String] {
        text.versions.map { text.group.isEmpty ? $0 : "\(text.group)/\($0)" }
    }

    private static func choice(_ versions: [String], _ kind: String, _ reference: String) -> JSON {
        .object([
            "if": .object([
                "required": .array([.text("apiVersion"), .text("kind")]),
                "properties": .object([
                    "apiVersion": .object(["enum": .array(versions.map(JSON.text))]),
                    "kind": .object(["const": .text(kind)]),
                ]),
            ]),
            "then": .object(["$ref": .text(reference)]),
        ])
    }

    /// Words to complete with. Others are no fault: documents of other kinds may stand in a file,
    /// and are left aside.
    private static func suggestion(_ words: [String]) -> JSON {
        var seen: Set<String> = []
        let once = words.filter { seen.insert($0).inserted }
        return .object([
            "anyOf": .array([
                .object(["enum": .array(once.map(JSON.text))]),
                .object(["type": .text("string")]),
            ])
        ])
    }
}

/// Writes one schema in the words of JSON Schema.
enum SchemaWriter {
    static func json(_ schema: Schema) -> JSON { .object(keywords(schema)) }

    private static func keywords(_ schema: Schema) -> [JSON.Field] {
        var writer = FieldList()
        shape(schema.shape, &writer)
        writer.add("enum", schema.words.isEmpty ? .null : .array(schema.words.map(JSON.text)))
        if schema.patterns.count == 1 {
            writer.add("pattern", .text(schema.patterns[0].text))
        } else if !schema.patterns.isEmpty {
            writer.add(
                "allOf", .array(schema.patterns.map { .object(["pattern": .text($0.text)]) }))
        }
        switch schema.format {
        case .base64: writer.add("contentEncoding", .text("base64"))
        case .ipv4, .ipv6, .time: writer.add("format", .text(schema.format?.rawValue))
        case nil: break
        }
        writer.add(bounds: schema.length, "minLength", "maxLength")
        writer.add(bounds: schema.range, "minimum", "maximum")
        switch schema.shape {
        case .list: writer.add(bounds: schema.count, "minItems", "maxItems")
        default: writer.add(bounds: schema.count, "minProperties", "maxProperties")
        }
        writer.add("default", schema.default.map(json) ?? .null)
        rules(schema, &writer)
        return writer.fields
    }

    private static func shape(_ shape: Schema.Shape, _ writer: inout FieldList) {
        switch shape {
        case .object(let fields, let allowsUnknown):
            writer.add("type", .text("object"))
            object(fields, &writer)
            if !allowsUnknown { writer.add("additionalProperties", .boolean(false)) }
        case .list(let item, _, let isSet):
            writer.add("type", .text("array"))
            writer.add("items", json(item))
            if isSet { writer.add("uniqueItems", .boolean(true)) }
        case .map(let value):
            writer.add("type", .text("object"))
            writer.add("additionalProperties", json(value))
        case .text: writer.add("type", .text("string"))
        case .integer: writer.add("type", .text("integer"))
        case .number: writer.add("type", .text("number"))
        case .boolean: writer.add("type", .text("boolean"))
        case .quantity: writer.add("type", .array([.text("number"), .text("string")]))
        case .any: break
        }
    }

    private static func object(_ fields: [Schema.Field], _ writer: inout FieldList) {
        // What has a default is never missing.
        let needed = fields.filter { $0.isRequired && $0.schemas[0].default == nil }
        let required = needed.filter(\.inferred.isEmpty)
        writer.add(
            "required",
            required.isEmpty ? .null : .array(required.map { .text($0.name) }))
        // A field that another one implies may be missing where that one is there.
        let implied = needed.filter { !$0.inferred.isEmpty }.map { field -> JSON in
            let names = [field.name] + field.inferred.map(\.other)
            return .object([
                "anyOf": .array(names.map { .object(["required": .array([.text($0)])]) })
            ])
        }
        writer.add("allOf", implied.isEmpty ? .null : .array(implied))
        let properties = fields.map { JSON.Field(name: $0.name, value: property($0)) }
        writer.add("properties", properties.isEmpty ? .null : .object(properties))
    }

    private static func property(_ field: Schema.Field) -> JSON {
        var writer = FieldList()
        if field.schemas.count == 1 {
            writer = FieldList(fields: keywords(field.schemas[0]))
        } else {
            writer.add("anyOf", .array(field.schemas.map(json)))
        }
        if let later = field.later {
            writer.describe(later.isEmpty ? "Not served yet." : "Not served yet: \(later).")
        }
        for inference in field.inferred {
            writer.describe("Where \(inference.other) is there, it may be left out.")
        }
        return .object(writer.fields)
    }

    /// Rules between fields: for people as a description, for programs in the words of the CRDs.
    private static func rules(_ schema: Schema, _ writer: inout FieldList) {
        if case .list(_, let keys, _) = schema.shape, !keys.isEmpty {
            writer.describe("No two items have the same \(keys.joined(separator: " and ")).")
            writer.add("x-kubernetes-list-type", .text("map"))
            writer.add("x-kubernetes-list-map-keys", .array(keys.map(JSON.text)))
        }
        guard !schema.rules.isEmpty else { return }
        for rule in schema.rules { writer.describe("Rule: \(rule.message).") }
        writer.add(
            "x-kubernetes-validations",
            .array(
                schema.rules.map {
                    .object([
                        "rule": .text($0.expression.source), "message": .text($0.message),
                    ])
                }))
    }

    /// The value of a default.
    private static func json(_ node: Node) -> JSON {
        switch node.value {
        case .sequence(let items): return .array(items.map(json))
        case .mapping(let entries):
            return .object(entries.map { JSON.Field(name: $0.key, value: json($0.value)) })
        case .scalar(let scalar):
            switch scalar.kind {
            case .null: return .null
            case .boolean(let value): return .boolean(value)
            case .integer(let value): return .integer(Int(value))
            case .real: preconditionFailure("a default that is no whole number: \(scalar.text)")
            case .text: return .text(scalar.text)
            }
        }
    }
}

/// The keywords of one schema, in the order in which they are added.
private struct FieldList {
    var fields: [JSON.Field] = []

    /// Nothing is added of null.
    mutating func add(_ name: String, _ value: JSON) {
        guard value != .null else { return }
        precondition(!fields.contains { $0.name == name }, "\(name) twice")
        fields.append(JSON.Field(name: name, value: value))
    }

    mutating func add(bounds: Schema.Bounds, _ least: String, _ most: String) {
        if let value = bounds.least { add(least, .integer(Int(value))) }
        if let value = bounds.most { add(most, .integer(Int(value))) }
    }

    /// Adds a sentence to the description.
    mutating func describe(_ sentence: String) {
        guard let place = fields.firstIndex(where: { $0.name == "description" }),
            case .text(let before) = fields[place].value
        else { return add("description", .text(sentence)) }
        fields[place] = JSON.Field(
            name: "description", value: .text(before + "\n" + sentence))
    }
}
