import Manifest

/// Explanations written down, for people and for programs. A value; the same for the same answers.
public struct ExplanationReport: Sendable {
    public enum Format: String, CaseIterable, Sendable { case text, json }

    /// Lines of candidates that were not chosen, for people; programs get them all.
    private static let othersShownMax = 40

    private let explanations: [Explanation]

    public init(_ explanations: [Explanation]) { self.explanations = explanations }

    /// Whether all of them reach an endpoint, are answered here, or wait for another question.
    public var isTaken: Bool {
        explanations.allSatisfy { if case .refused = $0.outcome { false } else { true } }
    }

    public func rendered(_ format: Format) -> String {
        switch format {
        case .text: explanations.map(text).joined(separator: "\n")
        case .json: JSON.array(explanations.map(json)).document
        }
    }

    // MARK: - For people

    private func text(_ explanation: Explanation) -> String {
        var lines: [String] = []
        for choice in explanation.chosen {
            lines.append(column(choice.role.rawValue) + named(choice.name, choice.place))
            lines.append(column("") + choice.reason)
        }
        for admission in explanation.admissions {
            let word = admission.verdict.map { $0.isAllowed ? "allowed" : "denied" } ?? "undecided"
            let origin = admission.origin.map { " (\(written($0)))" } ?? ""
            lines.append(
                column("client") + "\(word) at \(admission.name): \(admission.reason)\(origin)")
        }
        lines.append(column("outcome") + outcome(explanation))
        for destination in explanation.destinations { lines += self.lines(destination) }
        if !explanation.others.isEmpty {
            lines.append("not chosen")
            // What was decided last may be what somebody looks for.
            let others = explanation.others.sorted { $0.role.depth > $1.role.depth }
            for other in others.prefix(Self.othersShownMax) {
                lines.append(
                    "  \(other.role.rawValue) \(named(other.name, other.place)): \(other.reason)")
            }
            let more = explanation.others.count - Self.othersShownMax
            if more > 0 { lines.append("  and \(more) more; --output json has them all") }
        }
        lines += policies(explanation.policies)
        lines += settings("settings", explanation.settings)
        lines += settings(of: explanation.destinations)
        return lines.map { $0 + "\n" }.joined()
    }

    private func column(_ word: String) -> String {
        word + String(repeating: " ", count: max(1, 10 - word.count))
    }

    private func named(_ name: String, _ place: SourcePlace?) -> String {
        place.map { "\(name) (\($0))" } ?? name
    }

    private func outcome(_ explanation: Explanation) -> String {
        switch explanation.outcome {
        case .forwarded: "forwarded"
        case .answered(let what): "answered here: \(what)"
        case .refused(let why): "refused: \(why)"
        case .open(let what): what
        }
    }

    private func lines(_ destination: Explanation.Destination) -> [String] {
        let share = "\(destination.weight) of \(destination.weightSum)"
        guard let name = destination.name else {
            return [column("") + "\(share) refused: the reference is not valid"]
        }
        var lines = [column("") + "\(share) to \(named(name, destination.place))"]
        for (number, tier) in destination.tiers.enumerated() {
            let endpoints = tier.map { endpoint in
                endpoint.remark.isEmpty
                    ? endpoint.target : "\(endpoint.target) (\(endpoint.remark))"
            }
            let all = endpoints.isEmpty ? "no endpoint" : endpoints.joined(separator: ", ")
            lines.append(column("") + "  tier \(number): \(all)")
        }
        return lines
    }

    /// Destinations of one rule mostly have the same ones.
    private func settings(of destinations: [Explanation.Destination]) -> [String] {
        var groups: [(names: [String], settings: [Explanation.Setting])] = []
        for destination in destinations {
            guard let name = destination.name else { continue }
            if let known = groups.firstIndex(where: { $0.settings == destination.settings }) {
                groups[known].names.append(name)
            } else {
                groups.append(([name], destination.settings))
            }
        }
        return groups.flatMap { group in
            settings("settings of " + group.names.joined(separator: ", "), group.settings)
        }
    }

    private func settings(_ title: String, _ settings: [Explanation.Setting]) -> [String] {
        guard !settings.isEmpty else { return [] }
        return [title]
            + settings.map { setting in
                let origin = setting.origin.map(written) ?? "default"
                return "  \(setting.name) = \(setting.value) (\(origin))"
            }
    }

    /// Where, by whom, and in which field.
    private func written(_ origin: Explanation.Setting.Origin) -> String {
        "\(origin.place): \(origin.object) \(origin.path)"
    }

    private func policies(_ policies: [Explanation.PolicyUse]) -> [String] {
        guard !policies.isEmpty else { return [] }
        return ["policies"]
            + policies.map { use in
                let state =
                    switch use.state {
                    case .inForce: "in force"
                    case .invalid(let why): "cannot be followed: \(why)"
                    case .merged(let policy): "fills in what \(policy) does not say"
                    case .overridden(let policy): "overridden by \(policy)"
                    case .conflicted(let why): "conflicted: \(why)"
                    }
                return "  \(named("\(use.policy)", use.place)) for \(use.target): \(state)"
            }
    }

    // MARK: - For programs

    private func json(_ explanation: Explanation) -> JSON {
        let outcome: (String, String?) =
            switch explanation.outcome {
            case .forwarded: ("forwarded", nil)
            case .answered(let what): ("answered", what)
            case .refused(let why): ("refused", why)
            case .open(let what): ("open", what)
            }
        return .object([
            "outcome": .text(outcome.0), "message": .text(outcome.1),
            "chosen": .array(explanation.chosen.map(json)),
            "authorization": .array(
                explanation.admissions.map { admission in
                    .object([
                        "name": .text(admission.name),
                        "isAllowed": admission.verdict.map { .boolean($0.isAllowed) } ?? .null,
                        "reason": .text(admission.reason), "origin": json(admission.origin),
                    ])
                }),
            "policies": .array(explanation.policies.map(json)),
            "destinations": .array(explanation.destinations.map(json)),
            "settings": json(explanation.settings),
            "notChosen": .array(explanation.others.map(json)),
        ])
    }

    private func json(_ candidate: Explanation.Candidate) -> JSON {
        .object([
            "role": .text(candidate.role.rawValue), "name": .text(candidate.name),
            "place": json(candidate.place), "reason": .text(candidate.reason),
        ])
    }

    private func json(_ destination: Explanation.Destination) -> JSON {
        .object([
            "name": .text(destination.name), "place": json(destination.place),
            "weight": .integer(Int(destination.weight)),
            "weightSum": .integer(Int(destination.weightSum)),
            "tiers": .array(
                destination.tiers.map { tier in
                    .array(
                        tier.map { endpoint in
                            .object([
                                "target": .text(endpoint.target),
                                "remark": .text(
                                    endpoint.remark.isEmpty ? nil : endpoint.remark),
                            ])
                        })
                }),
            "settings": json(destination.settings),
        ])
    }

    private func json(_ settings: [Explanation.Setting]) -> JSON {
        .array(
            settings.map { setting in
                .object([
                    "name": .text(setting.name), "value": .text(setting.value),
                    "origin": json(setting.origin),
                ])
            })
    }

    /// Null: it is the default.
    private func json(_ origin: Explanation.Setting.Origin?) -> JSON {
        guard let origin else { return .null }
        return .object([
            "object": .text("\(origin.object)"), "path": .text(origin.path),
            "place": json(origin.place),
        ])
    }

    private func json(_ use: Explanation.PolicyUse) -> JSON {
        let (state, message): (String, String?) =
            switch use.state {
            case .inForce: ("inForce", nil)
            case .invalid(let why): ("invalid", why)
            case .merged(let policy): ("merged", "\(policy)")
            case .overridden(let policy): ("overridden", "\(policy)")
            case .conflicted(let why): ("conflicted", why)
            }
        return .object([
            "policy": .text("\(use.policy)"), "place": json(use.place),
            "target": .text(use.target), "state": .text(state),
            "message": .text(message),
        ])
    }

    private func json(_ place: SourcePlace?) -> JSON {
        guard let place else { return .null }
        return .object([
            "file": .text(place.file), "line": .integer(place.line),
            "column": .integer(place.column),
        ])
    }
}
