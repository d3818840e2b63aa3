import Testing

@testable import Manifest

@Suite("Schemas")
struct SchemaTests {
    /// Holds a document against a schema in the notation, with an overlay.
    private func findings(
        _ yaml: String, _ schema: String, overlay: String = "",
        unknownFields: SchemaValidator.UnknownFields = .refuse
    ) throws -> (findings: [String], document: Node) {
        let log = FindingLog()
        var composer = Composer(file: "f", log: log)
        let document = try #require(composer.documents(of: yaml).first)
        let text = SchemaText(
            kind: "K", group: "g", versions: ["v1"], text: schema, overlay: overlay)
        var validator = SchemaValidator(log: log, unknownFields: unknownFields)
        let valid = validator.validated(
            document, by: SchemaParser.parse(text, overlay: !overlay.isEmpty))
        return (log.findings.map { "\($0.place.column) \($0.path): \($0.message)" }, valid)
    }

    @Test("every text is read, with its overlay and without")
    func texts() {
        for text in SchemaCatalog.texts {
            for dialect in [SchemaCatalog.Dialect.union, .crd] {
                var catalog = SchemaCatalog(dialect)
                for version in text.versions {
                    let schema = catalog.schema(
                        kind: text.kind, group: text.group, version: version)
                    #expect(schema != nil, "\(text.kind) \(version)")
                }
            }
        }
        #expect(Set(SchemaCatalog.texts.map(\.kind)).count == 22)
        var catalog = SchemaCatalog()
        #expect(catalog.schema(kind: "Backend", group: "", version: "v1alpha1") == nil)
        #expect(
            catalog.schema(kind: "Gateway", group: "gateway.networking.k8s.io", version: "v9")
                == nil)
    }

    @Test(
        "what a schema asks is asked, with the place of the fault",
        arguments: [
            (
                "a: 1", "a string",
                ["4 a: must be a string, not the number 1; if that is meant, put it in quotes"]
            ),
            ("a: [1]", "a string", ["4 a: must be a string, not a list"]),
            ("a: x", "a string enum=y|z", ["4 a: \"x\" is none of y, z; did you mean y?"]),
            ("a: ''", "a string len=1..3", ["4 a: is empty"]),
            ("a: 'äöüß'", "a string len=1..3", ["4 a: has 4 characters; 1 to 3 are allowed"]),
            ("a: 'äöü'", "a string len=1..3", []),
            ("a: B", "a string\n  ~ ^[a-z]+$", ["4 a: \"B\" is not valid; it must match ^[a-z]+$"]),
            ("a: 1h", "a string\n  ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$", []),
            ("a: 0", "a integer in=1..9", ["4 a: 0 is outside 1 to 9"]),
            ("a: 10", "a integer in=..9", ["4 a: 10 is outside at most 9"]),
            ("a: 9", "a integer in=1..9", []),
            (
                "a: '9'", "a integer in=1..9",
                ["4 a: must be a whole number, not the string \"9\"; remove the quotes"]
            ),
            ("a: 1.5", "a integer", ["4 a: must be a whole number, not the number 1.5"]),
            ("a: 1.5", "a number", []),
            ("a: maybe", "a boolean", ["4 a: must be true or false, not the string \"maybe\""]),
            ("a: 32Ki", "a quantity", []),
            ("a: 32", "a quantity", []),
            (
                "a: [x]", "a quantity",
                ["4 a: must be a number or a quantity such as 32Ki, not a list"]
            ),
            ("a: Zm9v", "a string format=byte", []),
            ("a: Zm9", "a string format=byte", ["4 a: \"Zm9\" is no base64 (RFC 4648)"]),
            ("a: []", "a []string n=1..2", ["4 a: has 0 items; 1 to 2 are allowed"]),
            (
                "a: [x, 1]", "a []string",
                ["8 a[1]: must be a string, not the number 1; if that is meant, put it in quotes"]
            ),
            ("a: [x, x]", "a []string set", ["8 a[1]: x is in the list already, on line 1"]),
            (
                "a: [{n: x}, {n: x}]", "a []object keys=n\n  n string",
                ["13 a[1]: x is in the list already, on line 1"]
            ),
            (
                "a: {x: 1}", "a {}string",
                ["8 a.x: must be a string, not the number 1; if that is meant, put it in quotes"]
            ),
            ("a: {x: z}", "a {}string n=2..", ["4 a: has 1 fields; at least 2 are allowed"]),
            (
                "b: 1", "a! string",
                ["1 b: unknown field; did you mean a?", "1 a: is missing; it is required"]
            ),
            ("a: null", "a! string", ["1 a: is missing; it is required"]),
            ("a: {b: 1}", "a any-object", []),
            ("a: {b: [1, {c: d}]}", "a any", []),
            ("a: x", "a string\n  ? self == 'y'\n    > say y", ["4 a: say y"]),
            (
                "a: [x]", "a []string\n  ?? self.size() == 2\n    > two of them",
                ["4 a: two of them"]
            ),
            (
                "a: {b: 1}", "a object\n  ? self.b == 2\n    > b is two\n  b string",
                ["8 a.b: must be a string, not the number 1; if that is meant, put it in quotes"]
            ),
        ])
    func constraint(yaml: String, schema: String, expected: [String]) throws {
        #expect(try findings(yaml, schema).findings == expected)
    }

    @Test("lines that fields share are written once")
    func definitions() throws {
        let schema = "def ref\n  name! string\na object @ref\nb object @ref"
        #expect(
            try findings("{a: {name: x}, b: {}}", schema).findings == [
                "19 b.name: is missing; it is required"
            ])
    }

    @Test("defaults are filled in where they are missing, and stand where the mapping stands")
    func defaults() throws {
        let schema = "a object\n  b string\n    = \"x\"\n  c []integer\n    == [1, 2]"
        let document = try findings("a: {}", schema).document
        guard case .mapping(let root) = document.value,
            case .mapping(let fields) = root[0].value.value
        else { throw Unexpected() }
        #expect(fields.map(\.key) == ["b", "c"])
        #expect(fields.allSatisfy { $0.value.place == root[0].value.place })
    }

    @Test("rules see defaults")
    func defaultsInRules() throws {
        let schema = "a object\n  ? self.b == 'x'\n    > b is x\n  b string\n    = \"x\""
        #expect(try findings("a: {}", schema).findings.isEmpty)
    }

    @Test("unknown fields are left out where that is asked")
    func prune() throws {
        let (findings, document) = try findings("{a: x, b: y}", "a string", unknownFields: .prune)
        guard case .mapping(let fields) = document.value else { throw Unexpected() }
        #expect(findings.isEmpty)
        #expect(fields.map(\.key) == ["a"])
    }

    @Test("an overlay adds node types and fields, and takes rules, patterns and duties away")
    func overlay() throws {
        let schema = """
            a! object
              ? false
                > never
              b! string
                ~ ^x$
            """
        let overlay = """
            a
              - never
              b optional
              b free
              b +[]integer
              c +boolean
            """
        for yaml in ["a: {}", "a: {b: z}", "a: {b: [1]}", "a: {c: true}"] {
            #expect(try findings(yaml, schema, overlay: overlay).findings.isEmpty, "\(yaml)")
            #expect(try !findings(yaml, schema).findings.isEmpty, "\(yaml)")
        }
        #expect(
            try findings("a: {b: {}}", schema, overlay: overlay).findings == [
                "8 a.b: must be a string or a list, not a mapping"
            ])
    }

    @Test("a field that nobody acts on is warned of, and one that is implied is there")
    func laterAndInferred() throws {
        let schema =
            "a object\nb object\n  ? self.type == 'X'\n    > type is X\n  type string\n  x any"
        let overlay = "a later not yet\nb\n  type infer x=X"
        #expect(
            try findings("{a: {}, b: {x: 1}}", schema, overlay: overlay).findings == [
                "2 a: not yet"
            ])
    }

    private struct Unexpected: Error {}
}
