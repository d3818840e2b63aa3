import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("Start, drain and end")
    struct LifecycleTests {
        @Test("SIGTERM in the middle of transfers loses nothing, and the exit code is 0")
        func drainUnderLoad() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener)
            let transfer = Transfer(seed: seed, count: 32 << 20)
            let running = (0..<8).map { _ in Signal() }
            let clients = running.map { signal in
                Job {
                    let client = try listener.connect()
                    try client.expectEcho()
                    signal.set()
                    try client.exchange(sending: transfer, receiving: transfer)
                }
            }
            for signal in running { try signal.wait() }
            apus.child.signal(SIGTERM)
            #expect(throws: Never.self, repetition()) {
                for client in clients { try client.join() }
            }
            #expect(try apus.child.wait() == 0, "\(apus.child.log)")
            #expect(try apus.statistic("drain_timed_out") == 0)
            try server.stop()
            #expect(throws: SocketFailure.self) { try listener.connect() }
        }

        @Test("What waits in the accept queue at SIGTERM is served")
        func drainServesAcceptQueue() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener)
            // A stopped process accepts nothing: all of these wait in the kernel.
            apus.child.signal(SIGSTOP)
            let clients = try (0..<100).map { _ in try listener.connect() }
            apus.child.signal(SIGTERM)
            apus.child.signal(SIGCONT)
            for client in clients {
                try client.expectEcho()
                try client.shutdownWrite()
                #expect(try client.readToEnd().isEmpty)
            }
            #expect(try apus.child.wait() == 0, "\(apus.child.log)")
            try server.stop()
            #expect(try apus.statistic("connectionsAccepted") == 100)
        }

        @Test("After the drain time-out the rest is reset, and the exit code is 3")
        func drainTimesOut() throws {
            let server = try StreamServer(on: anyPort) { _ = try $0.endsByReset() }
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener, arguments: ["--drain-timeout", "0.3"])
            let client = try listener.connect()
            try client.write("ping")
            #expect(eventually { server.accepted == 1 })
            apus.child.signal(SIGTERM)
            #expect(try client.endsByReset())
            #expect(try apus.child.wait() == 3, "\(apus.child.log)")
            #expect(try apus.statistic("drain_timed_out") == 1)
            try server.stop()
        }

        @Test("SIGINT drains, and a second one ends at once with 130")
        func secondInterrupt() throws {
            let server = try StreamServer(on: anyPort) { _ = try $0.endsByReset() }
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener, arguments: ["--drain-timeout", "600"])
            let client = try listener.connect()
            try client.write("ping")
            #expect(eventually { server.accepted == 1 })
            apus.child.signal(SIGINT)
            // Draining shows by the listener's end.
            #expect(eventually { (try? listener.connect()) == nil })
            apus.child.signal(SIGINT)
            #expect(try apus.child.wait() == 130, "\(apus.child.log)")
            try server.stop()
        }

        @Test("With nothing to wait for a drain ends at once", arguments: [true, false])
        func idleDrain(withFlow: Bool) throws {
            let server = try DatagramServer(on: anyPort)
            let listener = try Forwarding.Listener.udp(
                to: server.address, endpointPolicy: "udp: {expectedResponses: 1}")
            let apus = try ApusProcess(listener, arguments: ["--drain-timeout", "3600"])
            if withFlow {
                let client = try listener.datagrams()
                try client.send([1])
                #expect(try client.receive() == [1])
            }
            try server.stop()
            #expect(try apus.stop() == 0)
        }

        @Test("A port in use is named, and the exit code is 1")
        func portInUse() throws {
            let holder = try StreamServer(on: anyPort, serve: StreamServer.echo)
            guard case .ip(_, let port) = holder.address else { return }
            let listener = Forwarding.Listener(
                transport: .tcp, address: holder.address, backends: [([holder.address], 1)])
            let folder = TemporaryFolder()
            let file = folder.file("apus.yaml", Forwarding(listener).yaml)
            let (code, log) = try ApusProcess.failingToStart(
                ["run", "--admin", "off", "--config", file])
            #expect(code == 1)
            #expect(log.contains("127.0.0.1:\(port)"), "\(log)")
            #expect(log.contains("another process uses the port"), "\(log)")
            try holder.stop()
        }

        /// Runs what follows it where `io_uring_setup` answers EPERM, as container runtimes have it
        /// (`seccomp(2)`: a filter that compares the number of the call, 425 on every machine).
        private static let withoutRing = [
            "python3", "-c",
            """
            import ctypes, os, struct, sys
            code = [(32, 0, 0, 0), (21, 0, 1, 425), (6, 0, 0, 0x50001), (6, 0, 0, 0x7fff0000)]
            text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *i) for i in code))
            program = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(text))
            libc = ctypes.CDLL(None, use_errno=True)
            assert libc.prctl(38, 1, 0, 0, 0) == 0
            assert libc.prctl(22, 2, program) == 0, os.strerror(ctypes.get_errno())
            os.execvp(sys.argv[1], sys.argv[1:])
            """,
        ]

        @Test("Where a seccomp filter forbids io_uring, that is said, with what allows it")
        func ringForbidden() throws {
            let child = try ChildProcess(
                Self.withoutRing + [ApusProcess.binary, "run", "--admin", "off"])
            #expect(try child.wait() == 1)
            try child.awaitEnd()
            #expect(child.log.contains("seccomp"), "\(child.log)")
        }

        @Test("A mistake in the configuration is told with file and line, and the exit code is 1")
        func mistakeHasPlace() throws {
            let folder = TemporaryFolder()
            let yaml = """
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: Backend
                metadata: {name: a}
                spec:
                  endpoints:
                  - ip: {adress: 127.0.0.1, port: 80}
                """
            let file = folder.file("mistake.yaml", yaml)
            let (code, log) = try ApusProcess.failingToStart(["run", "--config", file])
            #expect(code == 1)
            #expect(log.contains("mistake.yaml:6"), "\(log)")
            #expect(log.contains("address"), "the right word is suggested: \(log)")
        }

        @Test("Text that is no YAML is told with its line, and the exit code is 1")
        func noYAML() throws {
            let folder = TemporaryFolder()
            let file = folder.file("broken.yaml", "kind: Gateway\nmetadata: {name: [a}\n")
            let (code, log) = try ApusProcess.failingToStart(["run", "--config", file])
            #expect(code == 1)
            #expect(log.contains("broken.yaml:2"), "\(log)")
        }

        @Test("A file that is not there is named, and the exit code is 1")
        func noFile() throws {
            let (code, log) = try ApusProcess.failingToStart(["run", "--config", "/nowhere.yaml"])
            #expect(code == 1)
            #expect(log.contains("/nowhere.yaml"), "\(log)")
        }

        @Test(
            "A wrong command line says what is right, and the exit code is 2",
            arguments: [
                ["run", "--without", "sails"], ["run", "--workers", "0"], ["run", "--colour"],
                ["fly"], ["run", "--drain-timeout", "soon"], ["run", "--admin", "here"],
                ["endpoints", "--admin", "off"],
            ])
        func usage(arguments: [String]) throws {
            let (code, log) = try ApusProcess.failingToStart(arguments)
            #expect(code == 2)
            #expect(!log.isEmpty)
        }

        @Test("The quickstart forwards to backends of its own")
        func quickstart() throws {
            let child = try ChildProcess([ApusProcess.binary, "run", "--admin", "127.0.0.1:0"])
            try child.awaitLine(containing: "ready")
            let client = try Socket.connected(to: .ip(.loopbackIPv4, port: 10_080))
            try client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let answer = String(decoding: try client.readToEnd(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
            let datagrams = try Socket.datagrams(on: anyPort)
            try datagrams.connect(to: .ip(.loopbackIPv4, port: 10_053))
            try datagrams.send(Array("ping".utf8))
            #expect(try !datagrams.receive().isEmpty)
            client.close()
            child.signal(SIGTERM)
            #expect(try child.wait() == 0)
            try child.awaitEnd()
            #expect(child.log.contains("curl"), "\(child.log)")
        }
    }
}
