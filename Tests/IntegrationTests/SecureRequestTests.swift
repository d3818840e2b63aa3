import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("Requests over TLS")
    struct SecureRequestTests {
        private let credentials: Credentials
        private let port: UInt16
        private let backend: UInt16

        init() throws {
            credentials = try Credentials()
            port = try FreePort.take()
            backend = try FreePort.take()
        }

        /// Two HTTPS listeners of one port, each with its name, certificate and route.
        private func documents(note: String) throws -> String {
            let names = ["a.example.com", "b.example.com"]
            let listeners = names.map { name in
                """
                  - {name: \(name.prefix(1)), protocol: HTTPS, port: \(port), hostname: \(name),
                     tls: {certificateRefs: [{name: \(name)}]}}
                """
            }
            let routes = names.map { name in
                """
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: \(name.prefix(1))}
                spec:
                  parentRefs: [{name: edge, sectionName: \(name.prefix(1))}]
                  rules:
                  - matches: [{path: {type: PathPrefix, value: /old}}]
                    filters:
                    - type: RequestRedirect
                      requestRedirect:
                        path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}
                  - filters:
                    - type: ResponseHeaderModifier
                      responseHeaderModifier: {set: [{name: x-route, value: \(name)\(note)}]}
                    backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b}]
                """
            }
            return
                ([
                    """
                    apiVersion: gateway.networking.k8s.io/v1
                    kind: Gateway
                    metadata: {name: edge}
                    spec:
                      gatewayClassName: apus
                      addresses: [{type: IPAddress, value: 127.0.0.1}]
                      listeners:
                    \(listeners.joined(separator: "\n"))
                    """,
                    """
                    apiVersion: gateway.envoyproxy.io/v1alpha1
                    kind: Backend
                    metadata: {name: b}
                    spec: {endpoints: [{ip: {address: 127.0.0.1, port: \(backend)}}]}
                    """,
                ] + routes).joined(separator: "\n---\n")
        }

        private func configuration(note: String = "") throws -> String {
            let secrets = try ["a.example.com", "b.example.com"].map {
                try credentials.secret($0, of: $0)
            }
            _ = credentials.folder.file("secrets.yaml", secrets.joined(separator: "\n---\n"))
            return credentials.folder.file("apus.yaml", try documents(note: note))
        }

        private func start() throws -> (PeerProgram, ApusProcess) {
            let origin = try PeerProgram.tellingRequests(port: backend)
            let path = try configuration()
            let apus = try ApusProcess(
                configuration: path,
                arguments: ["--config", "\(credentials.folder.path)/secrets.yaml"])
            return (origin, apus)
        }

        private func curl(_ name: String, _ path: String, _ arguments: String...) throws -> String {
            let child = try ChildProcess(
                [
                    "curl", "-sS", "-i", "--max-time", "20", "--cacert", credentials.authority,
                    "--resolve", "\(name):\(port):127.0.0.1",
                ] + arguments + ["https://\(name):\(port)\(path)"])
            let code = try child.wait()
            try child.awaitEnd()
            #expect(code == 0, "\(child.log)")
            return child.log
        }

        @Test("each name has its routes, and endpoints are told of TLS")
        func routing() throws {
            let (origin, apus) = try start()
            defer { withExtendedLifetime(origin) {} }
            let plain = try curl("a.example.com", "/x")
            #expect(plain.contains("x-route: a.example.com"))
            #expect(plain.contains("GET /x HTTP/1.1"))
            #expect(plain.contains("x-forwarded-proto: https"))
            #expect(try curl("b.example.com", "/x").contains("x-route: b.example.com"))
            let redirect = try curl("b.example.com", "/old/y")
            #expect(redirect.contains("location: https://b.example.com:\(port)/new/y"))
            // The connection's name is not the request's (RFC 9110 section 15.5.20).
            for (option, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
                let misdirected = try curl(
                    "a.example.com", "/x", option, "-H", "Host: b.example.com")
                #expect(misdirected.hasPrefix("HTTP/\(version) 421 "))
                let unknown = try curl("a.example.com", "/x", option, "-H", "Host: c.example.com")
                #expect(unknown.hasPrefix("HTTP/\(version) 404 "))
            }
            try apus.stopClean()
            #expect(try apus.statistic("misdirected") == 2)
        }

        @Test("content passes both ways by TLS 1.2 and 1.3")
        func content() throws {
            let (origin, apus) = try start()
            defer { withExtendedLifetime(origin) {} }
            let file = credentials.folder.file(
                "body", String(repeating: "0123456789abcdef", count: 1 << 17))
            for version in ["1.2", "1.3"] {
                for option in ["--http1.1", "--http2"] {
                    let up = try curl(
                        "a.example.com", "/up", option, "--tls-max", version, "-H", "Expect:",
                        "--data-binary", "@\(file)")
                    #expect(up.contains("content: 2097152 bytes"))
                    let chunked = try curl(
                        "a.example.com", "/chunked", option, "--tls-max", version)
                    #expect(chunked.hasSuffix("chunk 0\nchunk 1\nchunk 2"))
                }
            }
            try apus.stopClean()
        }

        @Test(
            "a connection goes on through a reload, by the new routes, and ends with close_notify")
        func reload() throws {
            let (origin, apus) = try start()
            defer { withExtendedLifetime(origin) {} }
            let client = try ChildProcess([
                "/usr/bin/python3", "-c",
                """
                import http.client, ssl, socket, sys, time
                context = ssl.create_default_context(cafile=sys.argv[1])
                raw = socket.create_connection(('127.0.0.1', int(sys.argv[2])))
                c = http.client.HTTPConnection('a.example.com')
                c.sock = context.wrap_socket(raw, server_hostname='a.example.com')
                def route():
                    c.request('GET', '/')
                    answer = c.getresponse()
                    answer.read()
                    return answer.getheader('x-route')
                print(route(), flush=True)
                for _ in range(600):
                    if route() == 'a.example.com-new': break
                    time.sleep(0.05)
                print(route(), flush=True)
                c.sock.settimeout(60)
                # An end without close_notify would raise here.
                print(len(c.sock.recv(1)), flush=True)
                """, credentials.authority, "\(port)",
            ])
            #expect(try eventually { client.log.contains("a.example.com") })
            _ = credentials.folder.file("apus.yaml", try documents(note: "-new"))
            #expect(try eventually { client.log.contains("a.example.com-new") })
            try apus.stopClean()
            let code = try client.wait()
            try client.awaitEnd()
            #expect(code == 0, "\(client.log)")
            #expect(client.log == "a.example.com\na.example.com-new\n0")
        }

        @Test("a resumed connection's requests have their routes", arguments: ["1.2", "1.3"])
        func resumption(version: String) throws {
            let origin = try PeerProgram.tellingRequests(port: backend)
            let policy = """
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: ClientTrafficPolicy
                metadata: {name: p}
                spec:
                  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
                  tls: {session: {resumption: {stateless: {}}}}
                """
            let apus = try ApusProcess(
                configuration: try configuration(),
                arguments: [
                    "--config", "\(credentials.folder.path)/secrets.yaml",
                    "--config", credentials.folder.file("policy.yaml", policy),
                ])
            let client = try ChildProcess([
                "/usr/bin/python3", "-c",
                """
                import http.client, ssl, socket, sys
                context = ssl.create_default_context(cafile=sys.argv[1])
                context.maximum_version = getattr(ssl.TLSVersion, sys.argv[3])
                session = None
                for _ in range(4):
                    raw = socket.create_connection(('127.0.0.1', int(sys.argv[2])))
                    c = http.client.HTTPConnection('b.example.com')
                    c.sock = context.wrap_socket(
                        raw, server_hostname='b.example.com', session=session)
                    was_resumed = c.sock.session_reused
                    c.request('GET', '/')
                    answer = c.getresponse()
                    answer.read()
                    print(was_resumed, answer.status, answer.getheader('x-route'), flush=True)
                    session = c.sock.session
                    c.close()
                """, credentials.authority, "\(port)",
                "TLSv\(version.replacing(".", with: "_"))",
            ])
            let code = try client.wait()
            try client.awaitEnd()
            #expect(code == 0, "\(client.log)")
            let answers = [false, true, true, true].map {
                "\($0 ? "True" : "False") 200 b.example.com"
            }
            #expect(client.lines == answers)
            try apus.stopClean()
            withExtendedLifetime(origin) {}
        }
    }
}
