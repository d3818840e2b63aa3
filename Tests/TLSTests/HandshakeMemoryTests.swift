import CLinux
import COpenSSL
import Routing
import Testing
import Traffic

@testable import TLS

@Suite("Memory of handshakes")
struct HandshakeMemoryTests {
    private struct Failure: Error {
        let text: String
    }

    /// More than what malloc keeps for threads varies by, and less than seven bytes for each of
    /// ten thousand handshakes.
    private static let toleranceBytes = 65_536

    @Test("ten thousand handshakes, half of them resumed, leave no memory behind")
    func handshakes() async {
        // In a process of its own, for what others allocate meanwhile would count as well.
        await #expect(processExitsWith: .success) {
            apus_use_one_arena()
            let grown = try Job { try HandshakeMemoryTests.growth() }.join()
            guard grown < HandshakeMemoryTests.toleranceBytes else {
                throw Failure(text: "\(grown) bytes more are in use")
            }
        }
    }

    @Test("memory that is left behind is seen")
    func leak() async {
        await #expect(processExitsWith: .success) {
            apus_use_one_arena()
            let grown = try Job {
                let before = apus_heap_bytes()
                for _ in 0..<10_000 { _ = apus_openssl_malloc(16) }
                return Int(apus_heap_bytes()) - Int(before)
            }.join()
            guard grown >= HandshakeMemoryTests.toleranceBytes else {
                throw Failure(text: "only \(grown) bytes more are in use")
            }
        }
    }

    /// Bytes that 10,000 handshakes leave in use, after as many as lists and caches need to be
    /// full: up to 6,000 they grew by 100 KB, and later by nothing.
    private static func growth() throws -> Int {
        let pairs = try [TLSSettings.Version.v1_2, .v1_3].map(Pair.init)
        for pair in pairs { try pair.shakeHands(1_500) }
        let before = apus_heap_bytes()
        for pair in pairs { try pair.shakeHands(2_500) }
        return Int(apus_heap_bytes()) - Int(before)
    }

    /// Two servers, of which one hands out tickets, and a client of each.
    private struct Pair {
        let (plain, resuming): (TLSServer, TLSServer)
        let (stranger, guest): (TLSClient, TLSClient)

        init(_ version: TLSSettings.Version) throws {
            plain = try TestPlans.server { $0.settings.versionMax = version }
            resuming = try TestPlans.server {
                $0.settings.versionMax = version
                $0.resumesByTicket = true
            }
            (stranger, guest) = (try TestPlans.client(), try TestPlans.client())
            _ = try talk(guest, resuming)
        }

        /// So many full handshakes, and as many that are resumed.
        func shakeHands(_ count: Int) throws {
            for _ in 0..<count {
                guard try !talk(stranger, plain), try talk(guest, resuming) else {
                    throw Failure(text: "resumed or not, and it should be otherwise")
                }
            }
        }

        /// A handshake, some bytes, and the end.
        /// - Returns: whether it was resumed.
        private func talk(_ client: TLSClient, _ server: TLSServer) throws -> Bool {
            let talk = Conversation(client, server)
            talk.shakeHands()
            guard talk.isEstablished, talk.writeServer([1, 2, 3]) == nil,
                talk.readClient().bytes == [1, 2, 3]
            else { throw Failure(text: "\(talk.clientFault, default: "nothing came")") }
            return SSL_session_reused(talk.server.session.pointer) == 1
        }
    }
}
