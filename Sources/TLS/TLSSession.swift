import COpenSSL

/// One end of one TLS connection (RFC 8446, RFC 5246): a trivial handle of an `SSL *`, so that it
/// stands in a worker's slab. Whoever has it calls `free` once. Every call is a step: it reads
/// records from the exchange that the session was made on and writes records to it, and never
/// waits. Worker thread only, and the same one always.
///
/// Between steps OpenSSL keeps no buffers of records (`SSL_MODE_RELEASE_BUFFERS`) but for the
/// beginning of a record whose end has not come.
public struct TLSSession: BitwiseCopyable {
    /// How a handshake stands after a step.
    public enum Progress {
        /// All input is read, and more is needed; or, where `outputRoom` is 0, the output has to be
        /// sent and cleared before the same step goes on.
        case wantsInput
        case done
        case failed(TLSFault)
    }

    /// What a step of reading gave.
    public enum Reading {
        /// So many bytes of plaintext; there may be more, so ask again.
        case bytes(Int)
        /// As `Progress.wantsInput`.
        case wantsInput
        /// The peer's close_notify: it sends nothing more (RFC 8446 §6.1).
        case ended
        case failed(TLSFault)
    }

    /// The most plaintext in one record (RFC 8446 §5.1).
    public static let recordBytesMax = 16_384
    /// The least that records may be limited to; OpenSSL's.
    public static let recordBytesMin = 512
    /// What a record is more than its plaintext, at most: header, explicit nonce or IV, MAC,
    /// padding and content type of all cipher suites (`SSL3_RT_MAX_ENCRYPTED_OVERHEAD` and header).
    static let recordOverheadMax = 5 + 256 + 64

    let pointer: OpaquePointer

    /// - Parameter made: of `SSL_new(3)`, whose owner this becomes; nil = out of memory.
    init?(_ made: OpaquePointer?, on exchange: borrowing RecordExchange) {
        guard let made else {
            ERR_clear_error()
            return nil
        }
        pointer = made
        // One reference for both directions: SSL_set_bio(3) takes the second itself.
        BIO_up_ref(exchange.bio)
        SSL_set_bio(pointer, exchange.bio, exchange.bio)
    }

    /// Room that `write` of so many bytes needs in the output, with records of so many bytes;
    /// beside it, that of a KeyUpdate which has to go first (RFC 8446 §4.6.3).
    public static func outputBytes(
        for count: Int, recordBytesMax: Int = TLSSession.recordBytesMax
    ) -> Int {
        let records = (count + recordBytesMax - 1) / recordBytesMax
        return count + (records + 1) * recordOverheadMax
    }

    /// One step of the handshake. An alert, if one is due, is in the output when it fails.
    public func handshake() -> Progress {
        clearErrors()
        let result = SSL_do_handshake(pointer)
        if result == 1 { return .done }
        switch SSL_get_error(pointer, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wantsInput
        case SSL_ERROR_ZERO_RETURN: return .failed(TLSFault(.peerClosed))
        default: return .failed(takeFault())
        }
    }

    /// Plaintext of one record, or as much of it as there is room for. Needs a handshake that is
    /// done; what comes between (tickets, KeyUpdate) is answered into the output.
    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Reading {
        clearErrors()
        precondition(!buffer.isEmpty)
        var count = 0
        let result = SSL_read_ex(pointer, buffer.baseAddress, buffer.count, &count)
        if result == 1 { return .bytes(count) }
        switch SSL_get_error(pointer, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wantsInput
        case SSL_ERROR_ZERO_RETURN: return .ended
        default: return .failed(takeFault())
        }
    }

    /// All of it becomes records in the output, which must have room for them (`outputBytes`).
    /// - Parameter recordBytesMax: plaintext of one record, 512 to 16,384 (`RecordSizing`).
    public func write(
        _ bytes: UnsafeRawBufferPointer, recordBytesMax: Int = TLSSession.recordBytesMax
    ) -> TLSFault? {
        guard !bytes.isEmpty else { return nil }
        precondition((Self.recordBytesMin...Self.recordBytesMax).contains(recordBytesMax))
        let room = RecordWindows.of(SSL_get_wbio(pointer))?.pointee.outputRoom ?? 0
        precondition(
            room >= Self.outputBytes(for: bytes.count, recordBytesMax: recordBytesMax),
            "\(bytes.count) bytes do not fit into an output with room for \(room)")
        clearErrors()
        apus_ssl_set_record_max(pointer, recordBytesMax)
        var count = 0
        guard SSL_write_ex(pointer, bytes.baseAddress, bytes.count, &count) == 1 else {
            return takeFault()
        }
        precondition(count == bytes.count, "no partial writes were asked for")
        return nil
    }

    /// Whether ALPN has chosen HTTP/2 (RFC 7301, RFC 9113 section 3.2); nil = it has chosen
    /// nothing.
    public var speaksHTTP2: Bool? {
        let name = protocolName
        return name.isEmpty ? nil : name.elementsEqual("h2".utf8)
    }

    /// What ALPN has chosen; empty = nothing. Valid until `free`.
    public var protocolName: UnsafeRawBufferPointer {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(pointer, &name, &count)
        return UnsafeRawBufferPointer(start: name, count: Int(count))
    }

    /// As in `TLSv1.3`, of a handshake that is done. Valid always.
    public var versionName: UnsafeRawBufferPointer {
        guard let name = SSL_get_version(pointer) else { fatalError("every version has a name") }
        return UnsafeRawBufferPointer(start: name, count: strlen(name))
    }

    /// Whether the peer has shown a certificate; nil = none. It is verified only where rules say
    /// whom to believe.
    public var peerCertificate: (isResumed: Bool, isVerified: Bool)? {
        guard SSL_get0_peer_certificate(pointer) != nil else { return nil }
        let isLookedAt = Attachment.of(pointer)?.rules.map { !$0.acceptsAnybody } ?? false
        return (
            SSL_session_reused(pointer) == 1,
            isLookedAt && SSL_get_verify_result(pointer) == Int(X509_V_OK)
        )
    }

    /// The name that the client asked for (RFC 6066 section 3); nil = none. Valid until `free`.
    public var serverName: UnsafeRawBufferPointer? {
        guard let name = SSL_get_servername(pointer, TLSEXT_NAMETYPE_host_name) else { return nil }
        return UnsafeRawBufferPointer(start: name, count: strlen(name))
    }

    /// close_notify into the output: nothing more is written by this end. Nothing happens before
    /// the handshake is done, or after a fault.
    public func sendClose() {
        // OpenSSL puts a session that failed back into the handshake.
        guard SSL_in_init(pointer) == 0 else { return }
        clearErrors()
        _ = SSL_shutdown(pointer)
        clearErrors()
    }

    public func free() {
        // Otherwise a session whose peer sent no close_notify could not be resumed by identifier;
        // that is no danger since TLS 1.1 (RFC 5246 §7.2.1).
        if SSL_in_init(pointer) == 0 {
            SSL_set_shutdown(pointer, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        }
        SSL_free(pointer)
    }

    /// `SSL_get_error(3)` asks the thread's queue, so an error that another session left there
    /// would end this one. Looking costs less than clearing each time.
    private func clearErrors() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    private func takeFault() -> TLSFault {
        let error = ERR_get_error()
        ERR_clear_error()
        return TLSFault(error: error, verification: SSL_get_verify_result(pointer))
    }
}
