import Glibc
import Primitives
import Routing
import Synchronization
import Testing

@testable import Discovery

@Suite("Quiescence")
struct QuiescenceTests {
    @Test("a reader that has passed no point holds back what it may see")
    func onePoint() {
        let quiescence = Quiescence(readers: 2)
        let (one, other) = (quiescence.reader(0), quiescence.reader(1))
        #expect(quiescence.isOver(quiescence.retire()), "everybody is away")
        one.wake()
        let ticket = quiescence.retire()
        #expect(!quiescence.isOver(ticket))
        other.wake()
        #expect(!quiescence.isOver(ticket))
        one.pass()
        #expect(quiescence.isOver(ticket), "the other came after it")
        let second = quiescence.retire()
        other.sleep()
        #expect(!quiescence.isOver(second))
        one.sleep()
        #expect(quiescence.isOver(second))
    }

    /// A model of readers and one writer, step by step in any order: what a reader may hold is
    /// never free.
    @Test("in any order of steps nothing is freed that a reader holds", arguments: 0..<200)
    func anyOrder(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let quiescence = Quiescence(readers: 3)
        var current = 0
        var retired: [(number: Int, ticket: Quiescence.Ticket)] = []
        var held: [Set<Int>] = [[], [], []]
        var isAwake = [false, false, false]
        var freed: Set<Int> = []
        for _ in 0..<300 {
            let reader = Int.random(in: 0..<3, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                quiescence.reader(reader).wake()
                isAwake[reader] = true
                held[reader] = []
            case 1:
                if isAwake[reader] { quiescence.reader(reader).pass() }
                held[reader] = []
            case 2:
                quiescence.reader(reader).sleep()
                isAwake[reader] = false
                held[reader] = []
            case 3 where isAwake[reader]:
                #expect(!freed.contains(current))
                held[reader].insert(current)
            case 4:
                let former = current
                current += 1
                retired.append((former, quiescence.retire()))
            default:
                retired.removeAll { entry in
                    guard quiescence.isOver(entry.ticket) else { return false }
                    #expect(!held.joined().contains(entry.number))
                    freed.insert(entry.number)
                    return true
                }
            }
        }
        for reader in 0..<3 { quiescence.reader(reader).sleep() }
        #expect(retired.allSatisfy { quiescence.isOver($0.ticket) })
    }

    /// For the thread sanitizer above all: threads pick and take while the endpoints change under
    /// them.
    @Test("threads pick while the set changes")
    func stress() throws {
        let readers = 3
        let quiescence = Quiescence(readers: readers)
        let cluster = ClusterEndpoints(
            ClusterEndpointsTests.plan([Array(1...8)], .leastRequest), quiescence: quiescence)
        let ended = Atomic<Int>(0)
        let isOver = Atomic<Bool>(false)
        let served = Atomic<Int>(0)
        try withExtendedLifetime(cluster) {
            for index in 0..<readers {
                nonisolated(unsafe) let pointer = withUnsafePointer(to: ended) { $0 }
                nonisolated(unsafe) let over = withUnsafePointer(to: isOver) { $0 }
                nonisolated(unsafe) let sum = withUnsafePointer(to: served) { $0 }
                try PosixThread.start(name: "reader-\(index)") {
                    Self.read(cluster, quiescence.reader(index), over, sum)
                    pointer.pointee.wrappingAdd(1, ordering: .releasing)
                }
            }
            var random = SeededRandom(seed: 5)
            for _ in 0..<2_000 {
                let count = Int.random(in: 1...8, using: &random)
                let start = Int.random(in: 1...8, using: &random)
                cluster.replace(ClusterEndpointsTests.candidates([Array(start..<start + count)]))
            }
            isOver.store(true, ordering: .releasing)
            while ended.load(ordering: .acquiring) < readers { sched_yield() }
        }
        #expect(served.load(ordering: .relaxed) > 0)
        #expect(cluster.statuses.allSatisfy { $0.live == 0 })
        #expect(cluster.review(now: 1) == nil, "nothing is left to free")
    }

    private static func read(
        _ cluster: ClusterEndpoints, _ reader: Quiescence.Reader,
        _ isOver: UnsafePointer<Atomic<Bool>>, _ served: UnsafePointer<Atomic<Int>>
    ) {
        var turn = EndpointTurn(seed: 7)
        var held: [Unmanaged<Endpoint>] = []
        var turns = 0
        while !isOver.pointee.load(ordering: .acquiring) || turns < 100 {
            turns += 1
            reader.wake()
            for _ in 0..<16 {
                guard let endpoint = cluster.pick(&turn, hash: nil) else { continue }
                endpoint._withUnsafeGuaranteedRef { $0.take() }
                held.append(endpoint)
            }
            while held.count > 40 {
                held.removeFirst()._withUnsafeGuaranteedRef { endpoint in
                    cluster.noteFailure(of: endpoint)
                    cluster.noteSuccess(of: endpoint)
                    endpoint.give()
                }
                served.pointee.wrappingAdd(1, ordering: .relaxed)
            }
            reader.sleep()
        }
        for endpoint in held { endpoint._withUnsafeGuaranteedRef { $0.give() } }
    }
}
