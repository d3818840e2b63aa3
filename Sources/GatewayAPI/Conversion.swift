import Manifest
import Routing

/// The way from what Apus reads to what the real CRDs take: the older dialect of Backend, and what
/// else is ours alone, written as Envoy Gateway reads it. Pure. Either everything can be said there
/// and means the same, or nothing is written and every obstacle is named.
public struct Conversion {
    public struct Result: Sendable {
        /// With the paths that were given; empty when there are errors.
        public let files: [Configuration.File]
        /// Errors: why there is nothing. Warnings: what is not quite the same.
        public let findings: [Finding]
        /// How many documents were written anew.
        public let changedCount: Int

        public var hasErrors: Bool { findings.contains { $0.severity == .error } }
    }

    /// A piece of a file and the documents in it.
    private struct Piece {
        let text: String
        let linesBefore: Int
        let documents: [Node]
    }

    /// What a document becomes: several, where an object becomes several.
    private struct Outcome {
        var documents: [Node]
        var isChanged = false
    }

    let objects: Objects
    let index: ObjectIndex
    let routes: [ObjectIdentity: Route]
    /// Backends that do not stay as they are, and those that are referred to.
    var changes: [ObjectIdentity: BackendChange] = [:]
    /// Documents to put after that of the Backend which needs them first.
    var twins: [ObjectIdentity: [Node]] = [:]
    /// Those of a Backend in its own namespace: what is about it is about them.
    var twinNames: [ObjectIdentity: [String]] = [:]
    var names: FreeNames
    var knownTwins: [TwinKey: [String]] = [:]
    /// By the rules of routes.
    let referred: Set<ObjectIdentity>
    private(set) var findings: [Finding] = []
    private var strictCatalog: SchemaCatalog

    public static func convert(files: [Configuration.File]) -> Result {
        var reader = ConfigurationReader()
        var strictCatalog = SchemaCatalog(.crd)
        return convert(files: files, &reader, &strictCatalog)
    }

    /// For who converts often: parsing the schemas takes longer than a small file.
    static func convert(
        files: [Configuration.File], _ reader: inout ConfigurationReader,
        _ strictCatalog: inout SchemaCatalog
    ) -> Result {
        let errors = reader.load(files: files).findings.filter {
            $0.severity == .error && $0.layer != .controller
        }
        guard errors.isEmpty else {
            return Result(files: [], findings: errors, changedCount: 0)
        }
        let sources = files.map { (file: $0, pieces: pieces(of: $0)) }
        let documents = sources.flatMap(\.pieces).flatMap(\.documents)
        var conversion = Conversion(documents, reader.catalog, strictCatalog)
        defer { strictCatalog = conversion.strictCatalog }
        return conversion.run(sources)
    }

    private init(
        _ documents: [Node], _ catalog: SchemaCatalog, _ strictCatalog: SchemaCatalog
    ) {
        self.strictCatalog = strictCatalog
        var decoder = ObjectDecoder(
            log: FindingLog(), options: Configuration.Options(), catalog: catalog)
        for document in documents { decoder.decode(document) }
        objects = decoder.objects
        index = ObjectIndex(decoder.objects)
        routes = Dictionary(
            objects.routes.map { ($0.metadata.identity, $0) },
            uniquingKeysWith: { first, _ in first })
        referred = Set(
            decoder.objects.routes.flatMap(\.rules).flatMap(\.backends).map(\.reference.identity))
        names = FreeNames(Set(decoder.defined.map(\.identity)))
        var nodes: [SourcePlace: Node] = [:]
        for document in documents {
            for object in Self.objects(in: document) { nodes[object.place] = object }
        }
        for backend in objects.backends {
            guard let node = nodes[backend.metadata.place] else { continue }
            changes[backend.metadata.identity] = BackendChange(backend: backend, node: node)
        }
    }

    private static func pieces(of file: Configuration.File) -> [Piece] {
        DocumentStream(file.text).parts.map { part in
            var composer = Composer(
                file: file.path, linesBefore: part.linesBefore, log: FindingLog())
            let text = String(part.text)
            return Piece(
                text: text, linesBefore: part.linesBefore, documents: composer.documents(of: text))
        }
    }

    /// The document, or what a List holds.
    private static func objects(in document: Node) -> [Node] {
        isList(document) ? document["items"]?.items ?? [] : [document]
    }

    private static func isList(_ document: Node) -> Bool {
        document["kind"]?.text == "List" && document["apiVersion"]?.text == "v1"
    }

    // MARK: - Running

    private mutating func run(
        _ sources: [(file: Configuration.File, pieces: [Piece])]
    ) -> Result {
        planBackends()
        var files: [Configuration.File] = []
        var changedCount = 0
        for (file, pieces) in sources {
            let outcomes = pieces.map { piece in piece.documents.map { convert($0) } }
            changedCount += outcomes.joined().count(where: \.isChanged)
            for document in outcomes.joined().flatMap(\.documents) { checkStrictly(document) }
            files.append((file.path, written(file, Array(zip(pieces, outcomes)))))
        }
        let hasErrors = findings.contains { $0.severity == .error }
        return Result(
            files: hasErrors ? [] : files, findings: findings.sorted(by: Self.isEarlier),
            changedCount: changedCount)
    }

    private static func isEarlier(_ left: Finding, _ right: Finding) -> Bool {
        (left.place.file, left.place.line, left.place.column, left.message)
            < (right.place.file, right.place.line, right.place.column, right.message)
    }

    private mutating func convert(_ document: Node) -> Outcome {
        guard Self.isList(document) else { return convert(object: document) }
        var isChanged = false
        let items = document["items"]?.replacingItems { item in
            let outcome = convert(object: item)
            isChanged = isChanged || outcome.isChanged
            return outcome.documents
        }
        guard isChanged, let items else { return Outcome(documents: [document]) }
        return Outcome(documents: [document.setting("items", items)], isChanged: true)
    }

    private mutating func convert(object: Node) -> Outcome {
        guard let kind = Kind(rawValue: object["kind"]?.text ?? ""),
            let name = object["metadata"]?["name"]?.text
        else { return Outcome(documents: [object]) }
        let identity = ObjectIdentity(
            kind: kind.rawValue, namespace: Self.namespace(of: object), name: name)
        var documents: [Node]?
        switch kind {
        case .backend: documents = converted(backend: identity)
        case .httpRoute, .grpcRoute, .tlsRoute, .tcpRoute, .udpRoute:
            documents = converted(route: object, identity).map { [$0] }
        case .referenceGrant: documents = converted(grant: object).map { [$0] }
        case .backendTLSPolicy, .endpointPolicy:
            documents = converted(policy: object, identity).map { [$0] }
        case .backendTrafficPolicy: documents = typed(policy: object).map { [$0] }
        case .gateway: documents = classed(gateway: object, identity).map { [$0] }
        default: break
        }
        for document in documents ?? [object] { refuseLeftovers(document, identity) }
        return Outcome(documents: documents ?? [object], isChanged: documents != nil)
    }

    static func namespace(of object: Node) -> String {
        object["metadata"]?["namespace"]?.text ?? ObjectIdentity.defaultNamespace
    }

    /// Whatever the real CRDs still refuse has no form there.
    private mutating func checkStrictly(_ document: Node) {
        let log = FindingLog()
        var options = Configuration.Options()
        options.isStrict = true
        var decoder = ObjectDecoder(log: log, options: options, catalog: strictCatalog)
        decoder.decode(document)
        strictCatalog = decoder.catalog
        for finding in log.findings where finding.severity == .error {
            findings.append(
                Finding(
                    .error, finding.layer, at: finding.place, object: finding.object,
                    path: finding.path, rule: finding.rule,
                    "the real CRD refuses it: \(finding.message)"))
        }
    }

    // MARK: - Writing

    private mutating func written(
        _ file: Configuration.File, _ outcomes: [(piece: Piece, outcomes: [Outcome])]
    ) -> String {
        guard outcomes.contains(where: { $0.outcomes.contains(where: \.isChanged) }) else {
            return file.text
        }
        if file.path.hasSuffix(".json") {
            let documents = outcomes.flatMap(\.outcomes).flatMap(\.documents)
            return Self.json(documents)
        }
        var text = ""
        for (piece, outcomes) in outcomes {
            guard outcomes.contains(where: \.isChanged) else {
                text += piece.text
                continue
            }
            // A document that stood before may end without a line's end.
            if !text.isEmpty, text.utf8.last != UInt8(ascii: "\n") { text += "\n" }
            text += written(piece, outcomes, file.path)
        }
        return text
    }

    /// JSON has one document a file; several are a List.
    private static func json(_ documents: [Node]) -> String {
        guard documents.count != 1 else { return documents[0].json.document }
        return JSON.object([
            "apiVersion": .text("v1"), "kind": .text("List"),
            "items": .array(documents.map(\.json)),
        ]).document
    }

    private mutating func written(
        _ piece: Piece, _ outcomes: [Outcome], _ file: String
    ) -> String {
        let comments = Comments(
            of: piece.text, file: file, linesBefore: piece.linesBefore, documents: piece.documents)
        var writer = YAMLWriter(comments: comments)
        let isBegun = piece.text.hasPrefix("---") || piece.text.hasPrefix("%")
        for (number, document) in outcomes.flatMap(\.documents).enumerated() {
            if number > 0 || isBegun { writer.beginDocument() }
            writer.write(document)
        }
        writer.writeCommentsBelow()
        for comment in writer.comments.rest {
            report(
                .warning, at: comment.place, nil, path: "", rule: "comment",
                "this comment is left out, with what it was about")
        }
        return writer.text
    }

    /// Files as one stream of documents.
    public static func stream(_ files: [Configuration.File]) -> String {
        var stream = ""
        for (_, text) in files {
            // A byte order mark may only begin a stream.
            var rest = text[...]
            if !stream.isEmpty, rest.unicodeScalars.first == "\u{feff}" {
                rest = Substring(rest.unicodeScalars.dropFirst())
            }
            if !stream.isEmpty {
                if stream.utf8.last != UInt8(ascii: "\n") { stream += "\n" }
                if rest.utf8.split(separator: UInt8(ascii: "\n"))
                    .contains(where: { $0.first == UInt8(ascii: "%") })
                {
                    // Directives come after an explicit end only (YAML 1.2 section 9.2).
                    stream += "...\n"
                } else if !rest.hasPrefix("---") {
                    stream += "---\n"
                }
            }
            stream += rest
        }
        return stream
    }

    // MARK: - Findings

    mutating func report(
        _ severity: Finding.Severity, at place: SourcePlace, _ object: ObjectIdentity?,
        path: String, rule: String, _ message: String
    ) {
        findings.append(
            Finding(
                severity, .controller, at: place, object: object, path: path, rule: rule, message))
    }
}
