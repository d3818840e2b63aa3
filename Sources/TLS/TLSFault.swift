import COpenSSL

/// Why a TLS connection failed. A trivial value; its description is one clause for the log.
public struct TLSFault: Error, Hashable, Sendable, BitwiseCopyable {
    public enum Kind: Hashable, Sendable, BitwiseCopyable {
        /// The stream ended without close_notify (RFC 8446 §6.1), or within a record.
        case peerClosed
        /// A fatal alert of the peer's (RFC 8446 §6.2).
        case alertReceived(UInt8)
        case certificateExpired
        case certificateNotYetValid
        /// None of its names is one of those that are expected.
        case certificateWrongHost
        case certificateUntrusted
        case certificateRevoked
        /// No valid list says whether it was revoked.
        case certificateRevocationUnknown
        /// Its (extended) key usage is another.
        case certificateWrongPurpose
        /// It matches none of the hashes.
        case certificateUnpinned
        case clientCertificateMissing
        case protocolVersion
        case noSharedCipher
        /// No group or signature algorithm that both have.
        case noSharedAlgorithm
        case noApplicationProtocol
        /// A record that cannot be decrypted, or is too long.
        case badRecord
        /// No TLS at all: a request in plain HTTP, or other bytes.
        case notTLS
        case malformedMessage
        case unexpectedMessage
        case outOfMemory
        case other
    }

    public let kind: Kind
    /// OpenSSL's own number: an error, or the result of a verification; 0 = none.
    let code: UInt

    public init(_ kind: Kind) {
        self.init(kind, code: 0)
    }

    init(_ kind: Kind, code: UInt) {
        self.kind = kind
        self.code = code
    }
}

extension TLSFault: CustomStringConvertible {
    public var description: String {
        switch kind {
        case .peerClosed: "the peer closed without close_notify"
        case .alertReceived(let number): "the peer sent the alert \(Self.alert(number))"
        case .certificateExpired: "the peer's certificate has expired"
        case .certificateNotYetValid: "the peer's certificate is not valid yet"
        case .certificateWrongHost: "the peer's certificate is for another name"
        case .certificateUntrusted: "the peer's certificate is not trusted\(verification)"
        case .certificateRevoked: "the peer's certificate is revoked"
        case .certificateRevocationUnknown:
            "whether the peer's certificate is revoked is not known\(verification)"
        case .certificateWrongPurpose: "the peer's certificate is for another purpose"
        case .certificateUnpinned: "the peer's certificate matches none of the hashes"
        case .clientCertificateMissing: "the client sent no certificate"
        case .protocolVersion: "the peer has no version of TLS that is allowed"
        case .noSharedCipher: "the peer has no cipher that is allowed"
        case .noSharedAlgorithm: "the peer has no group or signature algorithm that is allowed"
        case .noApplicationProtocol: "the client has none of the application protocols"
        case .badRecord: "a record cannot be decrypted\(reason)"
        case .notTLS: "what the peer sends is not TLS"
        case .malformedMessage: "a message of the peer's is malformed\(reason)"
        case .unexpectedMessage: "a message of the peer's is out of place\(reason)"
        case .outOfMemory: "there is no memory"
        case .other: "TLS failed\(reason)"
        }
    }

    private var verification: String {
        code == 0 ? "" : ": " + String(cString: X509_verify_cert_error_string(Int(code)))
    }

    private var reason: String {
        ERR_reason_error_string(code).map { ": " + String(cString: $0) } ?? ""
    }

    /// As in `certificate_expired`'s words: `certificate expired (45)`.
    private static func alert(_ number: UInt8) -> String {
        "\(String(cString: SSL_alert_desc_string_long(Int32(number)))) (\(number))"
    }
}

// MARK: - OpenSSL's errors

extension TLSFault {
    /// - Parameters:
    ///   - error: of `ERR_get_error(3)`; 0 = there was none.
    ///   - verification: of `SSL_get_verify_result(3)`.
    init(error: UInt, verification: Int) {
        guard error != 0 else {
            self.init(.other)
            return
        }
        let reason = apus_error_reason(error)
        if reason == ERR_R_MALLOC_FAILURE {
            self.init(.outOfMemory)
        } else if apus_error_library(error) != ERR_LIB_SSL {
            // A signature that does not verify, or a point that is none, is told by libcrypto.
            self.init(.malformedMessage, code: error)
        } else if reason == SSL_R_CERTIFICATE_VERIFY_FAILED {
            self.init(Self.kind(verification: Int32(verification)), code: UInt(verification))
        } else if reason >= SSL_AD_REASON_OFFSET {
            self.init(.alertReceived(UInt8(clamping: reason - SSL_AD_REASON_OFFSET)))
        } else {
            self.init(Self.kind(reason: reason), code: error)
        }
    }

    private static func kind(verification: Int32) -> Kind {
        switch verification {
        case X509_V_ERR_CERT_HAS_EXPIRED: .certificateExpired
        case X509_V_ERR_CERT_NOT_YET_VALID: .certificateNotYetValid
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .certificateWrongHost
        case X509_V_ERR_CERT_REVOKED: .certificateRevoked
        case X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_CRL_HAS_EXPIRED,
            X509_V_ERR_CRL_NOT_YET_VALID, X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER,
            X509_V_ERR_CRL_SIGNATURE_FAILURE:
            .certificateRevocationUnknown
        case X509_V_ERR_INVALID_PURPOSE: .certificateWrongPurpose
        case X509_V_ERR_APPLICATION_VERIFICATION: .certificateUnpinned
        case X509_V_ERR_OUT_OF_MEM: .outOfMemory
        default: .certificateUntrusted
        }
    }

    private static func kind(reason: Int32) -> Kind {
        switch reason {
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH,
            SSL_R_BAD_PROTOCOL_VERSION_NUMBER, SSL_R_UNKNOWN_PROTOCOL,
            SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_WRONG_SSL_VERSION:
            .protocolVersion
        case SSL_R_NO_SHARED_CIPHER: .noSharedCipher
        case SSL_R_NO_SHARED_GROUPS, SSL_R_NO_SUITABLE_GROUPS, SSL_R_NO_SUITABLE_KEY_SHARE,
            SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,
            SSL_R_WRONG_SIGNATURE_TYPE, SSL_R_WRONG_CURVE:
            .noSharedAlgorithm
        case SSL_R_NO_APPLICATION_PROTOCOL: .noApplicationProtocol
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: .clientCertificateMissing
        case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, SSL_R_ENCRYPTED_LENGTH_TOO_LONG,
            SSL_R_DATA_LENGTH_TOO_LONG, SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_BAD_RECORD_TYPE,
            SSL_R_LENGTH_TOO_SHORT:
            .badRecord
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST: .notTLS
        case SSL_R_LENGTH_MISMATCH, SSL_R_LENGTH_TOO_LONG, SSL_R_BAD_EXTENSION,
            SSL_R_BAD_KEY_SHARE, SSL_R_BAD_PACKET, SSL_R_BAD_SIGNATURE, SSL_R_DIGEST_CHECK_FAILED,
            SSL_R_EXCESSIVE_MESSAGE_SIZE:
            .malformedMessage
        case SSL_R_UNEXPECTED_MESSAGE, SSL_R_UNEXPECTED_RECORD, SSL_R_NO_RENEGOTIATION,
            SSL_R_TOO_MANY_KEY_UPDATES, SSL_R_TOO_MANY_WARN_ALERTS, SSL_R_RECORD_TOO_SMALL:
            .unexpectedMessage
        default: .other
        }
    }
}
