import Manifest
import Routing

/// Reads a configuration again and again, and only the documents that changed since the last time:
/// of ten thousand objects one changes, and is in force before its author has looked up. Owned by
/// the thread that reloads.
public struct ConfigurationReader {
    /// What was made of a document, or of a file.
    private struct Reading {
        var text: String
        var objects = Objects()
        var defined: [(identity: ObjectIdentity, place: SourcePlace)] = []
        var findings: [Finding] = []
        /// Of a file: its documents, by the lines before them. One that moved is read again, since
        /// its places are others.
        var parts: [Int: Reading] = [:]

        init(_ text: String) { self.text = text }

        /// The Backend that is all that the document says.
        var backend: Backend? {
            guard findings.isEmpty, defined.count == 1, objects.backends.count == 1 else {
                return nil
            }
            return objects.backends[0]
        }
    }

    /// What differs from the last time.
    private struct Difference {
        /// Backends that stand where they stood and say something else.
        var backends: [(old: Backend, new: Backend)] = []
        /// Something else differs.
        var isDeep = false

        mutating func note(_ former: Reading?, _ new: Reading) {
            guard let old = former?.backend, let new = new.backend else {
                isDeep = true
                return
            }
            backends.append((old, new))
        }
    }

    private struct State {
        let paths: [String]
        var translation: Translation
        var result: Configuration.Result
    }

    private let options: Configuration.Options
    /// With the schemas that were parsed so far.
    private(set) var catalog: SchemaCatalog
    private var readings: [String: Reading] = [:]
    private var state: State?
    /// How often all objects were translated anew.
    private(set) var translations = 0

    public init(options: Configuration.Options = Configuration.Options()) {
        self.options = options
        catalog = SchemaCatalog(options.isStrict ? .crd : .union)
    }

    public mutating func load(files: [Configuration.File]) -> Configuration.Result {
        let former = readings
        readings = [:]
        var difference = Difference()
        var paths: [String] = []
        for file in files where readings[file.path] == nil {
            paths.append(file.path)
            readings[file.path] = read(file, former[file.path], &difference)
        }
        if let result = follow(difference, paths) { return result }
        return translated(paths)
    }

    /// What becomes of a difference that needs no translation; nil = there is none such.
    private mutating func follow(
        _ difference: Difference, _ paths: [String]
    ) -> Configuration.Result? {
        guard !difference.isDeep, var state, state.paths == paths else { return nil }
        if difference.backends.isEmpty { return state.result }
        // Nobody else may hold what is changed in place.
        self.state = nil
        guard state.translation.replaceEndpoints(difference.backends) else { return nil }
        state.result = state.result.with(state.translation)
        self.state = state
        return state.result
    }

    private mutating func translated(_ paths: [String]) -> Configuration.Result {
        let log = FindingLog()
        var objects = Objects()
        var places: [ObjectIdentity: SourcePlace] = [:]
        places.reserveCapacity(state?.translation.objects.backends.count ?? 0)
        var hasDuplicates = false
        for case let reading? in paths.map({ readings[$0] }) {
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
            hasDuplicates = hasDuplicates || !twice.isEmpty
            objects.merge(twice.isEmpty ? reading.objects : reading.objects.without(twice))
        }
        let translation = translate(objects)
        translations += 1
        for finding in translation.log.findings { log.append(finding) }
        let result = Configuration.Result(
            translation, findings: Self.sorted(log.findings, paths))
        state = hasDuplicates ? nil : State(paths: paths, translation: translation, result: result)
        return result
    }

    private mutating func read(
        _ file: Configuration.File, _ former: Reading?, _ difference: inout Difference
    ) -> Reading {
        if let former, former.text == file.text { return former }
        var whole = Reading(file.text)
        for part in DocumentStream(file.text).parts {
            let known = former?.parts[part.linesBefore]
            let reading: Reading
            if let known, known.text == part.text {
                reading = known
            } else {
                reading = read(part, of: file.path)
                difference.note(known, reading)
            }
            whole.parts[part.linesBefore] = reading
            whole.objects.merge(reading.objects)
            whole.defined += reading.defined
            whole.findings += reading.findings
        }
        if whole.parts.count != former?.parts.count { difference.isDeep = true }
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

    private static func sorted(_ findings: [Finding], _ paths: [String]) -> [Finding] {
        let order = Dictionary(
            paths.enumerated().map { ($0.element, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        return findings.sorted { left, right in
            (order[left.place.file] ?? 0, left.place.line, left.place.column, left.message)
                < (
                    order[right.place.file] ?? 0, right.place.line, right.place.column,
                    right.message
                )
        }
    }
}

extension Configuration.Result {
    init(_ translation: Translation, findings: [Finding]) {
        let objects = translation.objects
        self.init(
            plan: translation.plan, conditions: translation.conditions,
            listeners: translation.statuses,
            process: objects.configurations.min { $0.place.line < $1.place.line },
            findings: findings, dialects: objects.backends.map(Configuration.BackendDialect.init),
            objects: objects, policies: translation.policies,
            policyChains: translation.policyChains)
    }

    /// The same after some endpoints have changed.
    fileprivate func with(_ translation: Translation) -> Configuration.Result {
        Configuration.Result(
            plan: translation.plan, conditions: translation.conditions, listeners: listeners,
            process: process, findings: findings, dialects: dialects,
            objects: translation.objects, policies: policies, policyChains: policyChains)
    }
}
