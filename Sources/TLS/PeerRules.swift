import COpenSSL
import Primitives
import Routing

/// What a peer's certificate has to be, beside what OpenSSL looks at itself (signatures, validity,
/// purpose, the one name of a server). Immutable; called by workers in a handshake, once a
/// certificate that is no resumed session's.
final class PeerRules: Sendable {
    /// Nothing is looked at.
    let acceptsAnybody: Bool
    /// The chain has to lead to an authority.
    let verifiesChain: Bool
    let allowsExpired: Bool
    /// One of them has to be there; empty = any will do.
    let names: [NameRule]
    /// SHA-256 of the public key and of the certificate; one of all these has to match.
    let publicKeyHashes: [[UInt8]]
    let certificateHashes: [[UInt8]]
    /// A server is only who it says when somebody said who it should be.
    let needsName: Bool

    /// Anybody may be at the other end.
    static let anybody = PeerRules(acceptsAnybody: true)

    private init(acceptsAnybody: Bool) {
        self.acceptsAnybody = acceptsAnybody
        verifiesChain = false
        allowsExpired = false
        names = []
        publicKeyHashes = []
        certificateHashes = []
        needsName = false
    }

    /// Of a server.
    /// - Parameter names: DNS names, IP addresses or URIs; empty = each session has one.
    init(serverNames names: [String]) {
        acceptsAnybody = false
        verifiesChain = true
        allowsExpired = false
        self.names = names.map(NameRule.init(server:))
        publicKeyHashes = []
        certificateHashes = []
        needsName = names.isEmpty
    }

    /// Of clients.
    init(
        _ rules: ClientCertificateRules, verifiesChain: Bool,
        compile: (String) -> HTTPTable.Expression?
    ) throws(TLSConfigurationFault) {
        acceptsAnybody = false
        self.verifiesChain = verifiesChain
        allowsExpired = rules.allowsExpired
        needsName = false
        var names: [NameRule] = []
        for match in rules.subjectAltNames {
            names.append(try NameRule(match, compile: compile))
        }
        self.names = names
        var hashes: [[UInt8]] = []
        for text in rules.publicKeyHashes {
            guard let hash = Self.base64(text) else { throw .certificateHash(text) }
            hashes.append(hash)
        }
        publicKeyHashes = hashes
        hashes = []
        for text in rules.certificateHashes {
            guard let hash = Self.hex(text) else { throw .certificateHash(text) }
            hashes.append(hash)
        }
        certificateHashes = hashes
        guard verifiesChain || !publicKeyHashes.isEmpty || !certificateHashes.isEmpty else {
            throw .nothingToVerifyAgainst
        }
    }

    // MARK: - In a handshake

    /// `SSL_CTX_set_cert_verify_callback(3)`: whether the peer is believed. What is wrong is left
    /// in `store`, from where OpenSSL chooses the alert.
    func verify(_ store: OpaquePointer?) -> Int32 {
        guard !acceptsAnybody else {
            X509_STORE_CTX_set_error(store, X509_V_OK)
            return 1
        }
        if verifiesChain {
            if allowsExpired {
                X509_STORE_CTX_set_verify_cb(store) { isGood, store in
                    isGood == 1 || X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_HAS_EXPIRED
                        ? 1 : 0
                }
            }
            guard X509_verify_cert(store) == 1 else { return 0 }
        }
        guard let leaf = X509_STORE_CTX_get0_cert(store) else {
            X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED)
            return 0
        }
        if needsName, !Self.hasName(X509_STORE_CTX_get0_param(store)) {
            X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH)
            return 0
        }
        if !names.isEmpty, !AlternativeNames(leaf).contains(where: { names.match($0, of: leaf) }) {
            X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH)
            return 0
        }
        guard matchesHashes(leaf) else {
            X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
            return 0
        }
        X509_STORE_CTX_set_error(store, X509_V_OK)
        return 1
    }

    /// Whether OpenSSL looked for a name or an address.
    private static func hasName(_ parameters: OpaquePointer?) -> Bool {
        if X509_VERIFY_PARAM_get0_host(parameters, 0) != nil { return true }
        guard let address = X509_VERIFY_PARAM_get1_ip_asc(parameters) else { return false }
        apus_openssl_free(address)
        return true
    }

    private func matchesHashes(_ leaf: OpaquePointer) -> Bool {
        guard !publicKeyHashes.isEmpty || !certificateHashes.isEmpty else { return true }
        if !certificateHashes.isEmpty,
            let hash = Self.digest({ X509_digest(leaf, EVP_sha256(), $0, $1) }),
            certificateHashes.contains(hash)
        {
            return true
        }
        guard !publicKeyHashes.isEmpty else { return false }
        var start: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &start)
        guard count > 0, let start else { return false }
        defer { apus_openssl_free(start) }
        let hash = Self.digest { EVP_Digest(start, Int(count), $0, $1, EVP_sha256(), nil) }
        return hash.map(publicKeyHashes.contains) ?? false
    }

    private static func digest(
        _ make: (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>?) -> Int32
    ) -> [UInt8]? {
        var count: UInt32 = 0
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        guard make(&bytes, &count) == 1 else { return nil }
        return Array(bytes.prefix(Int(count)))
    }

    // MARK: - Hashes as they are written

    private static let hashBytes = 32

    private static func hex(_ text: String) -> [UInt8]? {
        let digits = text.utf8.filter { $0 != UInt8(ascii: ":") }
        guard digits.count == 2 * hashBytes else { return nil }
        let values = digits.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard values.count == digits.count else { return nil }
        return (0..<hashBytes).map { UInt8(values[2 * $0] * 16 + values[2 * $0 + 1]) }
    }

    private static func base64(_ text: String) -> [UInt8]? {
        // 32 bytes are 43 digits and one to fill.
        let input = Array(text.utf8)
        guard input.count == 44, input.last == UInt8(ascii: "="),
            input[42] != UInt8(ascii: "=")
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: 33)
        defer { ERR_clear_error() }
        guard EVP_DecodeBlock(&bytes, input, Int32(input.count)) == 33 else { return nil }
        return Array(bytes.prefix(hashBytes))
    }
}
