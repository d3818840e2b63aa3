/// Makes schemas of their texts. The texts are ours, so that what is wrong with them is a mistake
/// in this program: it traps, and a test parses them all.
struct SchemaParser {
    private var definitions: [Substring: [SchemaLine]] = [:]

    /// - Parameter overlay: whether what this program takes besides the CRD is in it.
    static func parse(_ text: SchemaText, overlay: Bool) -> Schema {
        var parser = SchemaParser()
        var lines: [SchemaLine] = []
        for line in SchemaLine.tree(text.text) {
            let (word, rest) = line.head
            if word == "def" { parser.definitions[rest] = line.below } else { lines.append(line) }
        }
        lines = parser.expanded(lines)
        if overlay { lines = SchemaOverlay.applied(SchemaLine.tree(text.overlay), to: lines) }
        var draft = SchemaDraft()
        draft.shape = .object(parser.fields(lines), allowsUnknown: false)
        return Schema(draft)
    }

    /// With the shared lines where they are used, since an overlay may differ from place to place.
    private func expanded(_ lines: [SchemaLine]) -> [SchemaLine] {
        lines.map { line in
            var below = expanded(line.below)
            var words = line.text.split(separator: " ")
            if !Self.isMark(line), let last = words.last, last.first == "@" {
                guard let shared = definitions[last.dropFirst()] else {
                    fatalError("no definition \(last)")
                }
                below = expanded(shared) + below
                words.removeLast()
                return SchemaLine(text: Substring(words.joined(separator: " ")), below: below)
            }
            return SchemaLine(text: line.text, below: below)
        }
    }

    /// Whether the line is about the field above it.
    static func isMark(_ line: SchemaLine) -> Bool {
        ["~", "?", "??", "=", "==", ">", ">>", "-", "later", "infer"].contains(line.head.word)
    }

    // MARK: - Fields

    private func fields(_ lines: [SchemaLine]) -> [Schema.Field] {
        var order: [Substring] = []
        var byName: [Substring: [SchemaLine]] = [:]
        for line in lines where !Self.isMark(line) {
            var name = line.head.word
            if name.last == "!" { name.removeLast() }
            if byName[name, default: []].isEmpty { order.append(name) }
            byName[name, default: []].append(line)
        }
        return order.map { name in
            let lines = byName[name] ?? []
            var later: String?
            var inferred: [Schema.Inference] = []
            for mark in lines.flatMap(\.below) {
                if mark.head.word == "later" { later = String(mark.head.rest) }
                guard mark.head.word == "infer" else { continue }
                inferred += mark.head.rest.split(separator: " ").map { pair in
                    let parts = pair.split(separator: "=")
                    return Schema.Inference(other: String(parts[0]), value: String(parts[1]))
                }
            }
            return Schema.Field(
                name: String(name), isRequired: lines.contains { $0.head.word.last == "!" },
                schemas: lines.map(schema), later: later, inferred: inferred)
        }
    }

    private func schema(_ line: SchemaLine) -> Schema {
        let words = line.head.rest.split(separator: " ")
        guard let type = words.first else { fatalError("no type: \(line.text)") }
        return schema(type, words.dropFirst(), line.below)
    }

    private func schema(
        _ type: Substring, _ words: ArraySlice<Substring>, _ below: [SchemaLine]
    ) -> Schema {
        var draft = SchemaDraft()
        let isList = type.hasPrefix("[]")
        guard isList || type.hasPrefix("{}") else {
            draft.shape = shape(type, below)
            for word in words { attribute(word, &draft) }
            draft.patterns = below.filter { $0.head.word == "~" }.map { pattern($0.head.rest) }
            draft.rules = rules(below, "?")
            draft.default = value(below, "=")
            return Schema(draft)
        }
        let own = words.filter { word in
            ["n=", "keys=", "set"].contains { word.hasPrefix($0) }
        }
        let item = schema(type.dropFirst(2), words.filter { !own.contains($0) }[...], below)
        var keys: [String] = []
        var isSet = false
        for word in own {
            if word.hasPrefix("keys=") {
                keys = word.dropFirst(5).split(separator: ",").map(String.init)
            } else if word == "set" {
                isSet = true
            } else {
                attribute(word, &draft)
            }
        }
        draft.shape = isList ? .list(item, keys: keys, isSet: isSet) : .map(item)
        draft.rules = rules(below, "??")
        draft.default = value(below, "==")
        return Schema(draft)
    }

    private func shape(_ type: Substring, _ below: [SchemaLine]) -> Schema.Shape {
        switch type {
        case "object": .object(fields(below), allowsUnknown: false)
        case "any-object": .object(fields(below), allowsUnknown: true)
        case "string": .text
        case "integer": .integer
        case "number": .number
        case "boolean": .boolean
        case "quantity": .quantity
        case "any": .any
        default: fatalError("no type \(type)")
        }
    }

    // MARK: - What a field must be

    private func attribute(_ word: Substring, _ draft: inout SchemaDraft) {
        let parts = word.split(separator: "=", maxSplits: 1)
        guard parts.count == 2 else { fatalError("no attribute \(word)") }
        switch parts[0] {
        case "enum": draft.words = parts[1].split(separator: "|").map(String.init)
        case "len": draft.length = bounds(parts[1])
        case "n": draft.count = bounds(parts[1])
        case "in": draft.range = bounds(parts[1])
        case "format":
            guard let format = Schema.Format(rawValue: String(parts[1])) else {
                fatalError("no format \(parts[1])")
            }
            draft.format = format
        default: fatalError("no attribute \(word)")
        }
    }

    private func bounds(_ text: Substring) -> Schema.Bounds {
        guard let dots = text.firstRange(of: "..") else { fatalError("no bounds: \(text)") }
        return Schema.Bounds(
            least: Int64(text[..<dots.lowerBound]), most: Int64(text[dots.upperBound...]))
    }

    private func pattern(_ text: Substring) -> Pattern {
        do throws(PatternError) {
            return try Pattern(String(text))
        } catch {
            fatalError("\(text): \(error)")
        }
    }

    private func rules(_ below: [SchemaLine], _ mark: Substring) -> [Schema.Rule] {
        below.filter { $0.head.word == mark }.compactMap { line in
            do throws(ExpressionError) {
                let expression = try Expression(String(line.head.rest))
                // A rule about a change says nothing of a document that stands alone.
                guard !expression.isTransition else { return nil }
                let message = line.below.first.map { String($0.head.rest) }
                return Schema.Rule(
                    expression: expression, message: message ?? "must be: \(line.head.rest)")
            } catch {
                fatalError("\(line.text): \(error)")
            }
        }
    }

    private func value(_ below: [SchemaLine], _ mark: Substring) -> Node? {
        guard let line = below.first(where: { $0.head.word == mark }) else { return nil }
        var composer = Composer(file: "default", log: FindingLog())
        guard let node = composer.documents(of: String(line.head.rest)).first else {
            fatalError("no value: \(line.text)")
        }
        return node
    }
}

/// An overlay put over the lines of a schema.
enum SchemaOverlay {
    static func applied(_ overlay: [SchemaLine], to lines: [SchemaLine]) -> [SchemaLine] {
        var lines = lines
        for change in overlay {
            let (word, rest) = change.head
            if word == "-" {
                let before = lines.count
                lines.removeAll { line in line.below.contains { $0.head.rest == rest } }
                precondition(lines.count < before, "no rule with the message: \(rest)")
                continue
            }
            if word == "?" {
                lines.append(change)
                continue
            }
            let number = lines.firstIndex { line in
                !SchemaParser.isMark(line) && line.head.word.filter { $0 != "!" } == word
            }
            if rest.hasPrefix("+") {
                lines.append(
                    SchemaLine(text: "\(word) \(rest.dropFirst())", below: change.below))
                continue
            }
            guard let number else { fatalError("no field \(word) to change") }
            lines[number] = changed(lines[number], change, rest)
        }
        return lines
    }

    private static func changed(
        _ line: SchemaLine, _ change: SchemaLine, _ rest: Substring
    ) -> SchemaLine {
        var line = line
        let words = rest.split(separator: " ", maxSplits: 1)
        switch words.first {
        case "optional":
            line = SchemaLine(
                text: Substring(line.text.replacing("! ", with: " ", maxReplacements: 1)),
                below: line.below)
        case "later", "infer": line.below.append(SchemaLine(text: rest))
        case "free": line.below.removeAll { $0.head.word == "~" }
        case nil: break
        case let other?: fatalError("no change \(other)")
        }
        line.below = applied(change.below, to: line.below)
        return line
    }
}
