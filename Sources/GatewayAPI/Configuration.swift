import Manifest
import Routing

/// The way from files to the plan. Pure: whoever reads the files calls `load`, which looks at
/// nothing else, and gives the same answer for the same texts in the same order.
public enum Configuration {
    public typealias File = (path: String, text: String)

    public struct Result: Sendable {
        public let plan: Plan
        public let conditions: [Condition]
        public let listeners: [ListenerStatus]
        /// Settings of the process, if an ApusConfig has any.
        public let process: ApusConfig?
        /// In the order of the files, then of their lines.
        public let findings: [Finding]
        /// Which dialect each Backend is written in, in the order of the files.
        public let dialects: [BackendDialect]
        /// What it was made of, and by which policies: for `apus explain`, which finds out where a
        /// value was written when it is asked. A reload pays for none of that.
        let objects: Objects
        let policies: PolicyIndex
        let policyChains: [String: [PolicyIndex.Target]]

        /// Whether the files themselves are wrong: not YAML, or objects that the API server would
        /// refuse. Such files are not to be run. Errors of the controller, such as a reference to a
        /// Backend that does not exist, do not count: what does not depend on it is served.
        public var hasErrors: Bool {
            findings.contains { $0.severity == .error && $0.layer != .controller }
        }
    }

    public struct Options: Sendable {
        /// Refuse whatever the real CRDs refuse.
        public var isStrict = false
        /// Leave unknown fields out, as the API server does, instead of refusing them.
        public var prunesUnknownFields = false

        public init() {}

        var unknownFields: SchemaValidator.UnknownFields {
            prunesUnknownFields ? .prune : .refuse
        }
    }

    /// A Backend and the dialect of its document. Both mean the same afterwards.
    public struct BackendDialect: Hashable, Sendable {
        public let backend: ObjectIdentity
        public let place: SourcePlace
        /// `seed`, `v1alpha1`, or `neutral`: nothing in it tells.
        public let name: String

        init(_ backend: Backend) {
            self.backend = backend.metadata.identity
            place = backend.metadata.place
            name = backend.dialect.rawValue
        }
    }

    public static func load(files: [File], options: Options = Options()) -> Result {
        var reader = ConfigurationReader(options: options)
        return reader.load(files: files)
    }
}

/// Reads a configuration again and again, and only the documents that changed since the last time:
/// of ten thousand objects one changes, and is in force before its author has looked up. Owned by
/// the thread that reloads.
public struct ConfigurationReader: Sendable {
    /// What was made of a document, or of a file.
    private struct Reading: Sendable {
        var text: String
        var objects = Objects()
        var defined: [(identity: ObjectIdentity, place: SourcePlace)] = []
        var findings: [Finding] = []
        /// Of a file: its documents, by the lines before them. One that moved is read again, since
        /// its places are others.
        var parts: [Int: Reading] = [:]

        init(_ text: String) { self.text = text }
    }

    private let options: Configuration.Options
    /// With the schemas that were parsed so far.
    private(set) var catalog: SchemaCatalog
    private var readings: [String: Reading] = [:]

    public init(options: Configuration.Options = Configuration.Options()) {
        self.options = options
        catalog = SchemaCatalog(options.isStrict ? .crd : .union)
    }

    public mutating func load(files: [Configuration.File]) -> Configuration.Result {
        let former = readings
        readings = [:]
        let log = FindingLog()
        var objects = Objects()
        var places: [ObjectIdentity: SourcePlace] = [:]
        places.reserveCapacity(former.values.reduce(0) { $0 + $1.defined.count })
        var order: [String: Int] = [:]
        for (number, file) in files.enumerated() where order[file.path] == nil {
            order[file.path] = number
            let reading = read(file, former[file.path])
            readings[file.path] = reading
            for finding in reading.findings { log.append(finding) }
            var twice: Set<SourcePlace> = []
            for (identity, place) in reading.defined {
                guard let first = places[identity] else {
                    places[identity] = place
                    continue
                }
                twice.insert(place)
                log.append(
                    Finding(
                        .error, .admission, at: place, object: identity,
                        "already defined at \(first); keep one of the two"))
            }
            objects.merge(twice.isEmpty ? reading.objects : reading.objects.without(twice))
        }
        let outcome = translate(objects)
        for finding in outcome.findings { log.append(finding) }
        return Configuration.Result(
            plan: outcome.plan, conditions: outcome.conditions, listeners: outcome.statuses,
            process: objects.configurations.min { $0.place.line < $1.place.line },
            findings: Self.sorted(log.findings, order),
            dialects: objects.backends.map(Configuration.BackendDialect.init), objects: objects,
            policies: outcome.policies, policyChains: outcome.policyChains)
    }

    private mutating func read(_ file: Configuration.File, _ former: Reading?) -> Reading {
        if let former, former.text == file.text { return former }
        var whole = Reading(file.text)
        for part in DocumentStream(file.text).parts {
            let reading: Reading
            if let known = former?.parts[part.linesBefore], known.text == part.text {
                reading = known
            } else {
                reading = read(part, of: file.path)
            }
            whole.parts[part.linesBefore] = reading
            whole.objects.merge(reading.objects)
            whole.defined += reading.defined
            whole.findings += reading.findings
        }
        return whole
    }

    private mutating func read(_ part: DocumentStream.Part, of file: String) -> Reading {
        let log = FindingLog()
        var reading = Reading(String(part.text))
        var decoder = ObjectDecoder(log: log, options: options, catalog: catalog)
        var composer = Composer(file: file, linesBefore: part.linesBefore, log: log)
        for document in composer.documents(of: reading.text) { decoder.decode(document) }
        catalog = decoder.catalog
        reading.objects = decoder.objects
        reading.defined = decoder.defined
        reading.findings = log.findings
        return reading
    }

    private static func sorted(_ findings: [Finding], _ order: [String: Int]) -> [Finding] {
        findings.sorted { left, right in
            (order[left.place.file] ?? 0, left.place.line, left.place.column, left.message)
                < (
                    order[right.place.file] ?? 0, right.place.line, right.place.column,
                    right.message
                )
        }
    }
}
