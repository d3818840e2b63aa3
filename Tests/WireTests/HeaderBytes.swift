import Primitives
import Wire

/// Builders of PROXY headers for the tests, written from the specification and not from the code
/// under test.
enum HeaderBytes {
    static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]

    /// - Parameter length: what the header says of its length; nil for the truth.
    static func v2(
        versionAndCommand: UInt8 = 0x21, kind: UInt8 = 0x11, length: Int? = nil, body: [UInt8]
    ) -> [UInt8] {
        let length = length ?? body.count
        return signature
            + [versionAndCommand, kind, UInt8(length >> 8), UInt8(length & 0xff)] + body
    }

    /// 192.0.2.1:4660 to 198.51.100.2:443.
    static let ipv4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x34, 0x01, 0xbb]

    /// [2001:db8::1]:4660 to [2001:db8::2]:443.
    static let ipv6: [UInt8] =
        [0x20, 0x01, 0x0d, 0xb8] + Array(repeating: 0, count: 11) + [1]
        + [0x20, 0x01, 0x0d, 0xb8] + Array(repeating: 0, count: 11) + [2]
        + [0x12, 0x34, 0x01, 0xbb]

    static func unix(_ source: String, _ destination: String) -> [UInt8] {
        [source, destination].flatMap { path in
            Array(path.utf8) + Array(repeating: 0, count: 108 - path.utf8.count)
        }
    }

    static func tlv(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        [type, UInt8(value.count >> 8), UInt8(value.count & 0xff)] + value
    }
}

extension ProxyHeaderParser {
    static let ordinary = ProxyHeaderParser(bytesMax: 4096)

    func parse(_ bytes: [UInt8]) -> Verdict { parse(bytes.span.bytes) }

    func parse(_ text: String) -> Verdict { parse(Array(text.utf8)) }
}

extension ProxyEndpoint {
    static func ip(_ text: String, _ port: UInt16) -> ProxyEndpoint {
        guard let address = IPAddress(text) else { fatalError("\(text) is no address") }
        return .ip(address, port: port)
    }
}

extension ProxyHeaderParser.Verdict {
    var header: ProxyHeader? {
        guard case .match(let header, _) = self else { return nil }
        return header
    }

    var length: Int? {
        guard case .match(_, let length) = self else { return nil }
        return length
    }
}

/// Every TLV of a header, in order.
func tlvs(of header: ProxyHeader, in bytes: [UInt8]) -> [(type: UInt8, value: [UInt8])] {
    var cursor = ProxyTLVs(header.tlvs)
    var found: [(type: UInt8, value: [UInt8])] = []
    while let tlv = cursor.next(in: bytes.span.bytes) {
        found.append((tlv.type, Array(bytes[tlv.value])))
    }
    return found
}
