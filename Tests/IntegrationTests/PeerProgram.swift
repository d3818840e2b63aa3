import Primitives
import Traffic

/// A server of another make that a test puts before or behind `apus`, in a directory of its own.
final class PeerProgram: Sendable {
    let child: ChildProcess
    private let folder: TemporaryFolder

    private init(_ command: [String], in folder: TemporaryFolder, at port: UInt16) throws {
        self.folder = folder
        let child = try ChildProcess(command)
        self.child = child
        // Neither program says when it listens.
        let listens = eventually {
            (try? Socket.connected(to: .ip(.loopbackIPv4, port: port))) != nil
        }
        guard listens else {
            throw ChildProcess.Failure(
                description: "\(child.command) does not listen: \(child.log)")
        }
    }

    /// nginx that expects a PROXY header and answers requests with the client address in it.
    static func nginxTellingClient(port: UInt16) throws -> PeerProgram {
        try nginx(
            port: port,
            http: """
                server {
                    listen 127.0.0.1:\(port) proxy_protocol;
                    location / { return 200 "$proxy_protocol_addr $proxy_protocol_port\\n"; }
                }
                """)
    }

    /// nginx that tells by which of its ports it was asked.
    static func nginxTellingPort(_ ports: [UInt16]) throws -> PeerProgram {
        let listens = ports.map { "listen 127.0.0.1:\($0);" }.joined(separator: " ")
        return try nginx(
            port: ports[0],
            http: "server { \(listens) location / { return 200 \"port $server_port\"; } }")
    }

    /// nginx that is checked: `/well` and `/ill` by HTTP/1.1, by HTTP/2 with prior knowledge, and
    /// after a PROXY header.
    static func nginxBeingChecked(
        port: UInt16, http2Port: UInt16, proxyPort: UInt16
    ) throws -> PeerProgram {
        let server = { (listen: String) in
            """
            server {
                listen 127.0.0.1:\(listen);
                location = /well { return 200 "all is well with $host\n"; }
                location = /ill { return 503; }
            }
            """
        }
        return try nginx(
            port: port,
            http: server("\(port)") + server("\(http2Port) http2")
                + server("\(proxyPort) proxy_protocol"))
    }

    /// nginx that speaks TLS as one server, and tells which.
    static func nginxSpeakingTLS(
        port: UInt16, _ name: String, _ credentials: (certificate: String, key: String)
    ) throws -> PeerProgram {
        try nginx(
            port: port,
            http: """
                server {
                    listen 127.0.0.1:\(port) ssl http2;
                    ssl_certificate \(credentials.certificate);
                    ssl_certificate_key \(credentials.key);
                    location / { return 200 "\(name) heard $ssl_server_name\n"; }
                }
                """)
    }

    /// nginx whose `stream` module ends TLS and tells whether the session is an old one (`r`), and
    /// by which version.
    static func nginxTellingSession(
        port: UInt16, _ credentials: (certificate: String, key: String)
    ) throws -> PeerProgram {
        let folder = TemporaryFolder()
        let file = folder.file(
            "nginx.conf",
            """
            load_module /usr/lib/nginx/modules/ngx_stream_module.so;
            daemon off;
            worker_processes 1;
            pid \(folder.path)/pid;
            error_log stderr;
            events { worker_connections 512; }
            stream {
                server {
                    listen 127.0.0.1:\(port) ssl;
                    ssl_protocols TLSv1.2 TLSv1.3;
                    ssl_certificate \(credentials.certificate);
                    ssl_certificate_key \(credentials.key);
                    ssl_session_cache shared:sessions:1m;
                    return "$ssl_session_reused $ssl_protocol";
                }
            }
            """)
        return try PeerProgram(
            ["nginx", "-e", "stderr", "-p", folder.path, "-c", file], in: folder, at: port)
    }

    /// Debian's python3-grpcio with a `grpc.health.v1.Health` that finds every service SERVING but
    /// `ill`, and does not know `unknown`.
    static func grpcBeingChecked(port: UInt16) throws -> PeerProgram {
        let folder = TemporaryFolder()
        let file = folder.file(
            "health.py",
            """
            import concurrent.futures, grpc

            # HealthCheckRequest has the service's name as field 1, HealthCheckResponse the status.
            def check(request, context):
                service = request[2:].decode()
                if service == "unknown":
                    context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
                return bytes([8, 2 if service == "ill" else 1])

            server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
                "grpc.health.v1.Health",
                {"Check": grpc.unary_unary_rpc_method_handler(check)}),))
            server.add_insecure_port("127.0.0.1:\(port)")
            server.start()
            server.wait_for_termination()
            """)
        return try PeerProgram(["/usr/bin/python3", file], in: folder, at: port)
    }

    /// Python's server of HTTP/1.1, which tells each request's head and how much content it had;
    /// `/chunked` comes in chunks.
    static func tellingRequests(port: UInt16) throws -> PeerProgram {
        let folder = TemporaryFolder()
        let file = folder.file(
            "origin.py",
            """
            from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

            class Handler(BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"

                def content(self):
                    if self.headers.get("transfer-encoding") != "chunked":
                        return len(self.rfile.read(int(self.headers.get("content-length", 0))))
                    total = 0
                    while size := int(self.rfile.readline(), 16):
                        total += len(self.rfile.read(size))
                        self.rfile.readline()
                    self.rfile.readline()
                    return total

                asked = {}

                def answer(self):
                    count = self.content()
                    print(self.command, self.path, count, flush=True)
                    # Each path in it fails twice, and then is well once: by 503, or by an end.
                    if self.path.startswith(("/fails", "/drops")):
                        times = self.asked[self.path] = self.asked.get(self.path, 0) + 1
                        if times % 3 and self.path.startswith("/drops"):
                            self.close_connection = True
                            return
                        if times % 3:
                            self.send_response(503)
                            self.send_header("Content-Length", "5")
                            self.end_headers()
                            self.wfile.write(b"busy\\n")
                            return
                    self.send_response(200)
                    if self.path == "/chunked":
                        self.send_header("Transfer-Encoding", "chunked")
                        self.end_headers()
                        for number in range(3):
                            data = b"chunk %d\\n" % number
                            if self.command != "HEAD":
                                self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(data), data))
                        if self.command != "HEAD":
                            self.wfile.write(b"0\\r\\n\\r\\n")
                        return
                    text = f"{self.requestline}\\n{self.headers}content: {count} bytes\\n".encode()
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(text)

                do_GET = do_POST = do_HEAD = answer

                def log_message(self, *arguments):
                    pass

            ThreadingHTTPServer(("127.0.0.1", \(port)), Handler).serve_forever()
            """)
        return try PeerProgram(["/usr/bin/python3", file], in: folder, at: port)
    }

    /// Debian's python3-grpcio with a service `t.Echo` of every kind of call: `Unary` gives back
    /// what it got, or fails at `fail`, or takes a minute at `slow`; `Down` sends so many messages
    /// of 1,000 bytes; `Up` counts bytes; `Both` answers each message.
    static func grpcEcho(port: UInt16) throws -> PeerProgram {
        let folder = TemporaryFolder()
        let file = folder.file(
            "echo.py",
            """
            import concurrent.futures, grpc, time

            def unary(request, context):
                if request == b"fail":
                    context.abort(grpc.StatusCode.NOT_FOUND, "not here")
                if request == b"slow":
                    time.sleep(60)
                return request

            def down(request, context):
                for _ in range(int(request)):
                    yield bytes(1000)

            def up(requests, context):
                return b"%d" % sum(len(request) for request in requests)

            def both(requests, context):
                for request in requests:
                    yield b"got " + request

            server = grpc.server(
                concurrent.futures.ThreadPoolExecutor(20),
                options=[("grpc.max_receive_message_length", 64 << 20)])
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.Echo", {
                "Unary": grpc.unary_unary_rpc_method_handler(unary),
                "Down": grpc.unary_stream_rpc_method_handler(down),
                "Up": grpc.stream_unary_rpc_method_handler(up),
                "Both": grpc.stream_stream_rpc_method_handler(both)}),))
            server.add_insecure_port("127.0.0.1:\(port)")
            server.start()
            server.wait_for_termination()
            """)
        return try PeerProgram(["/usr/bin/python3", file], in: folder, at: port)
    }

    /// nginx that speaks HTTP/2 in the clear, gives the files of a folder, and tells at `/by` how
    /// it was asked.
    static func nginxGivingFiles(port: UInt16, of folder: TemporaryFolder) throws -> PeerProgram {
        try nginx(
            port: port,
            http: """
                server {
                    listen 127.0.0.1:\(port) http2;
                    root \(folder.path);
                    location /by {
                        return 200 "by $server_protocol for $http_host from $http_x_forwarded_for";
                    }
                }
                """)
    }

    private static func nginx(port: UInt16, http: String) throws -> PeerProgram {
        let folder = TemporaryFolder()
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        let paths = kinds.map { "\($0)_temp_path \(folder.path)/\($0);" }.joined(separator: "\n")
        let file = folder.file(
            "nginx.conf",
            """
            daemon off;
            user root;
            worker_processes 1;
            pid \(folder.path)/pid;
            error_log stderr;
            events { worker_connections 512; }
            http {
                access_log off;
                \(paths)
                \(http)
            }
            """)
        return try PeerProgram(
            ["nginx", "-e", "stderr", "-p", folder.path, "-c", file], in: folder, at: port)
    }

    /// HAProxy that forwards TCP from one port to another.
    ///
    /// - Parameter sending: `send-proxy` or `send-proxy-v2`.
    static func haproxy(port: UInt16, to server: UInt16, sending: String) throws -> PeerProgram {
        try haproxy(
            port: port,
            """
            mode tcp
            bind 127.0.0.1:\(port)
            server only 127.0.0.1:\(server) \(sending)
            """)
    }

    /// HAProxy that expects a PROXY header and answers requests with the client address in it.
    static func haproxyTellingClient(port: UInt16) throws -> PeerProgram {
        try haproxy(
            port: port,
            """
            mode http
            bind 127.0.0.1:\(port) accept-proxy
            http-request return content-type text/plain lf-string "%[src] %[src_port]\\n"
            """)
    }

    /// HAProxy that expects a PROXY header and answers requests with the client address and the
    /// name in it.
    static func haproxyTellingAuthority(port: UInt16) throws -> PeerProgram {
        try haproxy(
            port: port,
            """
            mode http
            bind 127.0.0.1:\(port) accept-proxy
            http-request return content-type text/plain lf-string "%[src] %[fc_pp_authority]\\n"
            """)
    }

    /// HAProxy that ends TLS and forwards what was in it.
    static func haproxyEndingTLS(
        port: UInt16, to server: UInt16, bundle: String
    ) throws -> PeerProgram {
        try haproxy(
            port: port,
            """
            mode tcp
            bind 127.0.0.1:\(port) ssl crt \(bundle)
            server only 127.0.0.1:\(server)
            """)
    }

    /// HAProxy that expects a PROXY header, then TLS with a certificate of the authority's, and
    /// answers requests with the client's address, the name that was asked for, the protocol and
    /// the certificate's subject.
    static func haproxyTellingPeer(
        port: UInt16, bundle: String, authority: String
    ) throws -> PeerProgram {
        try haproxy(
            port: port,
            """
            mode http
            bind 127.0.0.1:\(port) accept-proxy ssl crt \(bundle) alpn http/1.1 \
            ca-file \(authority) verify required
            http-request return content-type text/plain lf-string "%[src] %[ssl_fc_sni] \
            %[ssl_fc_alpn] %[ssl_c_s_dn(CN)]"
            """)
    }

    /// HAProxy that forwards TCP to a server over TLS, which it verifies.
    static func haproxySpeakingTLS(
        port: UInt16, to server: UInt16, _ name: String, authority: String
    ) throws -> PeerProgram {
        try haproxy(
            port: port,
            """
            mode tcp
            bind 127.0.0.1:\(port)
            server only 127.0.0.1:\(server) ssl verify required \
            ca-file \(authority) sni str(\(name))
            """)
    }

    private static func haproxy(port: UInt16, _ section: String) throws -> PeerProgram {
        let folder = TemporaryFolder()
        let lines = section.split(separator: "\n").map { "    \($0)\n" }.joined()
        let file = folder.file(
            "haproxy.cfg",
            """
            defaults
                timeout connect 10s
                timeout client 60s
                timeout server 60s
            listen only
            \(lines)
            """)
        return try PeerProgram(["haproxy", "-db", "-q", "-f", file], in: folder, at: port)
    }
}
