import Routing

/// `spec.tls.clientValidation` of a ClientTrafficPolicy beside its authorities.
extension ClientCertificateRules {
    /// Nil where nothing is asked for. What cannot be checked is refused: otherwise anybody with a
    /// certificate would be let in.
    init?(_ fields: Fields) throws(PolicyFault) {
        self.init()
        if fields.node("crl") != nil {
            throw PolicyFault(
                fields, "crl", "is not supported; nobody would be checked against it")
        }
        allowsExpired = fields.boolean("allowExpiredCertificate")?.value ?? false
        publicKeyHashes = fields.texts("spkiHashes").map(\.value)
        certificateHashes = fields.texts("certificateHashes").map(\.value)
        if let names = fields.mapping("subjectAltNames") {
            for (field, kind) in Self.kinds {
                for match in names.mappings(field) {
                    subjectAltNames.append(SubjectAltNameMatch(kind: kind, text: .init(match)))
                }
            }
            for match in names.mappings("otherNames") {
                let oid = match.text("oid")?.value ?? ""
                subjectAltNames.append(
                    SubjectAltNameMatch(kind: .other(oid), text: .init(match)))
            }
        }
        if self == ClientCertificateRules() { return nil }
    }

    private static let kinds: [(String, SubjectAltNameMatch.Kind)] = [
        ("dnsNames", .dns), ("emailAddresses", .email), ("ipAddresses", .ip), ("uris", .uri),
    ]
}

extension SubjectAltNameMatch.Text {
    /// A StringMatch; `Exact` where it has no type.
    init(_ match: Fields) {
        let value = match.text("value")?.value ?? ""
        self =
            switch match.text("type")?.value {
            case "Prefix": .prefix(value)
            case "Suffix": .suffix(value)
            case "RegularExpression": .expression(value)
            default: .exact(value)
            }
    }
}
