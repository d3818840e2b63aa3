import Manifest

/// The fields of a mapping, read by name and type. The document was validated before: a field that
/// is here has its type, so what cannot be read is absent, and nothing is reported twice. `log` is
/// for what no schema says, such as the syntax of an address.
struct Fields {
    let place: SourcePlace
    let path: String
    let log: FindingLog
    let node: Node
    private let entries: [Node.Entry]

    /// An item of a list, with its path.
    struct Item {
        let node: Node
        let path: String
    }

    /// Nil when `node` is no mapping.
    init?(_ node: Node, path: String, log: FindingLog) {
        guard case .mapping(let entries) = node.value else { return nil }
        self.node = node
        self.place = node.place
        self.path = path
        self.log = log
        self.entries = entries
    }

    func path(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// The field's value; nil when it is absent or null.
    func node(_ name: String) -> Node? {
        guard let entry = entries.first(where: { $0.key == name }), !entry.value.isNull else {
            return nil
        }
        return entry.value
    }

    // MARK: - Scalars

    func text(_ name: String) -> Located<String>? {
        guard let node = node(name), case .scalar(let scalar) = node.value else { return nil }
        return Located(value: scalar.text, place: node.place)
    }

    func integer(_ name: String) -> Located<Int64>? {
        guard let node = node(name), case .scalar(let scalar) = node.value,
            case .integer(let value) = scalar.kind
        else { return nil }
        return Located(value: value, place: node.place)
    }

    /// One that fits; the schemas bound what must.
    func number<Number: FixedWidthInteger & Sendable>(_ name: String) -> Located<Number>? {
        integer(name).flatMap { value in
            Number(exactly: value.value).map { Located(value: $0, place: value.place) }
        }
    }

    func port(_ name: String = "port") -> Located<UInt16>? { number(name) }

    func boolean(_ name: String) -> Located<Bool>? {
        guard let node = node(name), case .scalar(let scalar) = node.value,
            case .boolean(let value) = scalar.kind
        else { return nil }
        return Located(value: value, place: node.place)
    }

    /// A GEP-2257 duration in milliseconds; what is longer than 49 days is 49 days.
    func duration(_ name: String) -> Located<UInt32>? {
        text(name).flatMap { text in
            DurationText.milliseconds(text.value).map {
                Located(value: UInt32(clamping: $0), place: text.place)
            }
        }
    }

    // MARK: - Collections

    /// The mapping in a field. An empty one counts: `proxyProtocol: {}` says something.
    func mapping(_ name: String) -> Fields? {
        node(name).flatMap { Fields($0, path: path(of: name), log: log) }
    }

    func list(_ name: String) -> [Item] {
        guard let node = node(name), case .sequence(let items) = node.value else { return [] }
        let path = path(of: name)
        return items.enumerated().map { Item(node: $1, path: "\(path)[\($0)]") }
    }

    /// The items that are mappings.
    func mappings(_ name: String) -> [Fields] {
        list(name).compactMap { Fields($0.node, path: $0.path, log: log) }
    }

    /// The items that are scalars, as text.
    func texts(_ name: String) -> [Located<String>] {
        list(name).compactMap { item in
            guard case .scalar(let scalar) = item.node.value else { return nil }
            return Located(value: scalar.text, place: item.node.place)
        }
    }

    /// Every field with its text, as of labels.
    var texts: [(key: String, value: String)] {
        entries.compactMap { entry in
            guard case .scalar(let scalar) = entry.value.value else { return nil }
            return (entry.key, scalar.text)
        }
    }

    // MARK: - References

    func reference(_ name: String, kind: String, namespace: String) -> ObjectReference? {
        mapping(name).flatMap { ObjectReference($0, kind: kind, namespace: namespace) }
    }

    func references(_ name: String, kind: String, namespace: String) -> [ObjectReference] {
        mappings(name).compactMap { ObjectReference($0, kind: kind, namespace: namespace) }
    }
}
