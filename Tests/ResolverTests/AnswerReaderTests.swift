import Primitives
import Testing
import Traffic
import Wire

@testable import Resolver

@Suite("What is believed of an answer")
struct AnswerReaderTests {
    private typealias Record = DNSBytes.Record

    private func read(
        _ message: DNSBytes, _ name: String? = nil, _ type: DNSMessage.RecordType? = nil
    ) throws -> AnswerReader.Reading {
        let reader = AnswerReader(
            name: try #require(DNSName(name ?? message.name)),
            type: type ?? DNSMessage.RecordType(rawValue: message.type))
        let bytes = message.bytes
        return reader.read(try DNSMessage(bytes.span.bytes))
    }

    private func addresses(_ texts: String..., ttl: UInt32) -> Answer {
        .found(.addresses(texts.map(IPAddress.of)), ttl: ttl)
    }

    @Test("addresses are given once each and in one order, with the least TTL")
    func plain() throws {
        let reading = try read(
            DNSBytes(
                "example.com",
                answers: [
                    .a("example.com", 300, "192.0.2.9"), .a("example.com", 60, "192.0.2.1"),
                    .a("example.com", 300, "192.0.2.9"),
                ]))
        #expect(reading == .init(answer: addresses("192.0.2.1", "192.0.2.9", ttl: 60)))
    }

    @Test("the least TTL of a chain of aliases counts, whatever the order of its records")
    func chain() throws {
        let records: [Record] = [
            .cname("www.example.com", 300, "web.example.com"),
            .cname("web.example.com", 7, "x.example.net"), .a("x.example.net", 60, "192.0.2.1"),
        ]
        for answers in [records, records.reversed()] {
            let reading = try read(DNSBytes("www.example.com", answers: answers))
            #expect(reading == .init(answer: addresses("192.0.2.1", ttl: 7)))
        }
    }

    @Test("records whose owner is not in the chain are ignored and counted")
    func foreign() throws {
        let reading = try read(
            DNSBytes(
                "www.example.com",
                answers: [
                    .a("bank.example.org", 86_400, "203.0.113.66"),
                    .cname("www.example.com", 300, "web.example.com"),
                    .cname("mail.example.com", 300, "evil.example.org"),
                    // The owner of an alias has nothing else (RFC 2181 §10.1).
                    .a("www.example.com", 1, "203.0.113.67"),
                    .a("web.example.com", 60, "192.0.2.1"),
                ]))
        #expect(reading == .init(answer: addresses("192.0.2.1", ttl: 60), ignoredCount: 3))
    }

    @Test("an answer about another name alone says that there is none")
    func foreignOnly() throws {
        let reading = try read(
            DNSBytes("www.example.com", answers: [.a("evil.example.org", 60, "203.0.113.66")]))
        #expect(
            reading == .init(answer: .absent(isNameMissing: false, ttl: nil), ignoredCount: 1))
    }

    @Test("an address of the other family is not what was asked for")
    func otherFamily() throws {
        let reading = try read(
            DNSBytes("example.com", 28, answers: [.a("example.com", 60, "192.0.2.1")]))
        #expect(
            reading == .init(answer: .absent(isNameMissing: false, ttl: nil), ignoredCount: 1))
    }

    @Test("aliases in a circle are a failure", arguments: 1...3)
    func loop(length: Int) throws {
        let answers = (0..<length).map {
            Record.cname("n\($0).example.com", 60, "n\(($0 + 1) % length).example.com")
        }
        let reading = try read(DNSBytes("n0.example.com", answers: answers))
        #expect(reading.answer == .failed(.aliasLoop))
    }

    @Test("sixteen aliases in a row are followed, seventeen are not")
    func longChain() throws {
        for count in [16, 17] {
            let answers =
                (0..<count).map {
                    Record.cname("n\($0).example.com", 60, "n\($0 + 1).example.com")
                } + [.a("n\(count).example.com", 60, "192.0.2.1")]
            let reading = try read(DNSBytes("n0.example.com", answers: answers))
            let good = addresses("192.0.2.1", ttl: 60)
            #expect(reading.answer == (count == 16 ? good : .failed(.aliasChainTooLong)))
        }
    }

    @Test("how long a name does not exist is the least of what its zone says")
    func negative() throws {
        for (ttl, minimum, least) in [(UInt32(900), UInt32(60), UInt32(60)), (30, 60, 30)] {
            for code in [UInt8(0), 3] {
                let reading = try read(
                    DNSBytes(
                        "gone.example.com", code: code,
                        authorities: [.soa("example.com", ttl, minimum: minimum)]))
                #expect(reading.answer == .absent(isNameMissing: code == 3, ttl: least))
            }
        }
    }

    @Test("an alias of a name that does not exist is no address, for as long as the alias holds")
    func danglingAlias() throws {
        let reading = try read(
            DNSBytes(
                "www.example.com", code: 3,
                answers: [.cname("www.example.com", 5, "gone.example.com")],
                authorities: [.soa("example.com", 900, minimum: 60)]))
        #expect(reading == .init(answer: .absent(isNameMissing: true, ttl: 5)))
    }

    @Test("every other code is a failure with its number", arguments: UInt8(0)...15)
    func codes(code: UInt8) throws {
        let reading = try read(
            DNSBytes("example.com", code: code, answers: [.a("example.com", 60, "192.0.2.1")]))
        switch code {
        case 0, 3: #expect(reading.answer == addresses("192.0.2.1", ttl: 60))
        default: #expect(reading.answer == .failed(.code(code)))
        }
    }

    @Test("a truncated answer is not half believed")
    func truncated() throws {
        var message = DNSBytes("example.com", answers: [.a("example.com", 60, "192.0.2.1")])
        message.isTruncated = true
        #expect(try read(message).answer == .failed(.truncated))
    }

    @Test("services come by priority, with the addresses of their targets and of nobody else")
    func services() throws {
        let name = "_ldap._tcp.example.com"
        let reading = try read(
            DNSBytes(
                name, 33,
                answers: [
                    .srv(name, 60, 20, 0, 389, "two.example.com"),
                    .srv(name, 90, 10, 5, 1389, "one.example.com"),
                ],
                additionals: [
                    .a("one.example.com", 30, "192.0.2.1"), .a("evil.example.org", 30, "192.0.2.6"),
                    .aaaa("two.example.com", 40, "2001:db8::2"),
                ]))
        let one = try #require(DNSName("one.example.com"))
        let two = try #require(DNSName("two.example.com"))
        #expect(
            reading.answer
                == .found(
                    .services([
                        ServiceRecord(priority: 10, weight: 5, port: 1389, target: one),
                        ServiceRecord(priority: 20, weight: 0, port: 389, target: two),
                    ]), ttl: 60))
        #expect(
            reading.additional == [
                .init(name: one, type: .a, answer: addresses("192.0.2.1", ttl: 30)),
                .init(name: two, type: .aaaa, answer: addresses("2001:db8::2", ttl: 40)),
            ])
    }

    @Test("a target of the root alone means that there is no such service")
    func noService() throws {
        let name = "_ldap._tcp.example.com"
        let none = Record.srv(name, 60, 0, 0, 0, ".")
        #expect(
            try read(DNSBytes(name, 33, answers: [none])).answer == .found(.services([]), ttl: 60))
        let both = try read(
            DNSBytes(name, 33, answers: [none, .srv(name, 60, 0, 0, 1, "one.example.com")]))
        guard case .found(.services(let services), _) = both.answer else {
            Issue.record("\(both.answer)")
            return
        }
        #expect(services.map(\.target.description) == ["one.example.com"])
    }

    @Test("no more targets of a service are taken than the limit, and the others are counted")
    func manyTargets() throws {
        let name = "_x._tcp.a"
        let answers = (0..<AnswerReader.targetsMax + 3).map {
            Record.srv(name, 60, 0, 0, 1, "t\($0).a")
        }
        let reading = try read(DNSBytes(name, 33, answers: answers))
        guard case .found(.services(let services), _) = reading.answer else {
            Issue.record("\(reading.answer)")
            return
        }
        #expect(services.count == AnswerReader.targetsMax)
        #expect(reading.ignoredCount == 3)
    }
}
