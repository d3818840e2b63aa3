import Foundation
import Testing

@testable import GatewayAPI

/// Each `Golden/NAME.yaml` is loaded; what comes of it must be what `Golden/NAME.txt` says. With
/// `APUS_UPDATE_GOLDEN=1` the texts are written anew: read the difference before it is committed.
@Suite("Golden files")
struct GoldenTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden")

    static var names: [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }

    @Test("there are golden files to compare with")
    func present() {
        #expect(Self.names.count >= 40)
    }

    @Test("a golden file gives its plan, conditions and findings", arguments: names)
    func golden(name: String) throws {
        let yaml = Self.folder.appendingPathComponent("\(name).yaml")
        let expected = Self.folder.appendingPathComponent("\(name).txt")
        let text = try String(contentsOf: yaml, encoding: .utf8)
        let actual = Self.rendering(Configuration.load(files: [("\(name).yaml", text)]))
        if ProcessInfo.processInfo.environment["APUS_UPDATE_GOLDEN"] == "1" {
            try actual.write(to: expected, atomically: true, encoding: .utf8)
        }
        let wanted = try String(contentsOf: expected, encoding: .utf8)
        #expect(
            actual == wanted,
            "repeat: swift test --filter GoldenTests; update: APUS_UPDATE_GOLDEN=1")
    }

    static func rendering(_ result: Configuration.Result) -> String {
        var text = "# findings (errors: \(result.hasErrors))\n"
        for finding in result.findings { text += "\(finding)\n" }
        text += "# conditions\n"
        text += conditions(result.conditions)
        return text + "# plan\n" + PlanText.text(result.plan)
    }

    /// One line a subject with what is as it should be, and one for each condition that is not.
    private static func conditions(_ conditions: [Condition]) -> String {
        var text = ""
        var start = conditions.startIndex
        while start < conditions.endIndex {
            let subject = conditions[start].subject
            let group = conditions[start...].prefix { $0.subject == subject }
            let usual = group.filter(isUsual).map(\.reason).joined(separator: " ")
            text += "\(subject): \(usual)\n"
            for condition in group where !isUsual(condition) {
                text += "  \(condition.type)=\(condition.status ? "True" : "False") "
                text += "\(condition.reason): \(condition.message)\n"
            }
            start = group.endIndex
        }
        return text
    }

    private static func isUsual(_ condition: Condition) -> Bool {
        let negative = ["Conflicted": "NoConflicts"]
        if let reason = negative[condition.type] {
            return !condition.status && condition.reason == reason
        }
        return condition.status && condition.reason == condition.type
    }
}
