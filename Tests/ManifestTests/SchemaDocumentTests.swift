import Testing

@testable import Manifest

@Suite("JSON Schema")
struct SchemaDocumentTests {
    private func written(_ schema: String, overlay: String = "") throws -> JSON {
        let text = SchemaText(
            kind: "K", group: "g", versions: ["v1"], text: schema, overlay: overlay)
        let document = SchemaWriter.json(SchemaParser.parse(text, overlay: !overlay.isEmpty))
        return try #require(document["properties"]?["a"])
    }

    @Test(
        "what a field must be is said in JSON Schema's words",
        arguments: [
            ("a string len=1..3", #"{"type":"string","minLength":1,"maxLength":3}"#),
            ("a string enum=x|y", #"{"type":"string","enum":["x","y"]}"#),
            ("a string\n  ~ ^x\n  = \"x\"", #"{"type":"string","pattern":"^x","default":"x"}"#),
            (
                "a string\n  ~ ^x\n  ~ y$",
                #"{"type":"string","allOf":[{"pattern":"^x"},{"pattern":"y$"}]}"#
            ),
            ("a string format=byte", #"{"type":"string","contentEncoding":"base64"}"#),
            ("a integer in=0..9", #"{"type":"integer","minimum":0,"maximum":9}"#),
            ("a integer in=1..", #"{"type":"integer","minimum":1}"#),
            ("a number", #"{"type":"number"}"#),
            ("a boolean\n  = false", #"{"type":"boolean","default":false}"#),
            ("a quantity", #"{"type":["number","string"]}"#),
            ("a any", "{}"),
            (
                "a []string n=1..2 set len=1..",
                #"{"type":"array","items":{"type":"string","minLength":1},"#
                    + #""uniqueItems":true,"minItems":1,"maxItems":2}"#
            ),
            (
                "a {}integer n=..2",
                #"{"type":"object","additionalProperties":{"type":"integer"},"maxProperties":2}"#
            ),
            (
                "a object\n  b! string\n  c! string\n    = \"x\"",
                #"{"type":"object","required":["b"],"properties":{"b":{"type":"string"},"#
                    + #""c":{"type":"string","default":"x"}},"additionalProperties":false}"#
            ),
            ("a any-object", #"{"type":"object"}"#),
            ("a string\na integer", #"{"anyOf":[{"type":"string"},{"type":"integer"}]}"#),
            (
                "a string\n  ? self != 'x'\n    > not x",
                #"{"type":"string","description":"Rule: not x.","x-kubernetes-validations":"#
                    + #"[{"rule":"self != 'x'","message":"not x"}]}"#
            ),
            (
                "a []object keys=n\n  n string",
                #"{"type":"array","items":{"type":"object","properties":"#
                    + #"{"n":{"type":"string"}},"additionalProperties":false},"#
                    + #""description":"No two items have the same n.","#
                    + #""x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["n"]}"#
            ),
        ])
    func words(schema: String, expected: String) throws {
        #expect(try written(schema).compact == expected)
    }

    @Test("what an overlay says of a field is said of it")
    func overlay() throws {
        let schema = "a object\n  type! string\n  http string\n  old string"
        let overlay = "a\n  type infer http=HTTP\n  old later nobody asks\n  old +boolean"
        let json = try written(schema, overlay: overlay)
        #expect(json["required"] == nil)
        #expect(
            json["allOf"]?.compact
                == #"[{"anyOf":[{"required":["type"]},{"required":["http"]}]}]"#)
        #expect(
            json["properties"]?["old"]?.compact
                == #"{"anyOf":[{"type":"string"},{"type":"boolean"}],"#
                + #""description":"Not served yet: nobody asks."}"#)
    }

    @Test("the document has every kind and version once, and a definition for each")
    func document() throws {
        let document = SchemaDocument.document(.union)
        let definitions = try #require(document["definitions"]?.fields)
        #expect(Set(definitions.map(\.name)).count == definitions.count)
        #expect(definitions.count == SchemaCatalog.texts.count + 1)
        let choices = try #require(document["allOf"]?.items)
        var pairs: Set<String> = []
        for choice in choices {
            let asked = try #require(choice["if"]?["properties"])
            let versions = try #require(asked["apiVersion"]?["enum"]?.items)
            for version in versions {
                let kind = try #require(asked["kind"]?["const"])
                #expect(pairs.insert(version.compact + kind.compact).inserted)
            }
            let reference = try #require(choice["then"]?["$ref"]?.compact)
            #expect(definitions.contains { reference == "\"#/definitions/\($0.name)\"" })
        }
        let versions = SchemaCatalog.texts.flatMap(\.versions).count
        #expect(pairs.count == versions + 1)
    }

    @Test("the older dialect of Backend is in the union and not in the CRDs'")
    func dialects() throws {
        for (dialect, isThere) in [(SchemaCatalog.Dialect.union, true), (.crd, false)] {
            let backend = SchemaDocument.document(dialect)["definitions"]?["Backend"]
            let spec = try #require(backend?["properties"]?["spec"]?["properties"])
            #expect((spec["appProtocol"] != nil) == isThere)
            #expect((spec["fallback"]?["anyOf"] != nil) == isThere)
        }
    }
}

extension JSON {
    subscript(name: String) -> JSON? { fields?.first { $0.name == name }?.value }

    var fields: [Field]? { if case .object(let fields) = self { fields } else { nil } }
    var items: [JSON]? { if case .array(let items) = self { items } else { nil } }

    /// Without white space between its parts.
    var compact: String {
        switch self {
        case .array(let items): "[" + items.map(\.compact).joined(separator: ",") + "]"
        case .object(let fields):
            "{"
                + fields.map { JSON.text($0.name).compact + ":" + $0.value.compact }
                .joined(separator: ",") + "}"
        case .null, .boolean, .integer, .real, .text: String(document.dropLast())
        }
    }
}
