import COpenSSL
import Primitives
import Routing
import Testing

@testable import TLS

@Suite("TLS handshakes in memory")
struct HandshakeTests {
    @Test(
        "client and server come together and move bytes",
        arguments: [TLSSettings.Version.v1_2, .v1_3])
    func usual(_ version: TLSSettings.Version) throws {
        let server = try TestPlans.server { $0.settings.versionMax = version }
        let talk = Conversation(try TestPlans.client(), server)
        talk.shakeHands()
        try #require(talk.isEstablished)
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        #expect(talk.writeClient(bytes) == nil)
        #expect(talk.readServer().bytes == bytes)
        #expect(talk.writeServer(bytes) == nil)
        #expect(talk.readClient().bytes == bytes)
    }

    @Test(
        "a resumed handshake has its name, and brings what the next one is resumed by",
        arguments: [TLSSettings.Version.v1_2, .v1_3])
    func resumption(_ version: TLSSettings.Version) throws {
        let client = try TestPlans.client()
        let server = try TestPlans.server {
            $0.settings.versionMax = version
            $0.resumesByTicket = true
        }
        for number in 0..<5 {
            let talk = Conversation(client, server)
            talk.shakeHands()
            try #require(talk.isEstablished)
            // Tickets of TLS 1.3 come behind the handshake.
            _ = talk.readClient()
            let isResumed = SSL_session_reused(talk.server.session.pointer) == 1
            #expect(isResumed == (number > 0), "handshake \(number)")
            let name = talk.server.session.serverName.map { String(decoding: $0, as: UTF8.self) }
            #expect(name == "a.example", "handshake \(number)")
        }
    }
}
