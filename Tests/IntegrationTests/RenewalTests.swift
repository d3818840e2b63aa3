import Glibc
import Primitives
import Routing
import Synchronization
import TLS
import Testing
import Traffic

extension Integration {
    @Suite("Renewal of certificates")
    struct RenewalTests {
        private static let name = "a.example.com"
        private let credentials: Credentials
        private let port: UInt16

        init() throws {
            credentials = try Credentials()
            port = try FreePort.take()
        }

        private func documents(to server: SocketAddress) -> String {
            guard case .ip(_, let backend) = server else { return "" }
            return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: edge}
                spec:
                  gatewayClassName: apus
                  addresses: [{type: IPAddress, value: 127.0.0.1}]
                  listeners:
                  - {name: tls, protocol: TLS, port: \(port),
                     tls: {mode: Terminate, certificateRefs: [{name: \(Self.name)}]}}
                ---
                apiVersion: gateway.networking.k8s.io/v1alpha2
                kind: TCPRoute
                metadata: {name: r}
                spec:
                  parentRefs: [{name: edge}]
                  rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b}]}]
                ---
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: Backend
                metadata: {name: b}
                spec: {endpoints: [{ip: {address: 127.0.0.1, port: \(backend)}}]}
                """
        }

        /// Writes a new certificate, with a new key, where apus reads it, as an editor does.
        /// - Returns: a line of its PEM that no other has: the serial number is in it.
        private func renew() throws -> String {
            let text = try credentials.secret(Self.name, of: Self.name)
            let folder = credentials.folder
            rename(folder.file(".secret.new", text), "\(folder.path)/secret.yaml")
            let pem = TemporaryFolder.text(of: "\(folder.path)/\(Self.name).crt") ?? ""
            return String(try #require(pem.split(separator: "\n").dropFirst().first))
        }

        /// What those share that ask while certificates change.
        private final class Load: Sendable {
            let client: TLSClient
            let address: SocketAddress
            let isOver = Atomic<Bool>(false)

            init(_ client: TLSClient, _ address: SocketAddress) {
                (self.client, self.address) = (client, address)
            }

            func connect() throws -> SecureSocket {
                try SecureSocket(client, name: RenewalTests.name, over: .connected(to: address))
            }

            /// One connection after the other, until it is over; each gets all its bytes back.
            /// - Returns: how many.
            func comeAndGo(seed: UInt64) throws -> Int {
                var random = SeededRandom(seed: seed)
                var served = 0
                while !isOver.load(ordering: .relaxed) {
                    let socket = try connect()
                    let count = 1 + Int(random.next() % 80_000)
                    try exchange(count, over: socket, seed: UInt64(served))
                    try socket.end()
                    served += 1
                }
                return served
            }

            /// One connection for all the time.
            /// - Returns: how often it got what it had sent.
            func stay() throws -> Int {
                let socket = try connect()
                var served = 0
                while !isOver.load(ordering: .relaxed) {
                    try exchange(20_000, over: socket, seed: UInt64(served))
                    served += 1
                    usleep(2_000)
                }
                try socket.end()
                return served
            }

            private func exchange(_ count: Int, over socket: SecureSocket, seed: UInt64) throws {
                let bytes = (0..<count).map { UInt8(truncatingIfNeeded: UInt64($0) &* 7 &+ seed) }
                try socket.write(bytes)
                guard try socket.read(exactly: count) == bytes else {
                    throw SecureSocket.Failure(description: "other bytes came back")
                }
            }
        }

        @Test("Certificates are renewed under load, and no client notices but by the certificate")
        func renewal() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            _ = try renew()
            let folder = credentials.folder
            let apus = try ApusProcess(
                configuration: folder.file("apus.yaml", documents(to: server.address)),
                arguments: ["--config", "\(folder.path)/secret.yaml"])
            let authority = TemporaryFolder.text(of: credentials.authority) ?? ""
            let load = Load(
                try TLSClient(UpstreamTLSPlan(trust: .authorities([authority]))),
                .ip(.loopbackIPv4, port: port))
            let visitors = (0..<4).map { place in
                Job { try load.comeAndGo(seed: Integration.seed &+ UInt64(place)) }
            }
            let guest = Job { try load.stay() }
            for times in 1...8 {
                let line = try renew()
                #expect(
                    eventually {
                        apus.child.lines.count { $0.contains("configuration reloaded") } >= times
                    })
                #expect(try shown().contains(line), "after \(times) renewals")
            }
            load.isOver.store(true, ordering: .relaxed)
            for client in visitors + [guest] {
                let served = Result { try client.join() }
                #expect(((try? served.get()) ?? 0) > 8, "\(served); \(repetition())")
            }
            try server.stop()
            try apus.stopClean()
            for reason in ["handshake_failed", "client_records_failed", "server_unserved"] {
                #expect(try apus.statistic(reason) == 0, "\(reason)")
            }
        }

        /// What `openssl s_client` says of who answers, the certificate with it.
        private func shown() throws -> String {
            let client = try ChildProcess([
                "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-servername", Self.name,
            ])
            _ = try client.wait()
            try client.awaitEnd()
            return client.log
        }
    }
}
