import COpenSSL
import Routing
import Testing

@testable import TLS

@Suite("OCSP responses")
struct StapleTests {
    private static let authority = TestAuthority.usual
    private static let subject = authority.issue(["DNS:a.example"])
    private static let withIssuer = authority.issue(["DNS:a.example"], with: [authority])

    private static func fault(
        _ response: [UInt8], of subject: TestCertificate = subject, inSeconds: Int = 0
    ) -> StapleFault? {
        Staple.fault(
            of: response, about: Array(subject.pem.utf8), nowSeconds: Staple.now + inSeconds)
    }

    @Test("one that is good is taken, with the issuer in the chain and without")
    func good() {
        #expect(Self.fault(Self.authority.staple(for: Self.subject)) == nil)
        #expect(
            Self.fault(Self.authority.staple(for: Self.withIssuer), of: Self.withIssuer) == nil)
    }

    @Test("what is none, or about another certificate or issuer, is told apart")
    func refused() {
        let good = Self.authority.staple(for: Self.subject)
        #expect(Self.fault([]) == .malformed)
        #expect(Self.fault(good + [0]) == .malformed)
        for count in stride(from: 1, to: good.count, by: 7) {
            #expect(Self.fault(Array(good.prefix(count))) == .malformed, "\(count) bytes")
        }
        #expect(Self.fault([0x30, 3, 0x0a, 1, 3]) == .unsuccessful)
        #expect(Self.fault([UInt8](repeating: 0x30, count: Staple.bytesMax + 1)) == .tooLong)
        let other = Self.authority.issue(["DNS:a.example"])
        #expect(Self.fault(Self.authority.staple(for: other)) == .foreign)
        // Another's key, of which nothing is known where the chain has no issuer.
        #expect(Self.fault(TestAuthority.other.staple(for: Self.subject)) == nil)
        #expect(
            Self.fault(TestAuthority.other.staple(for: Self.withIssuer), of: Self.withIssuer)
                == .foreign)
    }

    @Test("one that says anything but good is refused")
    func statuses() {
        let revoked = Self.authority.staple(
            for: Self.subject, status: V_OCSP_CERTSTATUS_REVOKED)
        #expect(Self.fault(revoked) == .revoked)
        let unknown = Self.authority.staple(
            for: Self.subject, status: V_OCSP_CERTSTATUS_UNKNOWN)
        #expect(Self.fault(unknown) == .unknown)
    }

    @Test("it is good from thisUpdate, give or take a clock, until nextUpdate")
    func times() {
        let response = Self.authority.staple(for: Self.subject, until: 3_600)
        #expect(Self.fault(response, inSeconds: 3_590) == nil)
        #expect(Self.fault(response, inSeconds: 3_610) == .expired)
        #expect(Self.fault(response, inSeconds: -7_200 - 290) == nil)
        #expect(Self.fault(response, inSeconds: -7_200 - 310) == .early)
    }

    @Test(
        "who asks gets the response of the certificate that it is shown, who does not gets none",
        arguments: [TLSSettings.Version.v1_2, .v1_3])
    func handed(_ version: TLSSettings.Version) throws {
        let plain = Self.authority.issue(["DNS:b.example"])
        let response = Self.authority.staple(for: Self.subject)
        let server = try TestPlans.server([
            Self.subject.plan(staple: response), plain.plan("default/plain"),
        ]) { $0.settings.versionMax = version }
        #expect(try Self.shown(by: server, name: "a.example", asks: true) == response)
        #expect(try Self.shown(by: server, name: "a.example", asks: false) == nil)
        #expect(try Self.shown(by: server, name: "b.example", asks: true) == nil)
    }

    @Test("one that has expired since is not handed out")
    func expired() throws {
        let response = Self.authority.staple(for: Self.subject, until: -1)
        let server = try TestPlans.server([Self.subject.plan(staple: response)])
        #expect(try Self.shown(by: server, name: "a.example", asks: true) == nil)
    }

    @Test("a plan whose response is none is refused with the Secret's name")
    func planRefused() {
        #expect(throws: TLSConfigurationFault.staple("default/cert", .malformed)) {
            try TestPlans.server([Self.subject.plan(staple: [1, 2, 3])])
        }
    }

    /// What a client gets.
    private static func shown(
        by server: TLSServer, name: String, asks: Bool
    ) throws -> [UInt8]? {
        let talk = Conversation(try TestPlans.client(), server, name: name)
        if asks { apus_ssl_ask_status(talk.client.session.pointer) }
        talk.shakeHands()
        try #require(talk.isEstablished)
        var start: UnsafePointer<UInt8>?
        let count = apus_ssl_status(talk.client.session.pointer, &start)
        return count > 0
            ? Array(UnsafeBufferPointer(start: start, count: Int(count))) : nil
    }
}
