import Testing

@testable import Engine

struct CountersTests {
    @Test("every counter and every reason has a word of its own")
    func words() {
        let counters = Counters()
        for (place, counter) in Counters.Counter.allCases.enumerated() {
            counters.add(counter, place + 1)
        }
        for (place, reason) in TerminationReason.allCases.enumerated() {
            for _ in 0...place { counters.add(reason) }
        }
        for (place, counter) in Counters.Counter.allCases.enumerated() {
            #expect(counters[counter] == UInt64(place + 1), "\(counter)")
        }
        for (place, reason) in TerminationReason.allCases.enumerated() {
            #expect(counters[reason] == UInt64(place + 1), "\(reason)")
        }
    }

    @Test("a counter goes down too, and is set")
    func levels() {
        let counters = Counters()
        counters.add(.connectionsLive, 3)
        counters.add(.connectionsLive, -2)
        #expect(counters[.connectionsLive] == 1)
        counters.set(.connectionsLive, 9)
        #expect(counters[.connectionsLive] == 9)
        #expect(counters[.flowsLive] == 0)
    }

    @Test("another thread reads while the worker counts, and never sees less than before")
    func reading() throws {
        let counters = Counters()
        try Crew.run(2) { number in
            var seen: UInt64 = 0
            for _ in 0..<10_000 {
                if number == 0 { counters.add(.turns) }
                let value = counters[.turns]
                precondition(value >= seen)
                seen = value
            }
        }
        #expect(counters[.turns] == 10_000)
    }
}
