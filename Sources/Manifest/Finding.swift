/// Something that the operator should know about the configuration: where, about which object and
/// field, and one sentence that says what to do. A value; any thread may have it.
public struct Finding: Hashable, Sendable {
    public enum Severity: String, Sendable {
        case error, warning
        /// Nothing is wrong; it is said so that nobody wonders.
        case note
    }

    /// What noticed it. Errors of the first two make the files unusable as a whole; an error of the
    /// controller stops only what depends on the object, as the Gateway API asks.
    public enum Layer: String, Sendable {
        /// The file is not YAML, or beyond a limit.
        case syntax
        /// The API server would refuse the object: unknown fields, types, bounds.
        case admission
        /// References, attachment, conflicts; and what is not served by this version.
        case controller
    }

    public let severity: Severity
    public let layer: Layer
    public let place: SourcePlace
    public let object: ObjectIdentity?
    /// As in `spec.endpoints[0].port`; empty when it is about the whole object or file.
    public let path: String
    /// Which rule is broken, in one word: a condition's reason, or what a schema asks.
    public let rule: String
    public let message: String

    /// What to do: the part of the message after its semicolon; nil = the message says it all.
    public var fix: String? {
        guard let end = message.firstRange(of: "; ") else { return nil }
        return String(message[end.upperBound...])
    }

    public init(
        _ severity: Severity, _ layer: Layer, at place: SourcePlace, object: ObjectIdentity? = nil,
        path: String = "", rule: String = "", _ message: String
    ) {
        self.rule = rule
        self.severity = severity
        self.layer = layer
        self.place = place
        self.object = object
        self.path = path
        self.message = message
    }
}

extension Finding: CustomStringConvertible {
    /// `path:line:column: error: Kind namespace/name: field.path: sentence`, the form in which
    /// compilers write and editors read.
    public var description: String {
        var text = "\(place): \(severity.rawValue): "
        if let object { text += "\(object): " }
        if !path.isEmpty { text += "\(path): " }
        return text + message
    }
}

/// Collects what is found while a configuration is read. One load owns one, on its thread.
package final class FindingLog {
    package private(set) var findings: [Finding] = []
    /// The object that is being read; findings are about it.
    package var object: ObjectIdentity?
    private var isFull = false

    package init() {}

    /// Past so many a file is no configuration, and listing more helps nobody.
    package static let findingsMax = 500

    /// So far; a caller compares before and after to know whether what it read is sound.
    package private(set) var errorCount = 0

    package func report(
        _ severity: Finding.Severity, _ layer: Finding.Layer, at place: SourcePlace,
        path: String = "", rule: String = "", _ message: String
    ) {
        append(
            Finding(severity, layer, at: place, object: object, path: path, rule: rule, message))
    }

    package func error(
        at place: SourcePlace, path: String = "", rule: String = "value", _ message: String
    ) {
        report(.error, .admission, at: place, path: path, rule: rule, message)
    }

    /// A field or value that is understood, but that this version does not act on.
    package func notServed(
        at place: SourcePlace, path: String, _ message: String = "not served yet"
    ) {
        report(.warning, .controller, at: place, path: path, message)
    }

    package func append(_ finding: Finding) {
        if finding.severity == .error { errorCount += 1 }
        guard !isFull else { return }
        findings.append(finding)
        guard findings.count >= Self.findingsMax else { return }
        isFull = true
        findings.append(
            Finding(
                finding.severity, finding.layer, at: finding.place,
                "more than \(Self.findingsMax) findings; mend these first"))
    }
}
