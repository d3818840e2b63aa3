import Manifest

/// What a policy is about (`targetRef`, `targetRefs[]`): an object of the policy's own namespace,
/// or a section of it: a listener, or a rule of a route.
struct PolicyTarget: Sendable {
    let kind: String
    let name: Located<String>
    let sectionName: String?
    let path: String
}

extension Fields {
    /// - Parameters:
    ///   - group: the only group that targets may have.
    ///   - kinds: the kinds that the policy may target.
    mutating func targets(group: String, kinds: [String]) -> [PolicyTarget] {
        let one = take("targetRef").map { [(node: $0, path: path(of: "targetRef"))] }
        let many = list("targetRefs", count: 1...16)
        let selectors = take("targetSelectors")
        if let selectors {
            log.notServed(
                at: selectors.place, path: path(of: "targetSelectors"),
                "not served yet; name the targets in targetRefs")
        }
        if one == nil, many == nil, selectors == nil {
            log.error(
                at: place, path: path(of: "targetRefs"),
                "either targetRef or targetRefs must be used")
        }
        return ((one ?? []) + (many ?? [])).compactMap { item in
            target(item.node, path: item.path, group: group, kinds: kinds)
        }
    }

    private func target(
        _ node: Node, path: String, group: String, kinds: [String]
    ) -> PolicyTarget? {
        guard var fields = Fields(node, path: path, log: log) else { return nil }
        let wanted = group
        let group = fields.requiredText("group")
        let kind = fields.requiredText("kind")
        let name = fields.requiredText("name")
        let section = fields.text("sectionName")
        fields.finish()
        if let group, group.value != wanted {
            log.error(
                at: group.place, path: "\(path).group",
                "this policy can only have a target group of \(wanted)")
        }
        if let kind, !kinds.contains(kind.value) {
            log.error(
                at: kind.place, path: "\(path).kind",
                "this policy can only have a target kind of \(kinds.joined(separator: ", "))")
        }
        guard let kind, let name else { return nil }
        return PolicyTarget(
            kind: kind.value, name: name, sectionName: section?.value, path: path)
    }
}
