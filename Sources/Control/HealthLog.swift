import Discovery
import Health
import Logging

/// What checks find, in sentences for the log. A namespace.
enum HealthLog {
    /// Of one turn of the checks; thousands may fail at once.
    private static let linesMax = 20

    /// - Returns: those who are well at the first check are not worth a word.
    static func lines(_ changes: [HealthChange]) -> [(level: Logger.Level, text: String)] {
        var lines: [(level: Logger.Level, text: String)] = []
        let told = changes.filter { $0.verdict != .healthy || $0.former != nil }
            .map { (name: "\($0.address) of \($0.clusters.joined(separator: ", "))", change: $0) }
            .sorted { $0.name < $1.name }
        for (name, change) in told.prefix(linesMax) {
            switch change.verdict {
            case .unhealthy(let failure):
                lines.append((.warning, "endpoint \(name) is ill: \(failure)"))
            case .healthy, .pending: lines.append((.info, "endpoint \(name) is well again"))
            }
        }
        if told.count > linesMax {
            lines.append((.warning, "and \(told.count - linesMax) endpoints more have changed"))
        }
        return lines
    }
}
