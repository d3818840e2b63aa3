import COpenSSL
import Primitives
import Routing

/// A name that a certificate may have, as a rule reads it. Immutable; read by workers.
struct NameRule: Sendable {
    let kind: AlternativeName.Kind
    let test: Test

    enum Test: Sendable {
        /// A server of this name is meant, also by a wildcard (RFC 6125 §6.4.3).
        case host(String)
        case address(IPAddress)
        case exact(String)
        case prefix(String)
        case suffix(String)
        case expression(HTTPTable.Expression)
    }

    /// A server's: an address, a URI or a DNS name.
    init(server text: String) {
        if let address = IPAddress(text) {
            kind = .ip
            test = .address(address)
        } else if text.utf8.contains(UInt8(ascii: ":")) {
            kind = .uri
            test = .exact(text)
        } else {
            kind = .dns
            test = .host(text)
        }
    }

    init(
        _ match: SubjectAltNameMatch, compile: (String) -> HTTPTable.Expression?
    ) throws(TLSConfigurationFault) {
        kind =
            switch match.kind {
            case .dns: .dns
            case .email: .email
            case .ip: .ip
            case .uri: .uri
            case .other(let type): .other(type)
            }
        switch match.text {
        case .exact(let text):
            test =
                match.kind == .dns
                ? .host(text)
                : match.kind == .ip
                    ? IPAddress(text).map(Test.address) ?? .exact(text)
                    : .exact(text)
        case .prefix(let text): test = .prefix(text)
        case .suffix(let text): test = .suffix(text)
        case .expression(let text):
            guard let compiled = compile(text) else { throw .expression(text) }
            test = .expression(compiled)
        }
    }

    func matches(_ name: AlternativeName, of leaf: OpaquePointer) -> Bool {
        guard kind == name.kind else { return false }
        switch test {
        case .host(let host):
            return X509_check_host(leaf, host, host.utf8.count, Self.hostFlags, nil) == 1
        case .address(let address): return IPAddress(name.text) == address
        case .exact(let text): return name.text == text
        case .prefix(let text): return name.text.hasPrefix(text)
        case .suffix(let text): return name.text.hasSuffix(text)
        case .expression(let matches):
            return Array(name.text.utf8).withUnsafeBytes { matches($0) }
        }
    }

    /// A wildcard is a whole label (RFC 9525 §6.3), and the common name is no server's name any
    /// more (RFC 9525 §2).
    static let hostFlags =
        UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS) | UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
}

extension [NameRule] {
    func match(_ name: AlternativeName, of leaf: OpaquePointer) -> Bool {
        contains { $0.matches(name, of: leaf) }
    }
}

/// One of the subjectAltNames of a certificate. A value.
struct AlternativeName: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case dns
        case email
        case ip
        case uri
        /// With this OID.
        case other(String)
    }

    let kind: Kind
    /// An address as `inet_ntop(3)` writes it.
    let text: String
}

/// The subjectAltNames of a certificate, one after another. Freed with its last reference.
final class AlternativeNames: Sequence, IteratorProtocol {
    private let names: OpaquePointer?
    private let count: Int32
    private var index: Int32 = 0

    init(_ certificate: OpaquePointer) {
        names = apus_alternative_names(certificate)
        count = names.map { apus_alternative_count($0) } ?? 0
    }

    deinit { GENERAL_NAMES_free(names) }

    /// Names of other kinds, and those that hide something behind a zero byte, are passed over.
    func next() -> AlternativeName? {
        while index < count {
            defer { index += 1 }
            var start: UnsafePointer<UInt8>?
            let length = apus_alternative_text(names, index, &start)
            guard length > 0, let kind else { continue }
            let bytes = UnsafeBufferPointer(start: start, count: Int(length))
            if kind == .ip {
                guard let address = Self.address(bytes) else { continue }
                return AlternativeName(kind: kind, text: address.description)
            }
            guard !bytes.contains(0) else { continue }
            return AlternativeName(kind: kind, text: String(decoding: bytes, as: UTF8.self))
        }
        return nil
    }

    /// Of the name at `index`.
    private var kind: AlternativeName.Kind? {
        switch UInt32(apus_alternative_kind(names, index)) {
        case UInt32(GEN_DNS): return .dns
        case UInt32(GEN_EMAIL): return .email
        case UInt32(GEN_IPADD): return .ip
        case UInt32(GEN_URI): return .uri
        case UInt32(GEN_OTHERNAME):
            var text = [CChar](repeating: 0, count: 128)
            let count = Int(apus_alternative_type(names, index, &text, Int32(text.count)))
            guard (1..<text.count).contains(count) else { return nil }
            return .other(String(decoding: text.prefix(count).map(UInt8.init), as: UTF8.self))
        default: return nil
        }
    }

    private static func address(_ bytes: UnsafeBufferPointer<UInt8>) -> IPAddress? {
        func number(_ range: Range<Int>) -> UInt64 {
            bytes[range].reduce(0) { $0 << 8 | UInt64($1) }
        }
        switch bytes.count {
        case 4: return IPAddress(v4: UInt32(number(0..<4)))
        case 16: return IPAddress(v6High: number(0..<8), low: number(8..<16))
        default: return nil
        }
    }
}
