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
