import Glibc
import Primitives
import Resolver
import Routing
import Synchronization
import Testing
import Traffic

extension Integration {
    /// The resolver's thread against name servers that a test writes.
    @Suite("Names, asked of bad servers")
    struct ResolverTests {
        private static let good = "192.0.2.1"

        /// What a server may send instead of an answer.
        enum Badness: CaseIterable, Sendable {
            case silence, garbage, halfMessage, refused, serverFailure, formatError, notImplemented
            case loop, foreignOwner, wrongNumber, wrongQuestion, nameError, empty, pointerLoop

            func messages(_ question: NameServer.Question) -> [[UInt8]] {
                var answer = question.answer
                let evil = DNSBytes.Record.a(question.name, 60, "203.0.113.66")
                switch self {
                case .silence: return []
                case .garbage: return [(0..<200).map { UInt8(truncatingIfNeeded: $0 * 37) }]
                case .halfMessage:
                    answer.answers = [evil]
                    return [Array(answer.bytes.dropLast(3))]
                case .refused: answer.code = 5
                case .serverFailure: answer.code = 2
                case .formatError: answer.code = 1
                case .notImplemented: answer.code = 4
                case .loop:
                    answer.answers = [
                        .cname(question.name, 60, "b.test"), .cname("b.test", 60, question.name),
                    ]
                case .foreignOwner: answer.answers = [.a("other.test", 60, "203.0.113.66")]
                case .wrongNumber:
                    answer.id = question.id &+ 1
                    answer.answers = [evil]
                case .wrongQuestion:
                    answer.name = "other.test"
                    answer.answers = [evil]
                case .nameError: answer.code = 3
                case .empty: break
                case .pointerLoop:
                    let head = question.answer.bytes
                    // One answer, whose owner is a pointer to itself.
                    return [
                        Array(head[..<6]) + [0, 1] + Array(head[8...])
                            + [
                                0xc0, UInt8(head.count), 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113,
                                66,
                            ]
                    ]
                }
                return [answer.bytes]
            }

            /// What the resolver says of it.
            var trouble: RecordState.Trouble {
                switch self {
                case .silence, .wrongNumber, .wrongQuestion, .garbage: .failed(.timedOut)
                case .halfMessage: .failed(.malformed(.recordTruncated))
                case .pointerLoop: .failed(.malformed(.pointerNotBackwards))
                case .refused: .failed(.code(5))
                case .serverFailure: .failed(.code(2))
                case .formatError: .failed(.code(1))
                case .notImplemented: .failed(.code(4))
                case .loop: .failed(.aliasLoop)
                case .foreignOwner, .empty: .absent(isNameMissing: false)
                case .nameError: .absent(isNameMissing: true)
                }
            }

            /// A server that says that there is none has decided it; another is not asked.
            var isDecided: Bool {
                if case .absent = trouble { true } else { false }
            }
        }

        private final class Mood: Sendable {
            let badness = Mutex<Badness?>(nil)
        }

        private static func server(_ mood: Mood) throws -> NameServer {
            try NameServer { question in
                if let badness = mood.badness.withLock({ $0 }) { return badness.messages(question) }
                var answer = question.answer
                answer.answers = [.a(question.name, 60, good)]
                return [answer.bytes]
            }
        }

        @Test(
            "The last good answer is kept, and what is wrong is told", arguments: Badness.allCases)
        func kept(badness: Badness) throws {
            let mood = Mood()
            let server = try Self.server(mood)
            let names = try ResolvedNames()
            let lookup = Lookup.host("a.test", at: server.address)
            names.resolver.want([lookup])
            #expect(names.come(lookup, to: [Self.good]))
            mood.badness.withLock { $0 = badness }
            #expect(
                try eventually { try names.records(of: lookup).first?.trouble == badness.trouble })
            #expect(names.addresses(of: lookup) == [Self.good])
            mood.badness.withLock { $0 = nil }
            #expect(try eventually { try names.records(of: lookup).first?.failureCount == 0 })
            #expect(names.history(of: lookup).count == 1, "nothing of it is news")
            try server.stop()
        }

        @Test("After the bound the last good answer is given up")
        func staleBound() throws {
            let mood = Mood()
            let server = try Self.server(mood)
            let names = try ResolvedNames()
            let lookup = Lookup.host("a.test", at: server.address) { $0.staleMax = 400 }
            names.resolver.want([lookup])
            #expect(names.come(lookup, to: [Self.good]))
            mood.badness.withLock { $0 = .refused }
            #expect(names.come(lookup, to: []))
            mood.badness.withLock { $0 = nil }
            #expect(names.come(lookup, to: [Self.good]))
            try server.stop()
        }

        @Test(
            "The second server answers where the first does not",
            arguments: Badness.allCases.filter { !$0.isDecided })
        func secondServer(badness: Badness) throws {
            let mood = Mood()
            mood.badness.withLock { $0 = badness }
            let bad = try Self.server(mood)
            let good = try Self.server(Mood())
            let names = try ResolvedNames()
            let lookup = Lookup.host("a.test", at: bad.address, good.address)
            names.resolver.want([lookup])
            #expect(names.come(lookup, to: [Self.good]))
            #expect(!bad.questions.isEmpty)
            try bad.stop()
            try good.stop()
        }

        @Test("Nobody at a server's port is noticed at once, and the next server is asked")
        func refusedPort() throws {
            let good = try Self.server(Mood())
            let names = try ResolvedNames { $0.timeoutMilliseconds = 60_000 }
            let nobody = SocketAddress.ip(.loopbackIPv4, port: try FreePort.take())
            let lookup = Lookup.host("a.test", at: nobody, good.address)
            names.resolver.want([lookup])
            #expect(names.come(lookup, to: [Self.good]))
            let alone = Lookup.host("b.test", at: nobody)
            names.resolver.want([alone])
            #expect(names.come(alone, to: []))
            #expect(try names.records(of: alone).first?.trouble == .failed(.unreachable))
            try good.stop()
        }

        @Test("A forged answer before the true one is passed over")
        func forgedFirst() throws {
            let server = try NameServer { question in
                var answer = question.answer
                answer.answers = [.a(question.name, 60, Self.good)]
                return Badness.wrongNumber.messages(question)
                    + Badness.wrongQuestion.messages(question) + [answer.bytes]
            }
            let names = try ResolvedNames()
            let lookup = Lookup.host("a.test", at: server.address)
            names.resolver.want([lookup])
            #expect(names.come(lookup, to: [Self.good]))
            #expect(names.history(of: lookup).count == 1)
            try server.stop()
        }

        @Test("Records of foreign owners beside the true ones are ignored and counted")
        func foreignBeside() throws {
            let server = try NameServer { question in
                var answer = question.answer
                answer.answers = [
                    .a("bank.test", 86_400, "203.0.113.66"), .cname(question.name, 60, "web.test"),
                    .a("web.test", 60, Self.good),
                ]
                return [answer.bytes]
            }
            let names = try ResolvedNames()
            let lookup = Lookup.host("a.test", at: server.address)
            names.resolver.want([lookup])
            #expect(names.come(lookup, to: [Self.good]))
            #expect(try names.records(of: lookup).first?.ignoredCount == 1)
            #expect(try names.report.counters.recordsIgnored > 0)
            try server.stop()
        }

        @Test("Each query has a source port and a number of its own")
        func ports() throws {
            let server = try Self.server(Mood())
            let names = try ResolvedNames { $0.flyingMax = 2 }
            let lookups = (0..<40).map { Lookup.host("n\($0).test", at: server.address) }
            names.resolver.want(Set(lookups))
            #expect(eventually { server.questions.count >= 200 })
            names.resolver.stop()
            let count = server.questions.count
            // The kernel gives a port again now and then, and so does chance a number.
            #expect(server.sources.count > count * 9 / 10, "\(server.sources.count) of \(count)")
            #expect(Set(server.questions.map(\.id)).count > count * 9 / 10)
            #expect(server.questions.allSatisfy { $0.hasExtension })
            try server.stop()
        }

        @Test("A truncated answer is asked for by TCP, and is then whole")
        func truncated() throws {
            let addresses = (0..<500).map { "192.0.\(2 + $0 / 250).\($0 % 250)" }
            let server = try NameServer { question in
                var answer = question.answer
                answer.isTruncated = !question.isByTCP
                answer.answers = (question.isByTCP ? addresses[...] : addresses[..<3]).map {
                    .a(question.name, 60, $0)
                }
                return [answer.bytes]
            }
            let names = try ResolvedNames()
            let lookup = Lookup.host("a.test", at: server.address)
            names.resolver.want([lookup])
            #expect(names.come(lookup, to: addresses))
            #expect(server.questions.prefix(2).map(\.isByTCP) == [false, true])
            try server.stop()
        }

        @Test("A server that does not know EDNS is asked without it, and others with it")
        func noExtension() throws {
            let old = try NameServer { question in
                var answer = question.answer
                answer.code = question.hasExtension ? 1 : 0
                answer.answers = question.hasExtension ? [] : [.a(question.name, 60, Self.good)]
                answer.additionals = []
                return [answer.bytes]
            }
            let new = try Self.server(Mood())
            let names = try ResolvedNames { $0.flyingMax = 1 }
            let both = [
                Lookup.host("a.test", at: old.address), Lookup.host("b.test", at: new.address),
            ]
            names.resolver.want(Set(both))
            #expect(both.allSatisfy { names.come($0, to: [Self.good]) })
            #expect(eventually { new.questions.count > 5 && old.questions.count > 10 })
            #expect(new.questions.allSatisfy { $0.hasExtension })
            #expect(try names.records(of: both[0]).first?.trouble == nil)
            try old.stop()
            try new.stop()
        }

        @Test("A server is reached by IPv6, and names have addresses of both families")
        func ipv6() throws {
            let server = try NameServer(on: .loopbackIPv6) { question in
                var answer = question.answer
                answer.answers = [
                    question.type == 1
                        ? .a(question.name, 60, Self.good) : .aaaa(question.name, 60, "2001:db8::1")
                ]
                return [answer.bytes]
            }
            let names = try ResolvedNames()
            let lookup = Lookup.host("a.test", at: server.address) { $0.family = .both }
            names.resolver.want([lookup])
            #expect(names.come(lookup, to: [Self.good, "2001:db8::1"]))
            try server.stop()
        }

        @Test("Ten thousand names are resolved with few queries at a time")
        func tenThousand() throws {
            let server = try Self.server(Mood())
            let names = try ResolvedNames { $0.timeoutMilliseconds = 10_000 }
            let lookups = (0..<10_000).map { number in
                Lookup.host("n\(number).test", at: server.address) {
                    $0.refreshInterval = 3_600_000
                }
            }
            names.resolver.want(Set(lookups))
            #expect(
                eventually { lookups.allSatisfy { names.addresses(of: $0) == [Self.good] } })
            #expect(server.questions.count == 10_000)
            try server.stop()
        }

        // MARK: Files

        @Test("The system's servers, their change, and the hosts file are followed")
        func files() throws {
            let first = try Self.server(Mood())
            let second = try NameServer { question in
                var answer = question.answer
                answer.answers = [.a(question.name, 60, "192.0.2.2")]
                return [answer.bytes]
            }
            let names = try ResolvedNames(configuration: "nameserver \(first.address)")
            let lookup = Lookup.host("a.test") { $0.refreshInterval = 3_600_000 }
            names.resolver.want([lookup])
            #expect(names.come(lookup, to: [Self.good]))
            names.rewrite("resolv.conf", "nameserver \(second.address)")
            #expect(names.come(lookup, to: ["192.0.2.2"]))
            names.rewrite("hosts", "192.0.2.3 a.test")
            #expect(names.come(lookup, to: ["192.0.2.3"]))
            names.rewrite("hosts", "")
            #expect(names.come(lookup, to: ["192.0.2.2"]))
            #expect(try names.report.system.servers == [second.address])
            try first.stop()
            try second.stop()
        }

        @Test("A resolver leaves no thread and no descriptor behind")
        func ending() throws {
            let server = try Self.server(Mood())
            let before = try Self.descriptorCount()
            for _ in 0..<20 {
                let names = try ResolvedNames()
                let lookup = Lookup.host("a.test", at: server.address)
                names.resolver.want([lookup])
                #expect(names.come(lookup, to: [Self.good]))
            }
            #expect(try eventually { try Self.descriptorCount() == before })
            try server.stop()
        }

        private static func descriptorCount() throws -> Int {
            let own = try ChildProcess(["ls", "/proc/\(getpid())/fd"])
            try own.awaitEnd()
            return own.lines.count
        }
    }
}
