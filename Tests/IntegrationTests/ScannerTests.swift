import Testing

extension Integration {
    /// What those find who look for weaknesses of a server's TLS, with settings as they come.
    @Suite("Scanners of TLS")
    struct ScannerTests {
        private let credentials: Credentials
        private let port: UInt16

        init() throws {
            credentials = try Credentials()
            port = try FreePort.take()
        }

        private func start() throws -> ApusProcess {
            let documents = [
                """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: edge}
                spec:
                  gatewayClassName: apus
                  addresses: [{type: IPAddress, value: 127.0.0.1}]
                  listeners:
                  - {name: https, protocol: HTTPS, port: \(port),
                     tls: {certificateRefs: [{name: a.example.com}]}}
                """,
                """
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: r}
                spec:
                  parentRefs: [{name: edge}]
                  rules:
                  - filters:
                    - type: RequestRedirect
                      requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /x}}
                """,
                try credentials.secret("a.example.com", of: "a.example.com"),
            ]
            return try ApusProcess(
                configuration: credentials.folder.file(
                    "apus.yaml", documents.joined(separator: "\n---\n")))
        }

        /// Findings about the certificate that a test has, and nothing of Apus's.
        private static let excused = [
            // The test's authority has no list of what it revoked, and no responder.
            "cert_revocation"
        ]

        @Test("testssl.sh finds nothing above LOW")
        func testssl() throws {
            let apus = try start()
            let report = "\(credentials.folder.path)/testssl.csv"
            // Protocols, cipher categories, forward secrecy, preferences, defaults, all
            // vulnerabilities, and what GREASE and sizes do.
            let scanner = try ChildProcess([
                "testssl", "--quiet", "--color", "0", "--nodns", "none", "--warnings", "batch",
                "--add-ca", credentials.authority, "-p", "-s", "-f", "-P", "-S", "-U", "-g",
                "--csvfile", report, "--ip", "127.0.0.1", "a.example.com:\(port)",
            ])
            _ = try scanner.wait(seconds: 300)
            let findings = (TemporaryFolder.text(of: report) ?? "").split(separator: "\n")
                .dropFirst().map(Finding.init)
            for finding in findings where !Self.excused.contains(finding.id) {
                #expect(
                    !["MEDIUM", "HIGH", "CRITICAL", "FATAL"].contains(finding.severity),
                    "\(finding.id): \(finding.text)")
            }
            // It has looked, up to the last part.
            for id in [
                "TLS1_2", "TLS1_3", "GREASE", "cert_trust", "heartbleed", "ROBOT", "RC4",
            ] {
                #expect(findings.contains { $0.id == id }, "\(id) of \(scanner.log)")
            }
            try apus.stopClean()
        }

        @Test("sslscan sees TLS 1.2 and 1.3 only, by safe ciphers, and no weakness")
        func sslscan() throws {
            let apus = try start()
            let scanner = try ChildProcess([
                "sslscan", "--no-colour", "--sni-name=a.example.com", "127.0.0.1:\(port)",
            ])
            #expect(try scanner.wait() == 0)
            try scanner.awaitEnd()
            let lines = scanner.lines.map { $0.split(separator: " ").map(String.init) }
            let versions = ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
            for (version, state) in zip(
                versions, ["disabled", "disabled", "disabled", "disabled", "enabled", "enabled"])
            {
                #expect(lines.contains([version, state]), "\(version)\n\(scanner.log)")
            }
            let offered = lines.filter { ["Preferred", "Accepted"].contains($0.first ?? "") }
            #expect(offered.count >= 6, "\(scanner.log)")
            for line in offered {
                let isSafe = line.dropFirst(4).first.map { name in
                    name.contains("GCM") || name.contains("CHACHA20")
                }
                #expect(isSafe == true, "\(line)")
            }
            #expect(scanner.lines.contains("Session renegotiation not supported"))
            #expect(scanner.lines.contains("Server supports TLS Fallback SCSV"))
            #expect(
                scanner.lines.count { $0.hasSuffix("not vulnerable to heartbleed") } == 2,
                "\(scanner.log)")
            try apus.stopClean()
        }

        /// A line of testssl.sh's CSV: id, address, port, severity, finding and more, in quotes.
        private struct Finding {
            let id: String
            let severity: String
            let text: String

            init(_ line: Substring) {
                let fields = line.dropFirst()
                    .split(separator: "\",\"", omittingEmptySubsequences: false)
                    .map(String.init)
                (id, severity, text) =
                    fields.count > 4 ? (fields[0], fields[3], fields[4]) : ("", "FATAL", "\(line)")
            }
        }
    }
}
