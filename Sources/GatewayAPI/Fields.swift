import Manifest

/// A mapping while it is being read: hands out each field once, checks its type, and in `finish`
/// names the fields that nobody asked for. A value of the function that reads the mapping.
struct Fields {
    let place: SourcePlace
    let path: String
    let log: FindingLog
    private let entries: [Node.Entry]
    /// Every name that was asked for: what an unknown name may have been meant to be.
    private var names: [String] = []

    /// Nil, and reported, when `node` is no mapping.
    init?(_ node: Node, path: String, log: FindingLog) {
        guard case .mapping(let entries) = node.value else {
            log.error(at: node.place, path: path, "must be a mapping, not \(node.article)")
            return nil
        }
        self.place = node.place
        self.path = path
        self.log = log
        self.entries = entries
    }

    func path(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// The field's value; nil when it is absent or null.
    mutating func take(_ name: String) -> Node? {
        names.append(name)
        guard let entry = entries.first(where: { $0.key == name }), !entry.value.isNull else {
            return nil
        }
        return entry.value
    }

    // MARK: - Typed fields

    mutating func text(_ name: String) -> Located<String>? {
        guard let node = take(name) else { return nil }
        return text(node, name)
    }

    mutating func requiredText(_ name: String) -> Located<String>? {
        guard let node = take(name) else {
            missing(name)
            return nil
        }
        return text(node, name)
    }

    private func text(_ node: Node, _ name: String) -> Located<String>? {
        log.text(node, path: path(of: name))
    }

    /// One of a few words.
    mutating func word(_ name: String, of words: [String]) -> Located<String>? {
        guard let text = text(name) else { return nil }
        guard words.contains(text.value) else {
            let nearest = Suggestion.nearest(to: text.value, among: words)
            let hint = nearest.map { "; did you mean \($0)?" } ?? ""
            log.error(
                at: text.place, path: path(of: name),
                "\"\(Scalar(text.value, isText: true).excerpt)\" is none of "
                    + words.joined(separator: ", ") + hint)
            return nil
        }
        return text
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int64>) -> Located<Int64>? {
        guard let node = take(name) else { return nil }
        guard case .scalar(let scalar) = node.value, case .integer(let value) = scalar.kind else {
            log.error(at: node.place, path: path(of: name), Self.notAnInteger(node))
            return nil
        }
        guard range.contains(value) else {
            log.error(
                at: node.place, path: path(of: name),
                "\(value) is outside \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return Located(value: value, place: node.place)
    }

    private static func notAnInteger(_ node: Node) -> String {
        var fix = ""
        if case .scalar(let scalar) = node.value, scalar.kind == .text, Int64(scalar.text) != nil {
            fix = "; remove the quotes"
        }
        return "must be a whole number, not \(node.article)\(fix)"
    }

    mutating func port(_ name: String = "port") -> Located<UInt16>? {
        integer(name, in: 1...65_535).map { Located(value: UInt16($0.value), place: $0.place) }
    }

    mutating func boolean(_ name: String) -> Located<Bool>? {
        guard let node = take(name) else { return nil }
        guard case .scalar(let scalar) = node.value, case .boolean(let value) = scalar.kind else {
            log.error(
                at: node.place, path: path(of: name), "must be true or false, not \(node.article)")
            return nil
        }
        return Located(value: value, place: node.place)
    }

    /// A GEP-2257 duration in milliseconds.
    mutating func duration(_ name: String, in range: ClosedRange<UInt32>) -> Located<UInt32>? {
        guard let text = text(name) else { return nil }
        guard let milliseconds = DurationText.milliseconds(text.value) else {
            log.error(
                at: text.place, path: path(of: name),
                "\"\(Scalar(text.value, isText: true).excerpt)\" is no duration; "
                    + "write whole numbers with h, m, s or ms, as in 1h30m or 500ms")
            return nil
        }
        guard milliseconds >= range.lowerBound, milliseconds <= range.upperBound else {
            log.error(
                at: text.place, path: path(of: name),
                "\(text.value) is outside \(DurationText.text(range.lowerBound)) to "
                    + DurationText.text(range.upperBound))
            return nil
        }
        return Located(value: UInt32(milliseconds), place: text.place)
    }

    /// The mapping in a field. An empty one counts: `proxyProtocol: {}` says something.
    mutating func mapping(_ name: String) -> Fields? {
        take(name).flatMap { Fields($0, path: path(of: name), log: log) }
    }

    mutating func requiredMapping(_ name: String) -> Fields? {
        guard let node = take(name) else {
            missing(name)
            return nil
        }
        return Fields(node, path: path(of: name), log: log)
    }

    /// The items of a list, each with its path.
    mutating func list(_ name: String, count: ClosedRange<Int>) -> [(node: Node, path: String)]? {
        guard let node = take(name) else { return nil }
        guard case .sequence(let items) = node.value else {
            log.error(at: node.place, path: path(of: name), "must be a list, not \(node.article)")
            return nil
        }
        guard count.contains(items.count) else {
            log.error(
                at: node.place, path: path(of: name),
                "has \(items.count) items; \(count.lowerBound) to \(count.upperBound) are allowed")
            return nil
        }
        return items.enumerated().map { ($1, "\(path(of: name))[\($0)]") }
    }

    func missing(_ name: String) {
        log.error(at: place, path: path(of: name), "is missing; it is required")
    }

    // MARK: - The rest

    /// Reports every field that was not asked for.
    /// - Parameters:
    ///   - later: fields of the real kind that this version does not act on: a warning each.
    ///   - ignored: fields that mean nothing here, such as `metadata.uid`.
    func finish(later: [String] = [], ignored: [String] = []) {
        for entry in entries where !names.contains(entry.key) && !ignored.contains(entry.key) {
            if later.contains(entry.key) {
                if entry.value.isNull { continue }
                log.notServed(at: entry.keyPlace, path: path(of: entry.key))
            } else {
                unknown(entry, known: names + later + ignored)
            }
        }
    }

    private func unknown(_ entry: Node.Entry, known: [String]) {
        let name = Scalar(entry.key, isText: true).excerpt
        let message: String
        if let nearest = Suggestion.nearest(to: entry.key, among: known) {
            message = "unknown field; did you mean \(nearest)?"
        } else if known.isEmpty {
            message = "unknown field; remove it"
        } else {
            message = "unknown field; known are \(Set(known).sorted().joined(separator: ", "))"
        }
        log.error(at: entry.keyPlace, path: path(of: name), message)
    }
}

extension FindingLog {
    /// The string that `node` is; nil, and reported, when it is something else.
    func text(_ node: Node, path: String) -> Located<String>? {
        guard case .scalar(let scalar) = node.value else {
            error(at: node.place, path: path, "must be a string, not \(node.article)")
            return nil
        }
        guard scalar.kind == .text else {
            error(
                at: node.place, path: path,
                "must be a string, not \(node.article); if that is meant, put it in quotes")
            return nil
        }
        return Located(value: scalar.text, place: node.place)
    }
}
