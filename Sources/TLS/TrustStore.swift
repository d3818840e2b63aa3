import COpenSSL

/// Authorities that are believed, and the lists of what they revoked: an `X509_STORE`. Made on the
/// control thread; workers look things up in it under a lock of OpenSSL's.
final class TrustStore: Sendable {
    nonisolated(unsafe) let pointer: OpaquePointer

    /// Where distributions keep the system's authorities in one file: Debian, Fedora, SUSE, Alpine.
    private static let systemFiles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
    ]

    /// The system's authorities, read once for the process: a store of Debian's 140 takes 3 ms and
    /// 1 MB. SSL_CERT_FILE and SSL_CERT_DIR stand in for the usual places. A file is preferred,
    /// because what is in a directory is read by workers, at the first certificate that needs it.
    static let system: TrustStore = {
        let store = TrustStore()
        let named = getenv(X509_get_default_cert_file_env()) != nil
        let files =
            named ? [String(cString: getenv(X509_get_default_cert_file_env()))] : systemFiles
        let isDirectoryNamed = getenv(X509_get_default_cert_dir_env()) != nil
        let isLoaded =
            !isDirectoryNamed && files.contains { X509_STORE_load_file(store.pointer, $0) == 1 }
        if !isLoaded { X509_STORE_set_default_paths(store.pointer) }
        ERR_clear_error()
        return store
    }()

    private init() {
        guard let made = X509_STORE_new() else { fatalError("no memory for authorities") }
        pointer = made
    }

    /// - Parameter authorities: PEM, each of one or more certificates. Any of them ends a chain,
    ///   for whoever named an intermediate authority meant it.
    convenience init(authorities: [String]) throws(TLSConfigurationFault) {
        self.init()
        for text in authorities {
            let handles: [CertificateHandle]
            do throws(CertificateFault) {
                handles = try CertificateHandle.all(in: Array(text.utf8))
            } catch {
                throw .authorities(error)
            }
            for handle in handles { X509_STORE_add_cert(pointer, handle.pointer) }
        }
        X509_STORE_set_flags(pointer, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        ERR_clear_error()
    }

    deinit { X509_STORE_free(pointer) }

    /// From now on a certificate without a valid list of its issuer is not believed.
    /// - Parameter lists: PEM, each of one or more lists (RFC 5280 §5).
    func add(
        revocationLists lists: [String], ofLeafOnly: Bool
    ) throws(TLSConfigurationFault) {
        guard !lists.isEmpty else { return }
        for text in lists {
            let source = MemorySource(Array(text.utf8))
            var count = 0
            ERR_clear_error()
            while let list = PEM_read_bio_X509_CRL(source.pointer, nil, nil, nil) {
                X509_STORE_add_crl(pointer, list)
                X509_CRL_free(list)
                count += 1
            }
            let error = OpenSSLError.take()
            guard count > 0, let error, error.reason == PEM_R_NO_START_LINE else {
                throw .revocationList(error.map(\.text) ?? "none can be read")
            }
        }
        let depth = ofLeafOnly ? 0 : X509_V_FLAG_CRL_CHECK_ALL
        X509_STORE_set_flags(pointer, UInt(X509_V_FLAG_CRL_CHECK | depth))
    }
}
