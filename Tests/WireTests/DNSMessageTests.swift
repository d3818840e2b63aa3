import Primitives
import Testing
import Wire

@Suite("DNS messages")
struct DNSMessageTests {
    // MARK: Bytes, written from RFC 1035

    private static func head(
        flags: UInt16 = 0x8180, questions: UInt16 = 1, answers: UInt16 = 0, authorities: UInt16 = 0,
        additionals: UInt16 = 0
    ) -> [UInt8] {
        [0x1234, flags, questions, answers, authorities, additionals].flatMap(bigEndian)
    }

    private static func bigEndian(_ value: UInt16) -> [UInt8] {
        [UInt8(value >> 8), UInt8(value & 0xff)]
    }

    private static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    private static func question(_ name: [UInt8], _ type: UInt16 = 1) -> [UInt8] {
        name + bigEndian(type) + [0, 1]
    }

    private static func record(
        _ owner: [UInt8], _ type: UInt16, ttl: [UInt8] = [0, 0, 1, 44], length: UInt16? = nil,
        _ data: [UInt8]
    ) -> [UInt8] {
        owner + bigEndian(type) + [0, 1] + ttl + bigEndian(length ?? UInt16(data.count)) + data
    }

    /// To the name of the question.
    private static let pointer: [UInt8] = [0xc0, 0x0c]
    private static let example = name("www.example.com")

    private static func parse(_ bytes: [UInt8]) throws(DNSFault) -> DNSMessage {
        try DNSMessage(bytes.span.bytes)
    }

    private static func fault(_ bytes: [UInt8]) -> DNSFault? {
        do throws(DNSFault) {
            _ = try parse(bytes)
            return nil
        } catch {
            return error
        }
    }

    // MARK: What is accepted

    @Test("header, question and every section are read")
    func whole() throws {
        let soa = Self.name("ns.example.com") + Self.name("root.example.com")
        let numbers = Array(repeating: UInt8(0), count: 16) + [0, 0, 0, 60]
        let message = try Self.parse(
            Self.head(flags: 0x8783, answers: 3, authorities: 1, additionals: 1)
                + Self.question(Self.example)
                + Self.record(Self.pointer, 5, [3, 0x77, 0x65, 0x62, 0xc0, 0x10])
                + Self.record([0xc0, 0x2d], 1, [192, 0, 2, 1])
                + Self.record([0xc0, 0x2d], 28, Array(repeating: 0, count: 15) + [1])
                + Self.record([0xc0, 0x10], 6, soa + numbers)
                + Self.record([0], 41, []))
        let web = DNSName("web.example.com")
        #expect(message.id == 0x1234 && message.isResponse && message.isTruncated)
        #expect(message.responseCode == DNSMessage.ResponseCode.nameError)
        #expect(message.questions.map(\.name) == [DNSName("www.example.com")])
        #expect(message.answers.map(\.owner) == [DNSName("www.example.com"), web, web])
        #expect(message.answers.map(\.ttl) == [300, 300, 300])
        #expect(web.map { message.answers[0].data == .alias($0) } == true)
        #expect(message.answers[1].data == .address(IPAddress(v4: 0xc000_0201)))
        #expect(message.answers[2].data == .address(.loopbackIPv6))
        #expect(message.authorities[0].data == .authority(minimumTTL: 60))
        #expect(message.hasExtension)
    }

    @Test("a service record has its four parts")
    func service() throws {
        let message = try Self.parse(
            Self.head(answers: 2) + Self.question(Self.example, 33)
                + Self.record(Self.pointer, 33, [0, 10, 0, 5, 1, 0x85] + Self.name("one.example"))
                + Self.record(Self.pointer, 33, [0, 0, 0, 0, 0, 0, 0]))
        let target = try #require(DNSName("one.example"))
        #expect(
            message.answers.map(\.data) == [
                .service(priority: 10, weight: 5, port: 389, target: target),
                .service(priority: 0, weight: 0, port: 0, target: .root),
            ])
    }

    @Test("names are compared without regard to ASCII case")
    func letters() throws {
        let message = try Self.parse(Self.head() + Self.question(Self.name("WwW.Example.COM")))
        #expect(message.questions[0].name == DNSName("www.example.com"))
    }

    @Test("a TTL with its top bit set counts as 0")
    func negativeTTL() throws {
        let message = try Self.parse(
            Self.head(answers: 1) + Self.question(Self.example)
                + Self.record(Self.pointer, 1, ttl: [0x80, 0, 0, 1], [192, 0, 2, 1]))
        #expect(message.answers[0].ttl == 0)
    }

    @Test("a message cut anywhere is refused")
    func cut() {
        let bytes =
            Self.head(answers: 2) + Self.question(Self.example)
            + Self.record(Self.pointer, 5, Self.name("web.example.net"))
            + Self.record(Self.name("web.example.net"), 1, [192, 0, 2, 1])
        #expect(Self.fault(bytes) == nil)
        for count in bytes.indices {
            #expect(Self.fault(Array(bytes[..<count])) != nil, "\(count) bytes")
        }
    }

    // MARK: What is refused

    private struct Refusal: Sendable {
        let fault: DNSFault
        let bytes: [UInt8]
    }

    private static let longLabel = [63] + Array(repeating: UInt8(ascii: "a"), count: 63)
    private static let refusals: [Refusal] = [
        Refusal(fault: .headerTruncated, bytes: Array(head().dropLast())),
        Refusal(fault: .nameTruncated, bytes: head()),
        Refusal(fault: .nameTruncated, bytes: head() + [5, 0x61]),
        Refusal(fault: .nameTruncated, bytes: head() + [0xc0]),
        // To itself, forwards, and two that point at each other.
        Refusal(fault: .pointerNotBackwards, bytes: head() + question([0xc0, 0x0c])),
        Refusal(fault: .pointerNotBackwards, bytes: head() + question([0xc0, 0x20])),
        Refusal(
            fault: .pointerNotBackwards,
            bytes: head(answers: 1) + question(example)
                + record(pointer, 5, [1, 0x61, 0xc0, 0x2d])),
        Refusal(fault: .labelTypeUnknown, bytes: head() + question([0x41, 0x61, 0])),
        Refusal(fault: .labelTypeUnknown, bytes: head() + question([0x81, 0x61, 0])),
        Refusal(
            fault: .nameTooLong,
            bytes: head() + question(longLabel + longLabel + longLabel + longLabel + [0])),
        Refusal(fault: .questionTruncated, bytes: head() + example + [0, 1, 0]),
        Refusal(fault: .recordTruncated, bytes: head(answers: 1) + question(example) + pointer),
        Refusal(
            fault: .recordTruncated,
            bytes: head(answers: 1) + question(example)
                + record(pointer, 1, length: 5, [192, 0, 2, 1])),
        Refusal(
            fault: .dataMalformed,
            bytes: head(answers: 1) + question(example) + record(pointer, 1, [192, 0, 2])),
        Refusal(
            fault: .dataMalformed,
            bytes: head(answers: 1) + question(example) + record(pointer, 28, [192, 0, 2, 1])),
        Refusal(
            fault: .dataMalformed,
            bytes: head(answers: 1) + question(example)
                + record(pointer, 5, name("x.example") + [0])),
        Refusal(
            fault: .dataMalformed,
            bytes: head(answers: 1) + question(example) + record(pointer, 33, [0, 1, 0, 1, 0, 1])),
        Refusal(
            fault: .dataMalformed,
            bytes: head(answers: 1) + question(example)
                + record(pointer, 6, [0, 0] + Array(repeating: 0, count: 19))),
    ]

    @Test("what is malformed is refused with its reason", arguments: refusals.indices)
    func refused(index: Int) {
        #expect(Self.fault(Self.refusals[index].bytes) == Self.refusals[index].fault)
    }

    @Test("every fault has a case that shows it")
    func complete() {
        #expect(Set(Self.refusals.map(\.fault)) == Set(DNSFault.allCases))
    }

    // MARK: Names

    @Test(
        "text that is no domain name is refused",
        arguments: ["", "..", "a..b", ".a", "a\\.b", String(repeating: "a", count: 64)])
    func badText(text: String) {
        #expect(DNSName(text) == nil)
    }

    @Test("a name has at most 255 bytes")
    func longest() {
        let label = String(repeating: "a", count: 63)
        let three = "\(label).\(label).\(label)"
        #expect(DNSName("\(three).\(label.dropLast(2))")?.wire.count == 255)
        #expect(DNSName("\(three).\(label.dropLast(1))") == nil)
        #expect(
            DNSName("a").flatMap { DNSName("\(three).\(label.dropLast(2))")?.appending($0) } == nil)
    }

    @Test("a name is written so that no byte of it can forge anything")
    func text() throws {
        let bytes: [UInt8] = [4, 0x61, 0x2e, 0x0a, 0x5c, 1, 0xff, 0]
        let message = try Self.parse(Self.head() + Self.question(bytes))
        #expect(message.questions[0].name.description == "a\\.\\010\\\\.\\255")
        #expect(DNSName("Example.COM.")?.description == "example.com")
        #expect(DNSName(".") == .root && DNSName.root.description == ".")
        #expect(DNSName("_ldap._tcp.example.com")?.labelCount == 4)
    }

    // MARK: Queries

    @Test("a query has one question, wants recursion, and its OPT record last")
    func query() throws {
        let name = try #require(DNSName("example.com"))
        let bytes = DNSQuery(id: 0x1234, name: name, type: .aaaa).bytes
        let plain: [UInt8] =
            Self.head(flags: 0x0100, additionals: 1) + Self.question(Self.name("example.com"), 28)
        #expect(bytes == plain + [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0])
        let bare = DNSQuery(id: 0x1234, name: name, type: .aaaa, datagramBytesMax: nil).bytes
        #expect(
            bare == Self.head(flags: 0x0100) + Self.question(Self.name("example.com"), 28))
    }
}
