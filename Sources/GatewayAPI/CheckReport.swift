import Manifest

/// What `apus check` says of a configuration: findings and conditions, for people, for programs,
/// and for code scanners. A value; the same for the same configuration.
public struct CheckReport: Sendable {
    public enum Format: String, CaseIterable, Sendable { case text, json, sarif }

    private let result: Configuration.Result
    private let version: String

    /// - Parameter version: of the program, for SARIF.
    public init(_ result: Configuration.Result, version: String) {
        self.result = result
        self.version = version
    }

    /// How many findings there are of a severity.
    public func count(_ severity: Finding.Severity) -> Int {
        result.findings.count { $0.severity == severity }
    }

    public func rendered(_ format: Format) -> String {
        switch format {
        case .text: text
        case .json: json.document
        case .sarif: sarif.document
        }
    }

    // MARK: - For people

    private var text: String {
        var lines = result.findings.map { finding in
            "\(finding) [\(finding.layer.rawValue)/\(finding.rule)]"
        }
        if !result.conditions.isEmpty {
            if !lines.isEmpty { lines.append("") }
            lines += table
        }
        if !result.dialects.isEmpty {
            if !lines.isEmpty { lines.append("") }
            lines += result.dialects.map { "\($0.backend): dialect \($0.name)" }
        }
        if !lines.isEmpty { lines.append("") }
        lines.append(
            "\(counted(.error)), \(counted(.warning)), \(counted(.note)); "
                + "\(result.plan.listeners.count) listeners, \(result.plan.clusters.count) clusters"
        )
        return lines.map { $0 + "\n" }.joined()
    }

    private func counted(_ severity: Finding.Severity) -> String {
        let count = count(severity)
        return "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
    }

    private var table: [String] {
        let head = ["SUBJECT", "CONDITION", "STATUS", "REASON", "MESSAGE"]
        let rows = result.conditions.map { condition in
            [
                "\(condition.subject)", condition.type, condition.status ? "True" : "False",
                condition.reason, condition.message,
            ]
        }
        let widths = head.indices.map { column in
            ([head] + rows).map { $0[column].count }.max() ?? 0
        }
        return ([head] + rows).map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                guard column < row.count - 1 else { continue }
                line += String(repeating: " ", count: widths[column] - cell.count + 2)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    // MARK: - For programs

    private var json: JSON {
        .object([
            "findings": .array(
                result.findings.map { finding in
                    .object([
                        "severity": .text(finding.severity.rawValue),
                        "layer": .text(finding.layer.rawValue), "rule": .text(finding.rule),
                        "file": .text(finding.place.file), "line": .integer(finding.place.line),
                        "column": .integer(finding.place.column),
                        "object": .text(finding.object?.description),
                        "path": .text(finding.path.isEmpty ? nil : finding.path),
                        "message": .text(finding.message), "fix": .text(finding.fix),
                    ])
                }),
            "conditions": .array(
                result.conditions.map { condition in
                    .object([
                        "subject": .text(condition.subject.description),
                        "type": .text(condition.type),
                        "status": .text(condition.status ? "True" : "False"),
                        "reason": .text(condition.reason), "message": .text(condition.message),
                        "observedGeneration": .integer(Int(condition.observedGeneration)),
                    ])
                }),
            "listeners": .array(
                result.listeners.map { status in
                    .object([
                        "owner": .text(status.owner.description), "name": .text(status.name),
                        "supportedKinds": .array(status.supportedKinds.map(JSON.text)),
                        "attachedRoutes": .integer(status.attachedRoutes),
                    ])
                }),
            "backends": .array(
                result.dialects.map { dialect in
                    .object([
                        "name": .text(dialect.backend.description),
                        "file": .text(dialect.place.file), "line": .integer(dialect.place.line),
                        "dialect": .text(dialect.name),
                    ])
                }),
            "summary": .object([
                "errors": .integer(count(.error)), "warnings": .integer(count(.warning)),
                "notes": .integer(count(.note)),
            ]),
        ])
    }

    /// SARIF 2.1.0 (OASIS), which code hosts show beside the lines.
    private var sarif: JSON {
        let rules = Set(result.findings.map { "\($0.layer.rawValue)/\($0.rule)" }).sorted()
        let results = result.findings.map { finding -> JSON in
            let about = finding.object.map { "\($0): " } ?? ""
            let field = finding.path.isEmpty ? "" : "\(finding.path): "
            return .object([
                "ruleId": .text("\(finding.layer.rawValue)/\(finding.rule)"),
                "level": .text(finding.severity.rawValue),
                "message": .object(["text": .text(about + field + finding.message)]),
                "locations": .array([
                    .object([
                        "physicalLocation": .object([
                            "artifactLocation": .object(["uri": .text(finding.place.file)]),
                            "region": .object([
                                "startLine": .integer(finding.place.line),
                                "startColumn": .integer(finding.place.column),
                            ]),
                        ])
                    ])
                ]),
            ])
        }
        return .object([
            "$schema": .text("https://json.schemastore.org/sarif-2.1.0.json"),
            "version": .text("2.1.0"),
            "runs": .array([
                .object([
                    "tool": .object([
                        "driver": .object([
                            "name": .text("apus check"), "version": .text(version),
                            "rules": .array(rules.map { .object(["id": .text($0)]) }),
                        ])
                    ]),
                    "results": .array(results),
                ])
            ]),
        ])
    }
}
