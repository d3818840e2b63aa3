import Testing

@testable import TLS

@Suite("Certificates and their keys")
struct CertificateTests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func names(_ pem: String) throws -> [[String]] {
        try Certificate.all(in: bytes(pem)).map { $0.names.map(\.text) }
    }

    @Test("the names are those of the subjectAltName, or the common name")
    func names() throws {
        #expect(try Self.names(Sample.several) == [["a.example.com", "*.example.org"]])
        #expect(try Self.names(Sample.named) == [["plain.example.net"]])
    }

    @Test("a chain is read in order, with what people write between its certificates")
    func chain() throws {
        let text = "its own:\n\(Sample.several)\nCA:\r\n\(Sample.named)\n\n"
        #expect(try Self.names(text).count == 2)
        let chain = try CertificateChain(Self.bytes(text), key: Self.bytes(Sample.severalKey))
        #expect(chain.certificates.map { $0.names.count } == [2, 1])
    }

    @Test("what is no certificate is refused, and the one that is broken is counted")
    func malformed() {
        for text in ["", "hello", Sample.severalKey] {
            #expect(throws: CertificateFault.missing) { try Self.names(text) }
        }
        let cut = Sample.several.replacing("-----END CERTIFICATE-----", with: "")
        let lines = Sample.several.split(separator: "\n")
        let short = (lines.prefix(3) + lines.suffix(2)).joined(separator: "\n")
        for text in [cut, short, "\(Sample.named)\n\(short)"] {
            let fault = #expect(throws: CertificateFault.self) { try Self.names(text) }
            guard case .malformed(let number, let reason)? = fault else {
                Issue.record("\(String(describing: fault))")
                continue
            }
            #expect(number == (text.hasPrefix(Sample.named) ? 2 : 1))
            #expect(!reason.isEmpty)
        }
    }

    @Test("every beginning of a certificate and its key is refused or read, and nothing is kept")
    func beginnings() {
        let whole = Self.bytes(Sample.several)
        for count in 0..<whole.count {
            _ = try? Certificate.all(in: Array(whole.prefix(count)))
            _ = try? CertificateChain(whole, key: Array(whole.prefix(count)))
        }
        #expect(OpenSSLError.take() == nil)
    }

    @Test("a key must be there, open, and the certificate's")
    func keys() throws {
        func fault(_ key: String) -> CertificateFault? {
            #expect(throws: CertificateFault.self) {
                try CertificateChain(Self.bytes(Sample.several), key: Self.bytes(key))
            }
        }
        #expect(fault("") == .noKey)
        #expect(fault(Sample.several) == .noKey)
        #expect(fault(Sample.encryptedKey) == .keyIsEncrypted)
        #expect(fault(Sample.otherKey) == .keyDiffers)
        let lines = Sample.severalKey.split(separator: "\n")
        let short = (lines.prefix(2) + lines.suffix(1)).joined(separator: "\n")
        guard case .keyMalformed? = fault(short) else {
            Issue.record("a key without its end is none")
            return
        }
    }

    @Test(
        "names overlap where one server is meant by both",
        arguments: [
            ("a.example", "a.example", true), ("a.example", "b.example", false),
            ("*.example", "a.example", true), ("*.example", "a.b.example", false),
            ("*.example", "*.example", true), ("*.example", "*.a.example", false),
            ("*.example", "example", false), ("example", "example", true),
            ("localhost", "a", false),
        ])
    func overlap(_ one: String, _ other: String, _ expected: Bool) {
        let (one, other) = (CertificateName(one), CertificateName(other))
        #expect(one.overlaps(other) == expected)
        #expect(other.overlaps(one) == expected)
    }
}

/// Made by `openssl req -x509` for these tests; nobody trusts them.
private enum Sample {
    static let several = """
        -----BEGIN CERTIFICATE-----
        MIIBpzCCAU6gAwIBAgIUb+DMgOSewAsN5H7xCR+lqnYfcw0wCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJQXB1cyB0ZXN0MCAXDTI2MTEyMzE0NDQ1MVoYDzIxMjYxMDMw
        MTQ0NDUxWjAUMRIwEAYDVQQDDAlBcHVzIHRlc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAAQnSAst1AxufEzIhsBkeU8kckPesRCI6DevLTbS9Lmnd7pwm0GI7f7t
        IIFCRIiLPSgXv0+LT95tNVuBuhH231iSo3wwejAdBgNVHQ4EFgQUyC4u2tglK+Dj
        lriS5FJ5y3xfDBEwHwYDVR0jBBgwFoAUyC4u2tglK+DjlriS5FJ5y3xfDBEwDwYD
        VR0TAQH/BAUwAwEB/zAnBgNVHREEIDAegg1hLmV4YW1wbGUuY29tgg0qLmV4YW1w
        bGUub3JnMAoGCCqGSM49BAMCA0cAMEQCIGEOd3e9/gAS0z012pzAQzi0oL284eE1
        +aen/ym3ydTGAiBE64524Xjn4XRM0hCjbIyUN8VH2JOeckGoCWjLrn7IDg==
        -----END CERTIFICATE-----
        """
    static let severalKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghwoFiWVLD2KbZZF4
        v3mhRxIgHSWXe5VbjwG3ee5XoQWhRANCAAQnSAst1AxufEzIhsBkeU8kckPesRCI
        6DevLTbS9Lmnd7pwm0GI7f7tIIFCRIiLPSgXv0+LT95tNVuBuhH231iS
        -----END PRIVATE KEY-----
        """
    static let named = """
        -----BEGIN CERTIFICATE-----
        MIIBjzCCATWgAwIBAgIUZe2XT32BjZnouTMxtwSVOiBNjUIwCgYIKoZIzj0EAwIw
        HDEaMBgGA1UEAwwRcGxhaW4uZXhhbXBsZS5uZXQwIBcNMjYxMTIzMTQ0NDUxWhgP
        MjEyNjEwMzAxNDQ0NTFaMBwxGjAYBgNVBAMMEXBsYWluLmV4YW1wbGUubmV0MFkw
        EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAES7McFt6VXIPy7cwn1T7sG2CXLfFLYkKm
        lWML1OoOZyXIhnK6S6yaowAFOu2W5qDH5aQKtZxUpYPv04djydrcmKNTMFEwHQYD
        VR0OBBYEFJU5xPKyKhf4axgQhupC8hXicC3LMB8GA1UdIwQYMBaAFJU5xPKyKhf4
        axgQhupC8hXicC3LMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIg
        Fn0RIaEICxqu090H5fsXMP1e6INavBJPfUFII4TvzeMCIQDC3ClNc0Nsua6RBZMp
        xGoMnKIaUpFL1/sULPsHhdN1gQ==
        -----END CERTIFICATE-----
        """
    static let otherKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPWzNwjARUqRUva+T
        Tafksr/q5Byq5gIaYiNY5+xlC6yhRANCAAS7dOYJNXkzlJAIXfPUYcrhXALcHVXY
        iEnd80U9NOsl1RWJOK4TxJ4U8kX7otmcd5uAyXuwSBgweDtIyz4+nt9N
        -----END PRIVATE KEY-----
        """
    static let encryptedKey = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHrMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAhAcMnS/YuP9wIBATAM
        BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQPFcMKikJD0WOJPYPcQSwxgSBkMbH
        SEUPLlkBqC0e87AXsJhhiqZT4GrlW4TpQEAOpNqrSEzN8uArvXQNkBLNVQB8+ZQI
        LPIKKTomKrJY01tnEi2o6B1mdjt7otsC3D4GZU5DbfgD2AehMaVdiYhoSgLoNQ7x
        mO9EydvII9zs6+ez6My527yJMCEaloFCN21gQ7iFHZxKbNmPtcknV1xdI6GmPw==
        -----END ENCRYPTED PRIVATE KEY-----
        """
}
