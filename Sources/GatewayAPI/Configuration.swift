import Manifest
import Routing

/// The way from files to the plan. Pure: whoever reads the files calls `load`, which looks at
/// nothing else, and gives the same answer for the same texts in the same order.
public enum Configuration {
    public struct Result: Sendable {
        public let plan: Plan
        public let conditions: [Condition]
        /// In the order of the files, then of their lines.
        public let findings: [Finding]

        /// Whether the files themselves are wrong: not YAML, or objects that the API server would
        /// refuse. Such files are not to be run. Errors of the controller, such as a reference to a
        /// Backend that does not exist, do not count: what does not depend on it is served.
        public var hasErrors: Bool {
            findings.contains { $0.severity == .error && $0.layer != .controller }
        }
    }

    public static func load(files: [(path: String, text: String)]) -> Result {
        let log = FindingLog()
        var decoder = ObjectDecoder(log: log)
        var order: [String: Int] = [:]
        for (index, file) in files.enumerated() {
            order[file.path] = order[file.path] ?? index
            var composer = Composer(file: file.path, log: log)
            for document in composer.documents(of: file.text) { decoder.decode(document) }
        }
        let (plan, conditions, findings) = translate(decoder.objects)
        for finding in findings { log.append(finding) }
        let sorted = log.findings.sorted { left, right in
            (order[left.place.file] ?? 0, left.place.line, left.place.column, left.message)
                < (
                    order[right.place.file] ?? 0, right.place.line, right.place.column,
                    right.message
                )
        }
        return Result(plan: plan, conditions: conditions, findings: sorted)
    }
}
