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
    /// `targetRef` and `targetRefs`.
    var targets: [PolicyTarget] {
        let one = mapping("targetRef").map { [$0] } ?? []
        return (one + mappings("targetRefs")).compactMap { fields in
            guard let kind = fields.text("kind"), let name = fields.text("name") else { return nil }
            return PolicyTarget(
                kind: kind.value, name: name, sectionName: fields.text("sectionName")?.value,
                path: fields.path)
        }
    }
}
