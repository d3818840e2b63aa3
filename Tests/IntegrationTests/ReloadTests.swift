import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("Reload")
    struct ReloadTests {
        /// A process whose configuration the test changes.
        private struct Rig {
            let folder = TemporaryFolder()
            let apus: ApusProcess
            let file: String

            init(_ forwarding: Forwarding, arguments: [String] = []) throws {
                file = folder.file("apus.yaml", forwarding.yaml)
                apus = try ApusProcess(
                    configuration: file, arguments: ["--log-level", "debug"] + arguments)
            }

            /// As an editor saves: a new file renamed over the old one.
            func save(_ forwarding: Forwarding) {
                rename(folder.file(".apus.yaml.new", forwarding.yaml), file)
            }

            func count(_ text: String) -> Int {
                apus.child.lines.count { $0.contains(text) }
            }

            func sees(_ text: String, times: Int) -> Bool {
                eventually { count(text) >= times }
            }

            func awaitReloads(_ times: Int) -> Bool { sees(ReloadTests.reloaded, times: times) }
        }

        private static let reloaded = "configuration reloaded"
        private static let unchanged = "configuration unchanged"
        private static let stays = "the running configuration stays"

        private static func greet(_ text: String) throws -> StreamServer {
            try StreamServer(on: anyPort, serve: StreamServer.greet(text))
        }

        private static func answer(_ listener: Forwarding.Listener) throws -> String {
            String(decoding: try listener.connect().readToEnd(), as: UTF8.self)
        }

        private static func moved(
            _ listener: Forwarding.Listener, to server: StreamServer
        ) -> Forwarding {
            var moved = listener
            moved.backends = [([server.address], 1)]
            return Forwarding(moved)
        }

        @Test("A file that an editor saved is followed, and one with mistakes changes nothing")
        func editor() throws {
            let (one, two) = (try Self.greet("one"), try Self.greet("two"))
            let listener = try Forwarding.Listener.tcp(to: one.address)
            let rig = try Rig(Forwarding(listener))
            #expect(try Self.answer(listener) == "one")
            rig.save(Self.moved(listener, to: two))
            #expect(rig.awaitReloads(1))
            #expect(try Self.answer(listener) == "two")
            _ = rig.folder.file("apus.yaml", "kind: [Gateway\n")
            #expect(rig.sees(Self.stays, times: 1))
            #expect(rig.count("apus.yaml:2:1: error: not YAML") == 1, "\(rig.apus.child.log)")
            #expect(try Self.answer(listener) == "two")
            unlink(rig.file)
            #expect(rig.sees(Self.stays, times: 2))
            #expect(try Self.answer(listener) == "two")
            rig.save(Forwarding(listener))
            #expect(rig.awaitReloads(2))
            #expect(try Self.answer(listener) == "one")
            try rig.apus.stopClean()
            try one.stop()
            try two.stop()
        }

        @Test("Nothing is published when nothing changed, by SIGHUP or by a file written anew")
        func unchangedFile() throws {
            let one = try Self.greet("one")
            let listener = try Forwarding.Listener.tcp(to: one.address)
            let rig = try Rig(Forwarding(listener))
            rig.apus.child.signal(SIGHUP)
            #expect(rig.sees(Self.unchanged, times: 1))
            rig.save(Forwarding(listener))
            #expect(rig.sees(Self.unchanged, times: 2))
            #expect(rig.count(Self.reloaded) == 0)
            try rig.apus.stopClean()
            try one.stop()
        }

        @Test("An ApusConfig sets limits at the start, and says so when they change later")
        func processSettings() throws {
            let server = try Self.greet("one")
            let listener = try Forwarding.Listener.tcp(to: server.address)
            func text(_ connectionsMax: Int) -> String {
                """
                \(Forwarding(listener).yaml)
                ---
                apiVersion: apus.dev/v1alpha1
                kind: ApusConfig
                metadata: {name: process}
                spec: {connectionsMax: \(connectionsMax), logLevel: debug}
                """
            }
            let folder = TemporaryFolder()
            let file = folder.file("apus.yaml", text(40))
            let apus = try ApusProcess(configuration: file)
            #expect(apus.child.lines.contains { $0.contains("ready workers=1 connectionsMax=40") })
            rename(folder.file(".new", text(50)), file)
            // The debug line shows that the log's level was taken as well.
            for line in ["connectionsMax has changed", Self.unchanged] {
                #expect(eventually { apus.child.lines.contains { $0.contains(line) } })
            }
            #expect(try Self.answer(listener) == "one")
            try apus.stopClean()
            try server.stop()
        }

        @Test("With --no-watch only SIGHUP reloads")
        func noWatch() throws {
            let (one, two) = (try Self.greet("one"), try Self.greet("two"))
            let listener = try Forwarding.Listener.tcp(to: one.address)
            let rig = try Rig(Forwarding(listener), arguments: ["--no-watch"])
            rig.save(Self.moved(listener, to: two))
            #expect(try Self.answer(listener) == "one")
            rig.apus.child.signal(SIGHUP)
            #expect(rig.awaitReloads(1))
            #expect(try Self.answer(listener) == "two")
            try rig.apus.stopClean()
            try one.stop()
            try two.stop()
        }

        @Test("The swap of a mounted ConfigMap's link is followed, again and again")
        func configMap() throws {
            let servers = [try Self.greet("one"), try Self.greet("two")]
            let listener = try Forwarding.Listener.tcp(to: servers[0].address)
            let folder = TemporaryFolder()
            func mount(_ turn: Int) {
                mkdir("\(folder.path)/..\(turn)", 0o700)
                _ = folder.file(
                    "..\(turn)/apus.yaml", Self.moved(listener, to: servers[turn % 2]).yaml)
                symlink("..\(turn)", "\(folder.path)/..data_tmp")
                rename("\(folder.path)/..data_tmp", "\(folder.path)/..data")
                guard turn > 0 else { return }
                unlink("\(folder.path)/..\(turn - 1)/apus.yaml")
                rmdir("\(folder.path)/..\(turn - 1)")
            }
            mount(0)
            symlink("..data/apus.yaml", "\(folder.path)/apus.yaml")
            let apus = try ApusProcess(configuration: folder.path)
            for turn in 1...4 {
                mount(turn)
                #expect(
                    eventually { apus.child.lines.count { $0.contains(Self.reloaded) } >= turn },
                    "\(apus.child.log)")
                #expect(try Self.answer(listener) == ["one", "two"][turn % 2])
            }
            try apus.stopClean()
            for server in servers { try server.stop() }
        }

        @Test("A transfer runs on through a hundred reloads that lead new clients elsewhere")
        func transferGoesOn() throws {
            let echo = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let other = try Self.greet("other")
            let listener = try Forwarding.Listener.tcp(to: echo.address)
            let rig = try Rig(Forwarding(listener), arguments: ["--no-watch"])
            let client = try listener.connect()
            try client.expectEcho()
            let piece = Transfer(seed: seed, count: 1 << 20)
            #expect(throws: Never.self, repetition()) {
                for turn in 1...100 {
                    rig.save(
                        turn % 2 == 1 ? Self.moved(listener, to: other) : Forwarding(listener))
                    rig.apus.child.signal(SIGHUP)
                    let sender = Job { try piece.send(over: client, andEnd: false) }
                    try piece.verify(from: client, toEnd: false)
                    try sender.join()
                    guard rig.awaitReloads(turn) else { return }
                }
            }
            #expect(rig.count(Self.reloaded) == 100)
            try client.shutdownWrite()
            #expect(try client.readToEnd().isEmpty)
            try rig.apus.stopClean()
            #expect(try rig.apus.statistic("connectionsAccepted") == 1)
            try echo.stop()
            try other.stop()
        }

        @Test("Listeners come and go; who is connected to one that went has the drain time-out")
        func listeners() throws {
            let echo = try StreamServer(
                on: anyPort,
                serve: { socket in
                    // Ends by the client's end or by the reset that the drain brings.
                    do { try StreamServer.echo(socket) } catch is SocketFailure { socket.close() }
                })
            let stays = try Forwarding.Listener.tcp(to: echo.address)
            let goes = try Forwarding.Listener.tcp(to: echo.address)
            let rig = try Rig(Forwarding(stays), arguments: ["--drain-timeout", "1"])
            rig.save(Forwarding(stays, goes))
            #expect(rig.awaitReloads(1))
            let (first, second) = (try stays.connect(), try goes.connect())
            try first.expectEcho()
            try second.expectEcho()
            rig.save(Forwarding(stays))
            #expect(rig.awaitReloads(2))
            #expect(eventually { (try? goes.connect()) == nil })
            try second.expectEcho()
            #expect(try second.endsByReset())
            try first.expectEcho()
            rig.save(Forwarding(stays, goes))
            #expect(rig.awaitReloads(3))
            try goes.connect().expectEcho()
            first.close()
            try rig.apus.stopClean()
            #expect(try rig.apus.statistic("listener_removed") == 1)
            try echo.stop()
        }

        @Test(
            "A port that another process has is told, the rest is reloaded, and it is tried again")
        func portTaken() throws {
            let one = try Self.greet("one")
            let listener = try Forwarding.Listener.tcp(to: one.address)
            let wanted = try Forwarding.Listener.tcp(to: one.address)
            let rig = try Rig(Forwarding(listener))
            let squatter = try Socket.listening(on: wanted.address)
            rig.save(Forwarding(listener, wanted))
            #expect(rig.sees("another process uses the port", times: 1))
            #expect(try Self.answer(listener) == "one")
            squatter.close()
            rig.apus.child.signal(SIGHUP)
            #expect(rig.awaitReloads(2))
            #expect(try Self.answer(wanted) == "one")
            try rig.apus.stopClean()
            try one.stop()
        }

        @Test("A thousand reloads leave descriptors and memory where they were")
        func thousand() throws {
            let echo = try DatagramServer(on: anyPort)
            let one = try Self.greet("one")
            let listener = try Forwarding.Listener.tcp(to: one.address)
            let datagrams = try Forwarding.Listener.udp(to: echo.address)
            let other = try Forwarding.Listener.tcp(to: one.address)
            let rig = try Rig(Forwarding(listener, datagrams), arguments: ["--no-watch"])
            func reload(_ turns: ClosedRange<Int>) {
                for turn in turns {
                    rig.save(
                        turn % 2 == 1
                            ? Forwarding(listener, datagrams, other)
                            : Forwarding(listener, datagrams))
                    rig.apus.child.signal(SIGHUP)
                    guard rig.awaitReloads(turn) else { return }
                }
            }
            reload(1...100)
            #expect(try Self.answer(listener) == "one")
            let descriptors = rig.apus.child.descriptorCount
            let bytes = rig.apus.child.residentBytes
            reload(101...1_000)
            #expect(rig.count(Self.reloaded) == 1_000)
            // What the first count saw may have been about to close.
            #expect(eventually { rig.apus.child.descriptorCount <= descriptors })
            let growth = rig.apus.child.residentBytes - bytes
            // 900 plans of a few kilobytes each would be several megabytes.
            #expect(growth < 1 << 20, "\(growth) bytes more")
            #expect(try Self.answer(listener) == "one")
            try rig.apus.stopClean()
            try one.stop()
            try echo.stop()
        }
    }
}
