import Manifest

/// `/stats` as Envoy writes it, and `/stats/prometheus` in Prometheus' text format 0.0.4.
enum StatisticsPage {
    static func text(_ families: [Statistic]) -> String {
        named(families).map { "\($0.name): \($0.value)\n" }.joined()
    }

    static func json(_ families: [Statistic]) -> JSON {
        .object([
            "stats": .array(
                named(families).map {
                    .object(["name": .text($0.name), "value": .integer(Int(clamping: $0.value))])
                })
        ])
    }

    private static func named(_ families: [Statistic]) -> [(name: String, value: UInt64)] {
        families.flatMap { family in
            family.samples.map { (family.textName(of: $0), $0.value) }
        }.sorted { $0.0 < $1.0 }
    }

    // MARK: - Prometheus

    /// All of a family stand together below its HELP and TYPE.
    static func prometheus(_ families: [Statistic]) -> String {
        families.sorted { $0.prometheusName < $1.prometheusName }.map { family in
            let name = family.prometheusName
            let label = family.subject.label
            let samples = family.samples.map { sample in
                guard let label, let tag = sample.tag else { return "\(name) \(sample.value)\n" }
                return "\(name){\(label)=\"\(escaped(tag))\"} \(sample.value)\n"
            }
            return "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.prometheusType)\n"
                + samples.joined()
        }.joined()
    }

    /// Backslash, quote and line end: nothing else needs it in a label's value.
    private static func escaped(_ text: String) -> String {
        text.map { character in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(character)
            }
        }.joined()
    }
}
