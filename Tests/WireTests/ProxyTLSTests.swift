import Primitives
import Testing
import Traffic

@testable import Wire

@Suite("PROXY protocol, TLS told")
struct ProxyTLSTests {
    /// What is told of a connection by TLS, its TLVs as bytes.
    private static func tlvs(
        _ certificate: ProxyTLS.Certificate = .none, version: String = "TLSv1.3",
        protocolName: String = "h2", serverName: String = "a.example", received: [UInt8] = [],
        capacity: Int = 4_096, hasChecksum: Bool = false
    ) -> [UInt8]? {
        let header = ProxyHeader(
            version: .v2, source: .ip("192.0.2.1", 1), destination: .ip("192.0.2.2", 2),
            tlvs: 0..<received.count)
        let texts = [version, protocolName, serverName].map { Array($0.utf8) }
        var buffer = [UInt8](repeating: 0xee, count: capacity)
        let count = texts[0].withUnsafeBytes { version in
            texts[1].withUnsafeBytes { protocolName in
                texts[2].withUnsafeBytes { serverName in
                    var tls = ProxyTLS(version: version)
                    (tls.protocolName, tls.serverName) = (protocolName, serverName)
                    tls.certificate = certificate
                    return buffer.withUnsafeMutableBytes {
                        ProxyHeaderWriter(version: .v2, hasChecksum: hasChecksum).write(
                            header, received: received.span.bytes, tls: tls, into: $0)
                    }
                }
            }
        }
        return count.map { Array(buffer[28..<$0]) }
    }

    private static func ssl(_ client: UInt8, _ verify: UInt8, _ version: String) -> [UInt8] {
        HeaderBytes.tlv(
            0x20, [client, 0, 0, 0, verify] + HeaderBytes.tlv(0x21, Array(version.utf8)))
    }

    private static let alpn = HeaderBytes.tlv(0x01, Array("h2".utf8))
    private static let authority = HeaderBytes.tlv(0x02, Array("a.example".utf8))

    @Test(
        "protocol, name and version are told, and whether there is a certificate that is believed")
    func told() {
        let rows: [(ProxyTLS.Certificate, UInt8, UInt8)] = [
            (.none, 1, 1), (.shown(isVerified: true), 7, 0), (.shown(isVerified: false), 7, 1),
            (.resumed(isVerified: true), 5, 0), (.resumed(isVerified: false), 5, 1),
        ]
        for (certificate, client, verify) in rows {
            #expect(
                Self.tlvs(certificate)
                    == Self.alpn + Self.authority + Self.ssl(client, verify, "TLSv1.3"))
        }
    }

    @Test("of what there is not, nothing is told")
    func absent() {
        #expect(
            Self.tlvs(version: "TLSv1.2", protocolName: "", serverName: "")
                == Self.ssl(1, 1, "TLSv1.2"))
        #expect(Self.tlvs(protocolName: "") == Self.authority + Self.ssl(1, 1, "TLSv1.3"))
        let long = String(repeating: "a", count: 255)
        #expect(
            Self.tlvs(protocolName: long, serverName: long)
                == HeaderBytes.tlv(1, Array(long.utf8)) + HeaderBytes.tlv(2, Array(long.utf8))
                + Self.ssl(1, 1, "TLSv1.3"))
        #expect(Self.tlvs(serverName: long + "a") == Self.alpn + Self.ssl(1, 1, "TLSv1.3"))
    }

    @Test("what the first proxy has told stays, and the rest is added")
    func received() {
        let theirs = HeaderBytes.tlv(0x02, Array("first.example".utf8))
        #expect(
            Self.tlvs(received: theirs) == theirs + Self.alpn + Self.ssl(1, 1, "TLSv1.3"))
        let all = theirs + HeaderBytes.tlv(0x01, [1]) + Self.ssl(1, 0, "TLSv1.2")
        #expect(Self.tlvs(received: all) == all)
    }

    @Test("the whole is a header, with its checksum, and does not come when it does not fit")
    func whole() throws {
        let long = String(repeating: "a", count: 255)
        let most = ProxyHeaderWriter.bytesMax + ProxyTLS.bytesMax
        let bytes = Self.tlvs(
            version: String(repeating: "v", count: 15), protocolName: long, serverName: long,
            capacity: most, hasChecksum: true)
        #expect(bytes?.count == ProxyTLS.bytesMax + 7)
        #expect(Self.tlvs(capacity: most - 1) == nil)
    }
}
