import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("Requests of HTTP/2")
    struct StreamRequestTests {
        private let folder = TemporaryFolder()
        private let port: UInt16
        private let backend: UInt16
        private let streamBackend: UInt16

        init() throws {
            port = try FreePort.take()
            backend = try FreePort.take()
            streamBackend = try FreePort.take()
        }

        /// `/two` and gRPC go to an endpoint of HTTP/2, everything else to one of HTTP/1.1.
        private var configuration: String {
            folder.file(
                "apus.yaml",
                """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: edge}
                spec:
                  gatewayClassName: apus
                  addresses: [{type: IPAddress, value: 127.0.0.1}]
                  listeners: [{name: http, protocol: HTTP, port: \(port)}]
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: pages}
                spec:
                  parentRefs: [{name: edge}]
                  hostnames: [a.example.com]
                  rules:
                  - matches: [{path: {type: PathPrefix, value: /two}}]
                    filters:
                    - type: URLRewrite
                      urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}
                    backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: two}]
                  - backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: one}]
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: GRPCRoute
                metadata: {name: calls}
                spec:
                  parentRefs: [{name: edge}]
                  hostnames: [127.0.0.1]
                  rules:
                  - matches: [{method: {service: t.Echo}}]
                    backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: two}]
                ---
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: Backend
                metadata: {name: one}
                spec: {endpoints: [{ip: {address: 127.0.0.1, port: \(backend)}}]}
                ---
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: Backend
                metadata: {name: two}
                spec:
                  appProtocols: [gateway.envoyproxy.io/h2c]
                  endpoints: [{ip: {address: 127.0.0.1, port: \(streamBackend)}}]
                """)
        }

        private func run(_ command: [String]) throws -> String {
            let child = try ChildProcess(command)
            let code = try child.wait()
            try child.awaitEnd()
            #expect(code == 0, "\(child.log)")
            return child.log
        }

        private func curl(_ path: String, _ arguments: String...) throws -> String {
            try run(
                ["curl", "-sS", "-i", "--max-time", "20", "-H", "Host: a.example.com"] + arguments
                    + ["http://127.0.0.1:\(port)\(path)"])
        }

        @Test("clients and endpoints of either version are led to each other")
        func versions() throws {
            let origin = try PeerProgram.tellingRequests(port: backend)
            let pages = try PeerProgram.nginxGivingFiles(port: streamBackend, of: folder)
            defer { withExtendedLifetime((origin, pages)) {} }
            let apus = try ApusProcess(configuration: configuration)
            for (option, version) in [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")] {
                let one = try curl("/x?y", option)
                #expect(one.hasPrefix("HTTP/\(version) 200"))
                #expect(one.contains("GET /x?y HTTP/1.1"))
                #expect(one.contains("host: a.example.com"))
                #expect(one.contains("x-forwarded-for: 127.0.0.1"))
                let two = try curl("/two/by", option)
                #expect(two.hasPrefix("HTTP/\(version) 200"))
                #expect(two.hasSuffix("by HTTP/2.0 for a.example.com from 127.0.0.1"))
                #expect(try curl("/x", option, "-I").hasPrefix("HTTP/\(version) 200"))
                #expect(try curl("/two/none", option).hasPrefix("HTTP/\(version) 404"))
            }
            // An endpoint of HTTP/2 tells a client of HTTP/1.0 too where the content ends.
            #expect(try curl("/two/by", "--http1.0").hasSuffix("from 127.0.0.1"))
            let unrouted = try run([
                "curl", "-sS", "-i", "--http2-prior-knowledge",
                "http://localhost:\(port)/",
            ])
            #expect(unrouted.hasPrefix("HTTP/2 404"))
            #expect(unrouted.hasSuffix("no route matches"))
            try apus.stopClean()
            #expect(try apus.statistic("unrouted") == 1)
        }

        @Test("content passes between versions byte for byte")
        func content() throws {
            let text = (0..<400_000).map { "\($0 &* 2_654_435_761)" }.joined()
            let file = folder.file("content", text)
            let origin = try PeerProgram.tellingRequests(port: backend)
            let pages = try PeerProgram.nginxGivingFiles(port: streamBackend, of: folder)
            defer { withExtendedLifetime((origin, pages)) {} }
            let apus = try ApusProcess(configuration: configuration)
            let wanted = try run(["sha256sum", file]).prefix(64)
            for option in ["--http1.1", "--http2-prior-knowledge"] {
                let out = "\(folder.path)/out"
                _ = try curl("/two/content", option, "-o", out, "--no-include")
                #expect(try run(["sha256sum", out]).prefix(64) == wanted)
                let up = try curl("/up", option, "-H", "Expect:", "--data-binary", "@\(file)")
                #expect(up.contains("content: \(text.utf8.count) bytes"))
                #expect(up.lowercased().contains("content-length: \(text.utf8.count)"))
                let length = option == "--http1.1" ? "Transfer-Encoding: chunked" : "x-none: y"
                let inPieces = try run([
                    "sh", "-c",
                    "cat \(file) | curl -sS --max-time 20 \(option) -H 'Host: a.example.com' "
                        + "-H 'Expect:' -H '\(length)' -X POST -T - http://127.0.0.1:\(port)/up",
                ])
                #expect(inPieces.contains("content: \(text.utf8.count) bytes"))
                #expect(inPieces.lowercased().contains("transfer-encoding: chunked"))
                #expect(try curl("/chunked", option).hasSuffix("chunk 0\nchunk 1\nchunk 2"))
            }
            try apus.stopClean()
        }

        @Test("thousands of streams at a time share few connections to the endpoint")
        func load() throws {
            _ = folder.file("small", "small")
            let pages = try PeerProgram.nginxGivingFiles(port: streamBackend, of: folder)
            defer { withExtendedLifetime(pages) {} }
            let apus = try ApusProcess(
                configuration: configuration, arguments: ["--workers", "1"])
            let report = try run([
                "h2load", "-n", "20000", "-c", "20", "-m", "50", "-H", ":authority: a.example.com",
                "http://127.0.0.1:\(port)/two/small",
            ])
            #expect(report.contains("20000 succeeded, 0 failed, 0 errored, 0 timeout"))
            #expect(report.contains("status codes: 20000 2xx"))
            try apus.stopClean()
            #expect(try apus.statistic("requests") == 20_000)
            // nginx takes 128 streams a connection, and ends each after 1,000 requests.
            #expect(try apus.statistic("dialAttempts") < 200)
        }

        @Test("every kind of call of gRPC, with its errors, deadlines and cancellations")
        func calls() throws {
            let echo = try PeerProgram.grpcEcho(port: streamBackend)
            defer { withExtendedLifetime(echo) {} }
            let apus = try ApusProcess(configuration: configuration)
            let log = try run([
                "/usr/bin/python3", "-c",
                """
                import grpc, queue, sys, threading
                channel = grpc.insecure_channel("127.0.0.1:" + sys.argv[1], options=[
                    ("grpc.max_receive_message_length", 64 << 20)])
                unary = channel.unary_unary("/t.Echo/Unary")
                down = channel.unary_stream("/t.Echo/Down")
                up = channel.stream_unary("/t.Echo/Up")
                both = channel.stream_stream("/t.Echo/Both")

                def fault(call):
                    try:
                        call()
                    except grpc.RpcError as error:
                        return error.code().name + " " + error.details()

                big = bytes(8_000_000)
                print(unary(b"a", timeout=60), unary(big, timeout=60) == big)
                print(sum(len(part) for part in down(b"5000", timeout=60)))
                print(up((bytes(100_000) for _ in range(80)), timeout=60))
                asked = queue.Queue()
                answers = both(iter(asked.get, None), timeout=60)
                for number in range(100):
                    asked.put(b"%d" % number)
                    assert next(answers) == b"got %d" % number
                asked.put(None)
                print(list(answers))
                print(fault(lambda: unary(b"fail", timeout=60)))
                print(fault(lambda: unary(b"slow", timeout=0.2)))
                print(fault(lambda: channel.unary_unary("/other/Method")(b"", timeout=60)))
                endless = down(b"100000000")
                next(endless)
                endless.cancel()
                def many():
                    for _ in range(100):
                        assert unary(b"k", timeout=60) == b"k"
                threads = [threading.Thread(target=many) for _ in range(8)]
                for thread in threads: thread.start()
                for thread in threads: thread.join()
                print("done")
                """, "\(port)",
            ])
            #expect(
                log == """
                    b'a' True
                    5000000
                    b'8000000'
                    []
                    NOT_FOUND not here
                    DEADLINE_EXCEEDED Deadline Exceeded
                    UNIMPLEMENTED no route matches

                    done
                    """)
            try apus.stopClean()
            #expect(try apus.statistic("sessionsFailed") == 0)
        }

        @Test("gRPC's clients are told by UNAVAILABLE that no endpoint is there")
        func missingEndpoint() throws {
            let apus = try ApusProcess(configuration: configuration)
            let log = try run([
                "/usr/bin/python3", "-c",
                """
                import grpc, sys
                try:
                    grpc.insecure_channel("127.0.0.1:" + sys.argv[1]).unary_unary(
                        "/t.Echo/Unary")(b"", timeout=60)
                except grpc.RpcError as error:
                    print(error.code().name, error.details())
                """, "\(port)",
            ])
            #expect(log.hasPrefix("UNAVAILABLE no endpoint could be connected to"))
            try apus.stopClean()
        }

        @Test("a drain lets streams that run come to their end, and takes no more")
        func drain() throws {
            let echo = try PeerProgram.grpcEcho(port: streamBackend)
            defer { withExtendedLifetime(echo) {} }
            let apus = try ApusProcess(configuration: configuration)
            let client = try ChildProcess([
                "/usr/bin/python3", "-c",
                """
                import grpc, queue, sys, time
                channel = grpc.insecure_channel("127.0.0.1:" + sys.argv[1])
                asked = queue.Queue()
                answers = channel.stream_stream("/t.Echo/Both")(iter(asked.get, None), timeout=60)
                asked.put(b"1")
                print(next(answers), flush=True)
                # The process is told to end meanwhile.
                time.sleep(1)
                asked.put(b"2")
                print(next(answers), flush=True)
                asked.put(None)
                print(list(answers), flush=True)
                """, "\(port)",
            ])
            #expect(try eventually { client.log.contains("got 1") })
            apus.child.signal(SIGTERM)
            let code = try client.wait()
            try client.awaitEnd()
            #expect(code == 0, "\(client.log)")
            #expect(client.log == "b'got 1'\nb'got 2'\n[]")
            try apus.stopClean()
        }

        @Test("a flood of requests that are taken back at once ends its connection only")
        func rapidReset() throws {
            let origin = try PeerProgram.tellingRequests(port: backend)
            defer { withExtendedLifetime(origin) {} }
            let apus = try ApusProcess(configuration: configuration)
            let log = try run([
                "/usr/bin/python3", "-c",
                """
                import socket, struct, sys
                def frame(kind, flags, stream, payload=b""):
                    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + (
                        struct.pack(">I", stream)) + payload
                # :method GET, :scheme http, :path /, :authority a.example.com
                head = b"\\x82\\x86\\x84\\x41\\x0da.example.com"
                s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                s.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n" + frame(4, 0, 0))
                flood = b"".join(
                    frame(1, 5, stream, head) + frame(3, 0, stream, b"\\0\\0\\0\\x08")
                    for stream in range(1, 2001, 2))
                try:
                    s.sendall(flood)
                except OSError:
                    pass
                got = b""
                s.settimeout(20)
                try:
                    while part := s.recv(65536):
                        got += part
                except ConnectionResetError:
                    pass
                # GOAWAY, with ENHANCE_YOUR_CALM.
                place = 0
                while place + 9 <= len(got):
                    count = int.from_bytes(got[place:place + 3], "big")
                    if got[place + 3] == 7:
                        print("error", int.from_bytes(got[place + 13:place + 17], "big"))
                    place += 9 + count
                """, "\(port)",
            ])
            #expect(log.contains("error 11"))
            #expect(try curl("/x", "--http2-prior-knowledge").hasPrefix("HTTP/2 200"))
            try apus.stopClean()
            #expect(try apus.statistic("floodsRefused") == 1)
        }
    }
}
