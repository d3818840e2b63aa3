import CSecure

/// What the TLS connections of a load have in common: TLS 1.3, TLS_AES_128_GCM_SHA256 and X25519
/// and nothing else, so that every peer does the same work or refuses. A certificate is not traced
/// to an authority, but its owner's signature is checked. Owned by the one thread that runs it.
struct SecureTerms: ~Copyable {
    static let serverName = "bench.test"
    private static let cipher = "TLS_AES_128_GCM_SHA256"
    private static let group = "X25519"

    let pointer: OpaquePointer

    /// A client's.
    /// - Parameter readBytes: how much is taken off a socket at a time.
    init(readBytes: Int = 17 << 10) {
        pointer = Self.make(TLS_client_method())
        apus_read_ahead(pointer, readBytes)
    }

    /// A server's, for what it costs alone.
    /// - Parameters:
    ///   - identity: a PEM file with a certificate and its key.
    ///   - tickets: how many are sent after a full handshake.
    init(identity: String, tickets: Int) {
        pointer = Self.make(TLS_server_method())
        guard SSL_CTX_use_certificate_chain_file(pointer, identity) == 1,
            SSL_CTX_use_PrivateKey_file(pointer, identity, SSL_FILETYPE_PEM) == 1
        else { fail("\(identity) is no certificate with its key: \(SecureStream.lastError)") }
        guard SSL_CTX_set_num_tickets(pointer, tickets) == 1 else { fail("no \(tickets) tickets") }
    }

    deinit {
        SSL_CTX_free(pointer)
    }

    private static func make(_ method: OpaquePointer?) -> OpaquePointer {
        guard let context = SSL_CTX_new(method) else { fail("no SSL_CTX") }
        guard apus_only_tls13(context) == 1, apus_set_groups(context, group) == 1,
            SSL_CTX_set_ciphersuites(context, cipher) == 1
        else { fail("OpenSSL lacks TLS 1.3, \(cipher) or \(group)") }
        apus_set_modes(context)
        return context
    }

    /// A connection that has not begun.
    func stream() -> OpaquePointer {
        guard let ssl = SSL_new(pointer) else { fail("no SSL") }
        return ssl
    }
}
