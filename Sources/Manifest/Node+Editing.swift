// Nodes made of other nodes: a changed document keeps the places of what it was made of, so that a
// fault in it, or a comment beside it, still leads to the line that its author wrote.

extension Node {
    /// A string.
    package init(_ text: String, at place: SourcePlace) {
        self.init(place: place, value: .scalar(Scalar(text, isText: true)))
    }

    package init(_ number: Int, at place: SourcePlace) {
        self.init(place: place, value: .scalar(Scalar("\(number)", isText: false)))
    }

    package init(_ isTrue: Bool, at place: SourcePlace) {
        self.init(place: place, value: .scalar(Scalar(isTrue ? "true" : "false", isText: false)))
    }

    package init(fields: KeyValuePairs<String, Node>, at place: SourcePlace) {
        let entries = fields.map { Entry(key: $0.key, keyPlace: place, value: $0.value) }
        self.init(place: place, value: .mapping(entries))
    }

    /// Of a mapping; none of anything else.
    package var entries: [Entry] {
        if case .mapping(let entries) = value { entries } else { [] }
    }

    /// Of a list; none of anything else.
    package var items: [Node] {
        if case .sequence(let items) = value { items } else { [] }
    }

    package var text: String? {
        if case .scalar(let scalar) = value { scalar.text } else { nil }
    }

    /// A field that is there and not null.
    package subscript(_ name: String) -> Node? {
        entry(name)?.value
    }

    package func entry(_ name: String) -> Entry? {
        entries.first { $0.key == name && !$0.value.isNull }
    }

    /// With the field's value replaced, or the field added at the end.
    package func setting(_ name: String, _ value: Node, keyPlace: SourcePlace? = nil) -> Node {
        var entries = entries
        let new = Entry(key: name, keyPlace: keyPlace ?? value.place, value: value)
        if let index = entries.firstIndex(where: { $0.key == name }) {
            entries[index] = Entry(key: name, keyPlace: entries[index].keyPlace, value: value)
        } else {
            entries.append(new)
        }
        return Node(place: place, value: .mapping(entries))
    }

    package func removing(_ names: Set<String>) -> Node {
        Node(place: place, value: .mapping(entries.filter { !names.contains($0.key) }))
    }

    /// With what lies at the end of `path` changed, if that is there.
    package func editing(_ path: ArraySlice<String>, _ change: (Node) -> Node) -> Node {
        guard let name = path.first else { return change(self) }
        guard let inner = self[name] else { return self }
        return setting(name, inner.editing(path.dropFirst(), change))
    }

    package func editing(_ path: String..., by change: (Node) -> Node) -> Node {
        editing(path[...], change)
    }

    /// With each item of a list replaced by any number of others.
    package func replacingItems(_ change: (Node) -> [Node]) -> Node {
        guard case .sequence(let items) = value else { return self }
        return Node(place: place, value: .sequence(items.flatMap(change)))
    }

    /// Calls `body` with this node and every one below it.
    package func visit(_ body: (Node) -> Void) {
        body(self)
        for entry in entries { entry.value.visit(body) }
        for item in items { item.visit(body) }
    }

    /// As JSON. A number that JSON cannot write, such as `.inf`, becomes its text.
    package var json: JSON {
        switch value {
        case .mapping(let entries):
            .object(entries.map { JSON.Field(name: $0.key, value: $0.value.json) })
        case .sequence(let items): .array(items.map(\.json))
        case .scalar(let scalar):
            switch scalar.kind {
            case .null: .null
            case .boolean(let value): .boolean(value)
            case .integer(let value): .integer(Int(value))
            case .real:
                Double(scalar.text).flatMap { $0.isFinite ? .real($0) : nil }
                    ?? .text(scalar.text)
            case .text: .text(scalar.text)
            }
        }
    }
}
