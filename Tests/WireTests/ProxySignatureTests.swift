import Primitives
import Testing
import Wire

@Suite("What is a PROXY header at all")
struct ProxySignatureTests {
    private let parser = ProxyHeaderParser.ordinary
    private static let signatures = [Array("PROXY ".utf8), HeaderBytes.signature]

    @Test("nothing and every beginning of a signature need more", arguments: signatures)
    func beginnings(signature: [UInt8]) {
        for count in 0...signature.count {
            #expect(parser.parse(Array(signature[..<count])) == .needMore)
        }
    }

    @Test("the first byte that differs from both signatures tells", arguments: signatures)
    func differences(signature: [UInt8]) {
        for place in signature.indices {
            for byte in UInt8.min...UInt8.max where byte != signature[place] {
                let isOtherSignature = place == 0 && Self.signatures.contains { $0[0] == byte }
                if isOtherSignature { continue }
                let bytes = signature[..<place] + [byte]
                #expect(parser.parse(Array(bytes)) == .noMatch, "\(byte) at \(place)")
                #expect(parser.parse(Array(bytes + signature[(place + 1)...])) == .noMatch)
            }
        }
    }

    @Test(
        "the first bytes of other protocols are no match",
        arguments: [
            "GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n", "POST / HTTP/1.1\r\n", "PROXY\tTCP4",
            "PROXYTCP4 ", "proxy TCP4 ", "SSH-2.0-OpenSSH\r\n", "\u{16}\u{3}\u{1}", "\r\n\r\nGET",
        ])
    func otherProtocols(text: String) {
        #expect(parser.parse(text) == .noMatch)
    }

    @Test("each fault has a sentence of its own")
    func sentences() {
        let sentences = ProxyFault.allCases.map(\.description)
        #expect(Set(sentences).count == sentences.count)
        #expect(sentences.allSatisfy { $0.contains("PROXY") && !$0.hasSuffix(".") })
    }

    @Test("header and verdict are trivial, so that they may stand in a slab")
    func trivial() {
        #expect(_isPOD(ProxyHeader.self) && _isPOD(ProxyHeaderParser.Verdict.self))
        #expect(_isPOD(ProxyTLVs.self) && _isPOD(ProxyTLV.self))
    }

    @Test("an endpoint is made of a socket's address")
    func endpoints() throws {
        let address = try #require(IPAddress("192.0.2.1"))
        #expect(ProxyEndpoint(.ip(address, port: 1)) == .ip(address, port: 1))
        #expect(ProxyEndpoint(.unix(path: "/run/a")) == .unix)
        #expect(ProxyEndpoint(SocketAddress.ip(address, port: 9).raw) == .ip(address, port: 9))
        #expect(ProxyEndpoint(SocketAddress.unix(path: "@a").raw) == .unix)
        #expect(ProxyEndpoint(RawSocketAddress()) == .unspecified)
    }

    @Test("a parser with too small a limit is not made")
    func limitTooSmall() async {
        await #expect(processExitsWith: .failure) {
            _ = ProxyHeaderParser(bytesMax: 231)
        }
    }
}
