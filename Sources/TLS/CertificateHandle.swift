import COpenSSL

/// A certificate of OpenSSL's. Freed with its last reference.
final class CertificateHandle {
    let pointer: OpaquePointer

    private init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit { X509_free(pointer) }

    static func all(in pem: [UInt8]) throws(CertificateFault) -> [CertificateHandle] {
        let source = MemorySource(pem)
        var found: [CertificateHandle] = []
        ERR_clear_error()
        while let next = PEM_read_bio_X509(source.pointer, nil, nil, nil) {
            found.append(CertificateHandle(next))
        }
        // The end of the text is an error too.
        let error = OpenSSLError.take()
        guard let error, error.library != ERR_LIB_PEM || error.reason != PEM_R_NO_START_LINE else {
            guard !found.isEmpty else { throw .missing }
            return found
        }
        throw .malformed(found.count + 1, error.text)
    }

    /// See `Certificate.names`.
    var names: [String] {
        if let alternatives = apus_alternative_names(pointer) {
            defer { GENERAL_NAMES_free(alternatives) }
            let names = (0..<apus_alternative_count(alternatives)).compactMap { index in
                var text: UnsafePointer<UInt8>?
                let count = apus_alternative_dns(alternatives, index, &text)
                return count > 0 ? Self.text(text, Int(count)) : nil
            }
            if !names.isEmpty { return names }
        }
        let subject = X509_get_subject_name(pointer)
        let place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard place >= 0, let entry = X509_NAME_get_entry(subject, place),
            let value = X509_NAME_ENTRY_get_data(entry)
        else { return [] }
        let text = Self.text(ASN1_STRING_get0_data(value), Int(ASN1_STRING_length(value)))
        return text.isEmpty ? [] : [text]
    }

    private static func text(_ start: UnsafePointer<UInt8>?, _ count: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
            .lowercased()
    }
}

/// A private key of OpenSSL's. Freed with its last reference.
final class KeyHandle {
    let pointer: OpaquePointer

    init(_ pem: [UInt8]) throws(CertificateFault) {
        let source = MemorySource(pem)
        ERR_clear_error()
        // Without a callback OpenSSL would ask for a pass phrase at the terminal.
        var isEncrypted = false
        let key = PEM_read_bio_PrivateKey(
            source.pointer, nil,
            { _, _, _, isEncrypted in
                isEncrypted?.storeBytes(of: true, as: Bool.self)
                return -1
            }, &isEncrypted)
        guard let key else {
            let error = OpenSSLError.take()
            if isEncrypted { throw .keyIsEncrypted }
            // OpenSSL does not tell what is no key from one that it cannot read.
            guard String(decoding: pem, as: UTF8.self).contains("PRIVATE KEY-----") else {
                throw .noKey
            }
            throw .keyMalformed(error?.text ?? "unknown")
        }
        pointer = key
    }

    deinit { EVP_PKEY_free(pointer) }
}

/// Bytes that OpenSSL reads from. Freed with its last reference.
final class MemorySource {
    let pointer: OpaquePointer

    init(_ bytes: [UInt8]) {
        // Copied, since an array's memory may move.
        guard let pointer = BIO_new(BIO_s_mem()) else { fatalError("no memory for a BIO") }
        let count = BIO_write(pointer, bytes, Int32(bytes.count))
        precondition(Int(count) == bytes.count || bytes.isEmpty, "memory takes all that is written")
        self.pointer = pointer
    }

    deinit { BIO_free(pointer) }
}
