import COpenSSL
import Routing

/// Keys, certificates, revocation lists and OCSP responses for tests, made by OpenSSL when a test
/// asks for them. Whoever is issued by one `TestAuthority` is believed by who believes it.
final class TestAuthority: @unchecked Sendable {
    let certificate: OpaquePointer
    let key: TestKey
    let pem: String

    static let usual = TestAuthority("Apus test CA")
    static let other = TestAuthority("Another test CA")

    /// - Parameter parent: nil = signed by itself.
    init(_ name: String, under parent: TestAuthority? = nil) {
        key = TestKey(.ecdsa)
        let made = TestCertificate.make(
            name, key: key, issuer: parent.map { ($0.certificate, $0.key) }, from: -3_600,
            until: 86_400,
            extensions: [
                (NID_basic_constraints, "critical,CA:TRUE"),
                (NID_key_usage, "critical,keyCertSign,cRLSign"),
                (NID_subject_key_identifier, "hash"),
            ])
        certificate = made
        pem = TestText.pem { PEM_write_bio_X509($0, made) }
    }

    /// - Parameters:
    ///   - names: subjectAltNames as OpenSSL's configuration has them, as in `DNS:a.example`.
    ///   - from, until: seconds from now.
    ///   - purpose: the extended key usage.
    func issue(
        _ names: [String], key: TestKey = TestKey(.ecdsa), from: Int = -3_600, until: Int = 86_400,
        purpose: String = "serverAuth,clientAuth", common: String = "Apus test",
        with issuers: [TestAuthority] = []
    ) -> TestCertificate {
        var extensions = [(NID_ext_key_usage, purpose)]
        if !names.isEmpty {
            extensions.append((NID_subject_alt_name, names.joined(separator: ",")))
        }
        return TestCertificate(
            TestCertificate.make(
                common, key: key, issuer: (certificate, self.key), from: from, until: until,
                extensions: extensions), key, issuers.map(\.pem))
    }

    /// A list with those certificates, PEM.
    func revocationList(of revoked: [TestCertificate], until: Int = 86_400) -> String {
        let list = X509_CRL_new()
        X509_CRL_set_version(list, 1)
        X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate))
        let (since, next) = (ASN1_TIME_new(), ASN1_TIME_new())
        X509_gmtime_adj(since, -7_200)
        X509_gmtime_adj(next, until)
        X509_CRL_set1_lastUpdate(list, since)
        X509_CRL_set1_nextUpdate(list, next)
        for each in revoked {
            let entry = X509_REVOKED_new()
            X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(each.pointer))
            X509_REVOKED_set_revocationDate(entry, since)
            X509_CRL_add0_revoked(list, entry)
        }
        X509_CRL_sign(list, key.pointer, EVP_sha256())
        ASN1_TIME_free(since)
        ASN1_TIME_free(next)
        defer { X509_CRL_free(list) }
        return TestText.pem { PEM_write_bio_X509_CRL($0, list) }
    }

    /// An OCSP response about a certificate, DER.
    func staple(
        for subject: TestCertificate, status: Int32 = V_OCSP_CERTSTATUS_GOOD, until: Int = 3_600
    ) -> [UInt8] {
        let basic = OCSP_BASICRESP_new()
        let (since, next) = (ASN1_TIME_new(), ASN1_TIME_new())
        X509_gmtime_adj(since, -7_200)
        X509_gmtime_adj(next, until)
        let id = OCSP_cert_to_id(EVP_sha1(), subject.pointer, certificate)
        let revoked = status == V_OCSP_CERTSTATUS_REVOKED ? since : nil
        OCSP_basic_add1_status(basic, id, status, 0, revoked, since, next)
        OCSP_basic_sign(basic, certificate, key.pointer, EVP_sha256(), nil, 0)
        let response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic)
        var start: UnsafeMutablePointer<UInt8>?
        let count = i2d_OCSP_RESPONSE(response, &start)
        defer {
            OCSP_RESPONSE_free(response)
            OCSP_BASICRESP_free(basic)
            OCSP_CERTID_free(id)
            ASN1_TIME_free(since)
            ASN1_TIME_free(next)
            apus_openssl_free(start)
        }
        return Array(UnsafeBufferPointer(start: start, count: Int(count)))
    }
}

/// A certificate for tests, with its key.
struct TestCertificate: @unchecked Sendable {
    let pointer: OpaquePointer
    let key: TestKey
    /// PEM, its issuers behind it.
    let pem: String

    init(_ pointer: OpaquePointer, _ key: TestKey, _ issuers: [String] = []) {
        self.pointer = pointer
        self.key = key
        pem = TestText.pem { PEM_write_bio_X509($0, pointer) } + issuers.joined()
    }

    /// Signed by itself.
    static func alone(_ names: [String]) -> TestCertificate {
        let key = TestKey(.ecdsa)
        return TestCertificate(
            make(
                "alone", key: key, issuer: nil, from: -60, until: 86_400,
                extensions: [(NID_subject_alt_name, names.joined(separator: ","))]), key)
    }

    /// SHA-256 of the whole, in hex.
    var hash: String {
        var bytes = [UInt8](repeating: 0, count: 32)
        X509_digest(pointer, EVP_sha256(), &bytes, nil)
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }

    /// SHA-256 of the public key, in base64.
    var keyHash: String {
        var start: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pointer), &start)
        defer { apus_openssl_free(start) }
        var bytes = [UInt8](repeating: 0, count: 32)
        EVP_Digest(start, Int(count), &bytes, nil, EVP_sha256(), nil)
        var text = [UInt8](repeating: 0, count: 45)
        EVP_EncodeBlock(&text, bytes, 32)
        return String(decoding: text.prefix(44), as: UTF8.self)
    }

    func plan(_ name: String = "default/cert", staple: [UInt8]? = nil) -> CertificatePlan {
        CertificatePlan(name: name, chain: pem, key: key.pem, ocspStaple: staple)
    }

    fileprivate static func make(
        _ common: String, key: TestKey, issuer: (OpaquePointer, TestKey)?, from: Int, until: Int,
        extensions: [(Int32, String)]
    ) -> OpaquePointer {
        guard let made = X509_new() else { fatalError("no memory") }
        X509_set_version(made, 2)
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), UInt64.random(in: 1...(.max / 2)))
        X509_gmtime_adj(X509_getm_notBefore(made), from)
        X509_gmtime_adj(X509_getm_notAfter(made), until)
        X509_set_pubkey(made, key.pointer)
        let name = X509_get_subject_name(made)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common, -1, -1, 0)
        X509_set_issuer_name(made, issuer.map { X509_get_subject_name($0.0) } ?? name)
        var place = v3_ext_ctx()
        X509V3_set_ctx(&place, issuer?.0 ?? made, made, nil, nil, 0)
        for (kind, text) in extensions {
            let piece = X509V3_EXT_conf_nid(nil, &place, kind, text)
            precondition(piece != nil, text)
            X509_add_ext(made, piece, -1)
            X509_EXTENSION_free(piece)
        }
        precondition(X509_sign(made, (issuer?.1 ?? key).pointer, EVP_sha256()) > 0)
        return made
    }
}

/// A key for tests.
final class TestKey: @unchecked Sendable {
    enum Kind { case ecdsa, rsa, rsa1024 }

    let pointer: OpaquePointer
    let pem: String

    init(_ kind: Kind) {
        let maker = EVP_PKEY_CTX_new_id(kind == .ecdsa ? EVP_PKEY_EC : EVP_PKEY_RSA, nil)
        EVP_PKEY_keygen_init(maker)
        switch kind {
        case .ecdsa: EVP_PKEY_CTX_set_ec_paramgen_curve_nid(maker, NID_X9_62_prime256v1)
        case .rsa: EVP_PKEY_CTX_set_rsa_keygen_bits(maker, 2_048)
        case .rsa1024: EVP_PKEY_CTX_set_rsa_keygen_bits(maker, 1_024)
        }
        var made: OpaquePointer?
        guard EVP_PKEY_keygen(maker, &made) == 1, let made else { fatalError("no key") }
        EVP_PKEY_CTX_free(maker)
        pointer = made
        pem = TestText.pem { PEM_write_bio_PrivateKey($0, made, nil, nil, 0, nil, nil) }
    }
}

/// Text that OpenSSL writes.
enum TestText {
    static func pem(_ write: (OpaquePointer) -> Int32) -> String {
        guard let memory = BIO_new(BIO_s_mem()), write(memory) == 1 else {
            fatalError("nothing was written")
        }
        defer { BIO_free(memory) }
        var start: UnsafeMutablePointer<CChar>?
        let count = BIO_ctrl(memory, BIO_CTRL_INFO, 0, &start)
        return String(
            decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
