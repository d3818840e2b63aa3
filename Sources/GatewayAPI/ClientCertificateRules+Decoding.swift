import Routing

/// `spec.tls.clientValidation` of a ClientTrafficPolicy beside what it refers to.
extension ClientCertificateRules {
    init(_ fields: Fields) {
        self.init()
        revocationOfLeafOnly =
            fields.mapping("crl")?.boolean("onlyVerifyLeafCertificate")?.value ?? false
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
