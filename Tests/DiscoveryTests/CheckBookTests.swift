import Health
import Primitives
import Routing
import Testing

@testable import Discovery

@Suite("Which clusters have which checks")
struct CheckBookTests {
    private static func check(_ number: Int, jitter: UInt32 = 0) -> HealthCheck {
        let address = SocketAddress.ip(IPAddress(v4: 0x0a00_0000 | UInt32(number)), port: 80)
        var plan = HealthCheckPlan.Active(probe: .tcp(send: [], expect: []))
        plan.initialJitter = jitter
        return HealthCheck(
            EndpointPlan(.address(address)), at: address, plan: plan, framing: .opaque)
    }

    private static func checks(_ numbers: Int...) -> Set<HealthCheck> {
        Set(numbers.map { check($0) })
    }

    @Test("what is wanted is said when it is something else than before, and once")
    func wanted() {
        var book = CheckBook()
        book.replaceAll([Self.checks(1, 2), Self.checks(2)])
        #expect(book.takeWanted() == Self.checks(1, 2))
        #expect(book.takeWanted() == nil)
        book.replaceAll([Self.checks(2), Self.checks(1, 2)])
        #expect(book.takeWanted() == nil, "others have them")
        book.replace(1, by: Self.checks(2))
        #expect(book.takeWanted() == Self.checks(2))
        book.replace(1, by: [])
        #expect(book.takeWanted() == nil, "the first cluster still has it")
        book.replace(0, by: Self.checks(3))
        #expect(book.takeWanted() == Self.checks(3))
        book.replaceAll([])
        #expect(book.takeWanted() == [])
    }

    @Test("verdicts go to those that have the check, and are kept while somebody has it")
    func verdicts() {
        var book = CheckBook()
        book.replaceAll([Self.checks(1), Self.checks(1, 2), Self.checks(2)])
        #expect(book.note([Self.check(1): .healthy]) == [0, 1])
        #expect(book.note([Self.check(9): .healthy]) == [])
        #expect(book.verdicts == [Self.check(1): .healthy])
        book.replaceAll([Self.checks(2), Self.checks(1)])
        #expect(book.verdicts == [Self.check(1): .healthy])
        book.replace(1, by: Self.checks(2))
        #expect(book.verdicts.isEmpty)
        #expect(book.note([Self.check(2): .unhealthy(.closedEarly)]) == [0, 1])
    }

    @Test("first verdicts are waited for, but not longer than their policy puts them off")
    func awaited() {
        var book = CheckBook()
        book.replaceAll([[Self.check(1), Self.check(2), Self.check(3, jitter: 500)]])
        #expect(book.awaitedCount == 2)
        _ = book.note([Self.check(1): .healthy, Self.check(2): .unhealthy(.closedEarly)])
        #expect(book.awaitedCount == 0)
    }
}
