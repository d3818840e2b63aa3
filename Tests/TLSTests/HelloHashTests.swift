import Testing
import Traffic
import Wire

@testable import TLS

@Suite("Fingerprints of clients")
struct HelloHashTests {
    private static func fingerprint(_ hello: HelloBytes) throws -> HelloFingerprint {
        let found = withUnsafeTemporaryAllocation(byteCount: 32_768, alignment: 1) { scratch in
            hello.records().withUnsafeBytes { bytes -> HelloFingerprint? in
                guard case .match(let hello) = ClientHelloParser().parse(bytes, scratch: scratch)
                else { return nil }
                return HelloFingerprint(hello)
            }
        }
        return try #require(found)
    }

    @Test("hellos have the hashes that are published for them")
    func published() throws {
        #expect(
            try Self.fingerprint(.ja3Example).ja3 == "ada70206e40642a3e4461f35503241d5")
        #expect(
            try Self.fingerprint(.ja3ExampleBare).ja3 == "de350869b8c85de67a350c8d186f11e6")
        #expect(
            try Self.fingerprint(.ja4Example).ja4 == "t13d1516h2_8daaf6152771_e5627efa2ab1")
    }

    @Test("without signature algorithms, or anything at all, the last part is as published")
    func parts() throws {
        var hello = HelloBytes.ja4Example
        hello.extensions = hello.extensions?.map { $0.type == 13 ? .init(13, []) : $0 }
        #expect(try Self.fingerprint(hello).ja4 == "t13d1516h2_8daaf6152771_6d807ffa2a79")
        hello.extensions = nil
        #expect(try Self.fingerprint(hello).ja4 == "t12i150000_8daaf6152771_000000000000")
    }
}
