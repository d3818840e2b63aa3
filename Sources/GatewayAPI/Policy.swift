import Manifest

/// A policy of any kind: what it is about, and what it says, as written. What it says is read only
/// where it applies, since a more specific policy may be merged over it before.
struct Policy: Sendable {
    /// `targetRef`, `targetRefs[]`: an object of the policy's own namespace, or a section of it: a
    /// listener, a rule of a route, or a port of a Service.
    struct TargetRef: Sendable {
        let group: String
        let kind: String
        let name: Located<String>
        let sectionName: String?
        let path: String
    }

    /// `targetSelectors[]`: every object of a kind that has these labels.
    struct Selector: Sendable {
        let kind: String
        let labels: LabelSelector
        let place: SourcePlace
        let path: String
    }

    let kind: Kind
    let metadata: Metadata
    let targets: [TargetRef]
    let selectors: [Selector]
    /// `spec.mergeType`: it is laid over the next less specific policy instead of replacing it.
    let isMerged: Bool
    /// Where `targetRef` stands, which Envoy Gateway has deprecated.
    let deprecatedTarget: SourcePlace?
    let spec: Node

    init(kind: Kind, metadata: Metadata, spec fields: Fields) {
        self.kind = kind
        self.metadata = metadata
        let one = fields.mapping("targetRef")
        targets = ((one.map { [$0] } ?? []) + fields.mappings("targetRefs")).compactMap { fields in
            guard let kind = fields.text("kind"), let name = fields.text("name") else { return nil }
            return TargetRef(
                group: fields.text("group")?.value ?? "", kind: kind.value, name: name,
                sectionName: fields.text("sectionName")?.value, path: fields.path)
        }
        selectors = fields.mappings("targetSelectors").compactMap { fields in
            fields.text("kind").map { kind in
                Selector(
                    kind: kind.value, labels: LabelSelector(fields), place: kind.place,
                    path: fields.path)
            }
        }
        isMerged = fields.node("mergeType") != nil
        deprecatedTarget = one?.place
        spec = fields.node
    }

    /// The spec to read.
    func fields(_ log: FindingLog) -> Fields? { Fields(spec, path: "spec", log: log) }
}

/// A value that a policy's spec says, and where.
struct Origin: Hashable, Sendable {
    /// As in `timeout.tcp.connectTimeout`.
    let path: String
    let value: String
    let place: SourcePlace
    /// Nobody wrote it: the schema's default.
    var isDefault = false
    var isEmptyMapping = false
}

extension Node {
    /// This laid over `base` (RFC 7386): mappings are merged field by field, everything else
    /// replaces. Envoy Gateway's `StrategicMerge` differs from `JSONMerge` only for lists of types
    /// that say how they merge, and no field of its policies does.
    func merged(over base: Node) -> Node {
        guard case .mapping(let own) = value, case .mapping(let others) = base.value else {
            return self
        }
        var entries = own.filter { !$0.value.isNull }
        for other in others {
            guard let index = entries.firstIndex(where: { $0.key == other.key }) else {
                if !own.contains(where: { $0.key == other.key }) { entries.append(other) }
                continue
            }
            let mine = entries[index]
            entries[index] = Node.Entry(
                key: mine.key, keyPlace: mine.keyPlace, value: mine.value.merged(over: other.value))
        }
        return Node(place: place, value: .mapping(entries))
    }

    /// Every scalar and empty mapping of a policy's spec, but for what says where the policy
    /// applies.
    var origins: [Origin] {
        var origins: [Origin] = []
        collectOrigins("", isDefault: false, &origins)
        return origins.filter { origin in
            !["targetRef", "targetSelectors", "mergeType"].contains { origin.path.hasPrefix($0) }
        }
    }

    private func collectOrigins(_ path: String, isDefault: Bool, _ origins: inout [Origin]) {
        switch value {
        case .scalar(let scalar):
            origins.append(
                Origin(path: path, value: scalar.text, place: place, isDefault: isDefault))
        case .sequence(let items):
            for (number, item) in items.enumerated() {
                item.collectOrigins("\(path)[\(number)]", isDefault: isDefault, &origins)
            }
        case .mapping(let entries):
            if entries.isEmpty, !path.isEmpty {
                origins.append(
                    Origin(
                        path: path, value: "{}", place: place, isDefault: isDefault,
                        isEmptyMapping: true))
            }
            for entry in entries {
                // Defaults stand where the mapping does that lacks them; what is written stands
                // behind its key.
                entry.value.collectOrigins(
                    path.isEmpty ? entry.key : "\(path).\(entry.key)",
                    isDefault: isDefault || entry.value.place == place, &origins)
            }
        }
    }
}
