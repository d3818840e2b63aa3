import Testing

@testable import Engine

struct MailboxTests {
    private static func numbers(_ messages: [WorkerMessage]) -> [UInt64] {
        messages.compactMap { message in
            guard case .drain(let number) = message else { return nil }
            return number
        }
    }

    @Test("messages are taken all at once, oldest first")
    func order() {
        let mailbox = Mailbox()
        #expect(mailbox.isEmpty && mailbox.takeAll().isEmpty)
        for number in UInt64(0)..<5 { mailbox.put(.drain(deadline: number)) }
        #expect(!mailbox.isEmpty)
        #expect(Self.numbers(mailbox.takeAll()) == [0, 1, 2, 3, 4])
        #expect(mailbox.isEmpty && mailbox.takeAll().isEmpty)
    }

    @Test("several threads post while one takes: nothing is lost")
    func threads() throws {
        let mailbox = Mailbox()
        let perThread: UInt64 = 2_000
        var taken: [UInt64] = []
        for _ in 0..<3 {
            try Crew.run(4) { number in
                for count in 0..<perThread {
                    mailbox.put(.drain(deadline: UInt64(number) << 32 | count))
                    if number == 0 && count % 64 == 0 {
                        // The taker runs beside those who post, and posts again what it took.
                        for message in mailbox.takeAll() { mailbox.put(message) }
                    }
                }
            }
            taken += Self.numbers(mailbox.takeAll())
        }
        #expect(taken.count == 3 * 4 * Int(perThread))
        #expect(Set(taken).count == 4 * Int(perThread), "each number came in each round")
    }

    @Test("what one thread posts is taken in its order while others post too")
    func orderOfEach() throws {
        let mailbox = Mailbox()
        try Crew.run(4) { number in
            for count in UInt64(0)..<2_000 {
                mailbox.put(.drain(deadline: UInt64(number) << 32 | count))
            }
        }
        let taken = Self.numbers(mailbox.takeAll())
        for number in UInt64(0)..<4 {
            let own = taken.filter { $0 >> 32 == number }.map { $0 & 0xffff_ffff }
            #expect(own == Array(0..<2_000))
        }
    }
}
