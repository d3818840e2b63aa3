import Manifest

/// A ConfigMap (v1): here of certificate authorities.
struct ConfigMap: Sendable {
    let metadata: Metadata
    let data: [String: String]

    init(metadata: Metadata, root: Fields) {
        self.metadata = metadata
        data = Dictionary(
            (root.mapping("data")?.texts ?? []).map { ($0.key, $0.value) },
            uniquingKeysWith: { first, _ in first })
    }
}
