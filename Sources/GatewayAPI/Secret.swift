import Manifest

/// A Secret (v1): here of certificates and keys. Its values are never written to any log.
struct Secret: Sendable {
    let metadata: Metadata
    let type: String
    /// Decoded from base64 (RFC 4648 section 4); `stringData` goes before `data`.
    let data: [String: [UInt8]]

    init(metadata: Metadata, root: Fields) {
        self.metadata = metadata
        type = root.text("type")?.value ?? "Opaque"
        var data: [String: [UInt8]] = [:]
        for (key, text) in root.mapping("data")?.texts ?? [] { data[key] = Base64.decode(text) }
        for (key, text) in root.mapping("stringData")?.texts ?? [] { data[key] = Array(text.utf8) }
        self.data = data
    }
}
