import COpenSSL
import Routing

/// What sessions of one kind are made of: an `SSL_CTX`, made on the control thread and only read
/// afterwards, by all workers. Freed with the last of this object and the sessions made of it.
final class SessionSource: Sendable {
    nonisolated(unsafe) let pointer: OpaquePointer

    /// Ciphers of TLS 1.2: forward secrecy and AEAD only, as Envoy's default list has it.
    private static let ciphersUsual = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
    ]
    /// AES-128 first: it is as safe for records and a third cheaper than AES-256.
    private static let suitesUsual = [
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    ]
    private static let suitesKnown = Set(
        suitesUsual + ["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"])
    /// X25519 first: it is the cheapest, and what clients send a key share of.
    private static let curvesUsual = ["X25519", "P-256", "P-384"]

    /// - Parameters:
    ///   - attachment: what callbacks need; lives as long as the `SSL_CTX`.
    init(
        isServer: Bool, _ settings: TLSSettings, _ attachment: Attachment
    ) throws(TLSConfigurationFault) {
        ERR_clear_error()
        guard let made = SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            throw .refused(OpenSSLError.take()?.text ?? "no memory")
        }
        pointer = made
        let kept = Unmanaged.passRetained(attachment)
        guard SSL_CTX_set_ex_data(pointer, Attachment.index, kept.toOpaque()) == 1 else {
            kept.release()
            throw .refused(OpenSSLError.take()?.text ?? "no memory")
        }
        // A write is all or nothing, for the output has room for all of it; without the last,
        // OpenSSL would build and verify the chain anew in each handshake.
        apus_ctx_set_mode(pointer, Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN))
        // Renegotiation has cost more than it ever gave (CVE-2009-3555, CVE-2011-1473), compression
        // tells secrets by its length (CRIME), and the machine's openssl.cnf may allow either.
        SSL_CTX_clear_options(pointer, apus_op_legacy_server_connect)
        SSL_CTX_set_options(
            pointer,
            apus_op_no_renegotiation | apus_op_no_compression
                | apus_op_no_resumption_on_renegotiation)
        try apply(settings)
    }

    deinit { SSL_CTX_free(pointer) }

    /// What `apply` may refuse, said with OpenSSL's words.
    func require(_ result: Int32) throws(TLSConfigurationFault) {
        guard result == 1 else { throw .refused(OpenSSLError.take()?.text ?? "unknown") }
    }

    // MARK: - Versions and algorithms

    private func apply(_ settings: TLSSettings) throws(TLSConfigurationFault) {
        guard settings.versionMin <= settings.versionMax else {
            throw .versions(settings.versionMin.rawValue, settings.versionMax.rawValue)
        }
        // 112 bits: no RSA below 2,048 bits, no SHA-1 in signatures. TLS 1.0 and 1.1 sign with
        // SHA-1 and MD5, so whoever asks for them gives that up.
        SSL_CTX_set_security_level(pointer, settings.versionMin < .v1_2 ? 0 : 2)
        try require(
            apus_ctx_set_versions(
                pointer, settings.versionMin.number, settings.versionMax.number))
        let words = settings.ciphers.map(Self.openSSLName)
        let suites = words.filter(Self.suitesKnown.contains)
        let ciphers = words.filter { !Self.suitesKnown.contains($0) }
        for (word, written) in zip(words, settings.ciphers)
        where !Self.suitesKnown.contains(word) && !takes(cipher: word) {
            ERR_clear_error()
            throw .cipher(written)
        }
        try require(
            SSL_CTX_set_cipher_list(
                pointer, Self.list(ciphers.isEmpty ? Self.ciphersUsual : ciphers)))
        try require(
            SSL_CTX_set_ciphersuites(
                pointer, Self.list(suites.isEmpty ? Self.suitesUsual : suites)))
        for word in settings.curves
        where !Self.isWord(word) || apus_ctx_set_groups(pointer, word) != 1 {
            ERR_clear_error()
            throw .curve(word)
        }
        try require(
            apus_ctx_set_groups(
                pointer, Self.list(settings.curves.isEmpty ? Self.curvesUsual : settings.curves)))
        for word in settings.signatureAlgorithms
        where !Self.isWord(word) || apus_ctx_set_signatures(pointer, word) != 1 {
            ERR_clear_error()
            throw .signatureAlgorithm(word)
        }
        if !settings.signatureAlgorithms.isEmpty {
            try require(
                apus_ctx_set_signatures(pointer, Self.list(settings.signatureAlgorithms)))
        }
    }

    private static func list(_ words: [String]) -> String { words.joined(separator: ":") }

    /// Whether a text is one word of a list, and not several or a command, as `@SECLEVEL=0` is.
    private static func isWord(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: "+"):
                    true
                default: false
                }
            }
    }

    /// The RFCs' names of ciphers below TLS 1.3 in OpenSSL's words; others as they are.
    private static func openSSLName(_ word: String) -> String {
        guard word.hasPrefix("TLS_"), !suitesKnown.contains(word),
            let name = OPENSSL_cipher_name(word)
        else { return word }
        return String(cString: name)
    }

    /// A group of ciphers, such as `HIGH`, is a word for OpenSSL as well; here it is none.
    private func takes(cipher word: String) -> Bool {
        guard Self.isWord(word), SSL_CTX_set_cipher_list(pointer, word) == 1 else { return false }
        return (0..<apus_cipher_count(pointer)).contains { index in
            SSL_CIPHER_get_name(apus_cipher(pointer, index)).map { String(cString: $0) } == word
        }
    }
}

extension TLSSettings.Version {
    /// As it stands in a record.
    fileprivate var number: Int32 {
        switch self {
        case .v1_0: TLS1_VERSION
        case .v1_1: TLS1_1_VERSION
        case .v1_2: TLS1_2_VERSION
        case .v1_3: TLS1_3_VERSION
        }
    }
}

// MARK: - Certificates

extension SessionSource {
    /// A chain and its key. Of each kind of key there can be one.
    func use(_ identity: Identity) throws(TLSConfigurationFault) {
        ERR_clear_error()
        let leaf = identity.certificates[0].pointer
        guard SSL_CTX_use_certificate(pointer, leaf) == 1,
            SSL_CTX_use_PrivateKey(pointer, identity.key.pointer) == 1
        else {
            throw .certificateRefused(identity.name, OpenSSLError.take()?.text ?? "unknown")
        }
        for issuer in identity.certificates.dropFirst()
        where apus_ctx_add_chain(pointer, issuer.pointer) != 1 {
            throw .certificateRefused(identity.name, OpenSSLError.take()?.text ?? "unknown")
        }
    }
}

/// Who a server or client is: a chain, the first being its own, and the key to that. Control thread
/// only, since OpenSSL holds what it needs of it.
struct Identity {
    /// `namespace/name` of the Secret.
    let name: String
    let certificates: [CertificateHandle]
    let key: KeyHandle

    init(_ plan: CertificatePlan) throws(TLSConfigurationFault) {
        name = plan.name
        do throws(CertificateFault) {
            certificates = try CertificateHandle.all(in: Array(plan.chain.utf8))
            key = try KeyHandle(Array(plan.key.utf8))
        } catch {
            throw .certificate(plan.name, error)
        }
        guard X509_check_private_key(certificates[0].pointer, key.pointer) == 1 else {
            ERR_clear_error()
            throw .certificate(plan.name, .keyDiffers)
        }
    }

    /// OpenSSL's number of the kind of key.
    var kind: Int32 { EVP_PKEY_get_base_id(key.pointer) }
}
