import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("TLS that begins here")
    struct OriginationTests {
        private let credentials: Credentials
        private let endpoint: UInt16

        init() throws {
            credentials = try Credentials()
            endpoint = try FreePort.take()
        }

        private func curl(_ port: UInt16) throws -> (Int32, String) {
            let curl = try ChildProcess([
                "curl", "-sS", "--max-time", "60", "http://127.0.0.1:\(port)/",
            ])
            let code = try curl.wait()
            try curl.awaitEnd()
            return (code, curl.log)
        }

        /// openssl's server, which answers each line with its reverse.
        private func reverser(
            _ certificate: (certificate: String, key: String), _ arguments: [String]
        ) throws -> ChildProcess {
            let server = try ChildProcess(
                ["openssl", "s_server", "-rev", "-cert", certificate.certificate]
                    + ["-key", certificate.key] + arguments)
            try server.awaitLine(containing: "ACCEPT")
            return server
        }

        private func expectReverse(at port: UInt16) throws {
            let client = try Socket.connected(to: .ip(.loopbackIPv4, port: port))
            try client.write("hello\n")
            #expect(String(decoding: try client.read(exactly: 6), as: UTF8.self) == "olleh\n")
        }

        @Test(
            "Every byte goes both ways, with TLS before us and behind us", arguments: [true, false])
        func transfer(isTLSBefore: Bool) throws {
            let up = Transfer(seed: seed, count: 48 << 20)
            let down = Transfer(seed: seed &+ 1, count: 48 << 20)
            let server = try StreamServer(on: anyPort) {
                try $0.exchange(sending: down, receiving: up)
            }
            guard case .ip(_, let inner) = server.address else { return }
            let behind = try PeerProgram.haproxyEndingTLS(
                port: endpoint, to: inner, bundle: try credentials.bundle("a.example.com"))
            var origination = try Origination(credentials, to: endpoint)
            if isTLSBefore { origination.server = "b.example.com" }
            let entrance = isTLSBefore ? try FreePort.take() : origination.port
            let before =
                isTLSBefore
                ? try PeerProgram.haproxySpeakingTLS(
                    port: entrance, to: origination.port, "b.example.com",
                    authority: credentials.authority) : nil
            let apus = try origination.start()
            #expect(throws: Never.self, repetition()) {
                let client = try Socket.connected(to: .ip(.loopbackIPv4, port: entrance))
                try client.exchange(sending: up, receiving: down)
                try server.stop()
            }
            try apus.stopClean()
            #expect(try apus.statistic("bytesFromClients") >= up.count)
            withExtendedLifetime((behind, before)) {}
        }

        @Test("HAProxy gets a PROXY header before the handshake, a name, a protocol and who we are")
        func told() throws {
            let haproxy = try PeerProgram.haproxyTellingPeer(
                port: endpoint, bundle: try credentials.bundle("a.example.com"),
                authority: credentials.authority)
            var origination = try Origination(credentials, to: endpoint)
            origination.tls += ", clientCertificateRef: {name: client}, alpnProtocols: [http/1.1]"
            origination.clientName = "client.example.com"
            origination.policy = "proxyProtocol: {version: V2}"
            let apus = try origination.start()
            let (code, answer) = try curl(origination.port)
            #expect(code == 0)
            #expect(answer == "127.0.0.1 a.example.com http/1.1 client.example.com")
            try apus.stopClean()
            withExtendedLifetime(haproxy) {}
        }

        @Test("A session goes on with the next connection, at nginx, by TLS 1.2 and 1.3")
        func resumption() throws {
            for version in ["1.2", "1.3"] {
                let port = try FreePort.take()
                let nginx = try PeerProgram.nginxTellingSession(
                    port: port, try credentials.server("a.example.com"))
                var origination = try Origination(credentials, to: port)
                origination.tls += ", maxVersion: \"\(version)\""
                let apus = try origination.start()
                var answers: [String] = []
                for _ in 0..<3 {
                    let client = try Socket.connected(
                        to: .ip(.loopbackIPv4, port: origination.port))
                    answers.append(String(decoding: try client.readToEnd(), as: UTF8.self))
                }
                #expect(answers == [". TLSv\(version)", "r TLSv\(version)", "r TLSv\(version)"])
                try apus.stopClean()
                withExtendedLifetime(nginx) {}
            }
        }

        @Test("Whose certificate is not what it should be gets no byte, and the next endpoint all")
        func refused() throws {
            let others = try Credentials()
            let port = try FreePort.take()
            let good = try PeerProgram.nginxTellingSession(
                port: port, try credentials.server("a.example.com"))
            let bad = [
                ("expired", try credentials.server("a.example.com", isExpired: true)),
                ("for another", try credentials.server("b.example.com")),
                ("another authority's", try others.server("a.example.com")),
                ("self-signed", try credentials.alone("a.example.com")),
            ]
            for (what, certificate) in bad {
                let wrong = try FreePort.take()
                let server = try reverser(certificate, ["-accept", "127.0.0.1:\(wrong)"])
                var origination = try Origination(credentials, to: wrong)
                let alone = try origination.start()
                let client = try Socket.connected(to: .ip(.loopbackIPv4, port: origination.port))
                try client.write("secret\n")
                #expect(try client.endsByReset(), "\(what)")
                try alone.stopClean()
                #expect(try alone.statistic("endpoint_handshake_failed") == 1, "\(what)")
                origination = try Origination(credentials, to: wrong, port)
                let both = try origination.start()
                for _ in 0..<2 {
                    let client = try Socket.connected(
                        to: .ip(.loopbackIPv4, port: origination.port))
                    #expect(!(try client.readToEnd()).isEmpty, "\(what)")
                }
                try both.stopClean()
                #expect(try both.statistic("dialFailures") == 1, "\(what)")
                #expect(!server.log.contains("secret"), "\(what)")
            }
            withExtendedLifetime(good) {}
        }

        @Test(
            "A reload believes whom it says from then on, and keeps sessions where it says the same"
        )
        func reload() throws {
            let server = try PeerProgram.nginxTellingSession(
                port: endpoint, try credentials.server("a.example.com"))
            var origination = try Origination(credentials, to: endpoint)
            let others = try Credentials()
            origination.authority = others.authority
            let apus = try origination.start()
            func answer() throws -> String {
                let client = try Socket.connected(to: .ip(.loopbackIPv4, port: origination.port))
                return String(decoding: try client.readToEnd(), as: UTF8.self)
            }
            func reload(_ count: Int) throws {
                try origination.save()
                #expect(
                    eventually {
                        apus.child.lines.count { $0.contains("configuration reloaded") } == count
                    })
            }
            #expect(throws: SocketFailure.self) { try answer() }
            origination.authority = nil
            try reload(1)
            #expect(try answer() == ". TLSv1.3")
            origination.policy = "timeout: {tcp: {connectTimeout: 7s}}"
            try reload(2)
            let later = try [answer(), answer()]
            #expect(later == ["r TLSv1.3", "r TLSv1.3"], "\(later)")
            origination.tls = "sni: b.example.com, wellKnownCACertificates: System"
            try reload(3)
            #expect(throws: SocketFailure.self) { try answer() }
            try apus.stopClean()
            #expect(try apus.statistic("endpoint_handshake_failed") == 2)
            withExtendedLifetime((server, others)) {}
        }

        @Test("Checks speak TLS too: who fails them is not tried for a client")
        func checked() throws {
            let ports = [try FreePort.take(), try FreePort.take()]
            let servers = try zip(ports, ["a.example.com", "b.example.com"]).map { port, name in
                try PeerProgram.nginxSpeakingTLS(port: port, name, try credentials.server(name))
            }
            var origination = try Origination(credentials, to: ports[1], ports[0])
            origination.policy =
                "healthCheck: {active: {type: HTTP, interval: 100ms, timeout: 5s, "
                + "unhealthyThreshold: 1, http: {path: /}}}"
            let apus = try origination.start()
            for _ in 0..<4 {
                #expect(try curl(origination.port).1 == "a.example.com heard a.example.com")
            }
            try apus.stopClean()
            #expect(try apus.statistic("dialFailures") == 0)
            #expect(
                apus.child.log.contains("TLS failed: the peer's certificate is for another name"),
                "\(apus.child.log)")
            withExtendedLifetime(servers) {}
        }

        @Test(
            "An address is proved by a certificate for it, and a Unix endpoint by the plan's name")
        func addresses() throws {
            let named = try credentials.server("a.example.com")
            let numbered = try credentials.server("numbered", names: "IP:127.0.0.1")
            let path = "\(credentials.folder.path)/socket"
            let local = try reverser(named, ["-unix", path])
            var origination = try Origination(credentials, to: endpoint)
            origination.endpoints = ["unix: {path: \"\(path)\"}"]
            let byUnix = try origination.start()
            try expectReverse(at: origination.port)
            try byUnix.stopClean()
            let server = try reverser(numbered, ["-accept", "127.0.0.1:\(endpoint)"])
            origination = try Origination(credentials, to: endpoint)
            origination.tls = "caCertificateRefs: [{group: \"\", kind: ConfigMap, name: authority}]"
            let byAddress = try origination.start()
            try expectReverse(at: origination.port)
            try byAddress.stopClean()
            origination.endpoints = ["fqdn: {hostname: localhost, port: \(endpoint)}"]
            let byName = try origination.start()
            let client = try Socket.connected(to: .ip(.loopbackIPv4, port: origination.port))
            #expect(try client.endsByReset(), "the certificate is for the address alone")
            try byName.stopClean()
            withExtendedLifetime((local, server)) {}
        }

        @Test("A TLSRoute's clients get TLS to endpoints that a BackendTLSPolicy or a name is for")
        func routes() throws {
            for (host, policyName) in [("a.example.com", "a.example.com"), ("localhost", nil)] {
                let port = try FreePort.take()
                let nginx = try PeerProgram.nginxTellingSession(
                    port: port, try credentials.server(host))
                var origination = try Origination(credentials)
                origination.server = "b.example.com"
                origination.policyName = policyName
                origination.endpoints = ["fqdn: {hostname: localhost, port: \(port)}"]
                origination.tls =
                    "caCertificateRefs: [{group: \"\", kind: ConfigMap, name: authority}]"
                let apus = try origination.start()
                let client = try ChildProcess([
                    "openssl", "s_client", "-quiet", "-verify_return_error",
                    "-CAfile", credentials.authority, "-servername", "b.example.com",
                    "-verify_hostname", "b.example.com", "-connect",
                    "127.0.0.1:\(origination.port)",
                ])
                #expect(try client.wait() == 0)
                try client.awaitEnd()
                #expect(client.log.contains(". TLSv1.3"), "\(client.log)")
                try apus.stopClean()
                withExtendedLifetime(nginx) {}
            }
        }
    }
}
