import COpenSSL
import Wire

/// Fingerprints of TLS clients as they are written down and compared (`Wire/HelloFingerprint.swift`
/// has what is hashed). They cost some microseconds and memory, so they are made for who asks.
extension HelloFingerprint {
    /// MD5 in hex, 32 digits.
    public var ja3: String { Self.hex(ja3Text, EVP_md5()) }

    /// As in `t13d1516h2_8daaf6152771_e5627efa2ab1`.
    public var ja4: String {
        let text = ja4Text
        return "\(text.summary)_\(Self.short(text.suites))_\(Self.short(text.extensions))"
    }

    private static func short(_ text: String) -> String {
        text.isEmpty
            ? String(repeating: "0", count: 12) : String(hex(text, EVP_sha256()).prefix(12))
    }

    /// Empty where the machine's OpenSSL refuses the algorithm, as one in FIPS mode does MD5.
    private static func hex(_ text: String, _ algorithm: OpaquePointer?) -> String {
        var text = text
        var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        let result = text.withUTF8 { bytes in
            EVP_Digest(bytes.baseAddress, bytes.count, &hash, &count, algorithm, nil)
        }
        guard result == 1 else {
            ERR_clear_error()
            return ""
        }
        return hash.prefix(Int(count)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            .joined()
    }
}
