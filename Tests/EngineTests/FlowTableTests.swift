import Discovery
import Primitives
import Routing
import Testing

@testable import Engine

/// The table beside a naive model, step by step, from one seed.
struct FlowTableTests {
    private struct Model {
        struct Entry {
            let key: FlowKey
            let index: UInt32
            var tick: UInt64
        }

        /// Live flows, the longest unused first.
        var live: [Entry] = []
        var hidden: [UInt32] = []

        func place(of key: FlowKey) -> Int? { live.firstIndex { $0.key == key } }
    }

    private static let capacity = 24

    private static func key(_ random: inout SeededRandom) -> FlowKey {
        FlowKey(
            client: IPAddress(v4: 0x0a00_0000 | UInt32.random(in: 0..<4, using: &random)),
            port: UInt16.random(in: 1...8, using: &random), socket: 0, local: .anyIPv4)
    }

    private static let endpoint = Endpoint(
        EndpointPlan(.address(.ip(.loopbackIPv4, port: 53))), at: .ip(.loopbackIPv4, port: 53))

    private static func flow(_ key: FlowKey, tick: UInt64) -> Flow {
        Flow(
            key: key, name: ClientName(UnsafeRawBufferPointer(start: nil, count: 0)), endpoint: -1,
            listener: 0, cluster: 0,
            leader: Unmanaged.passUnretained(endpoint), isDoubtful: false, lastActivity: tick)
    }

    private static func step(
        _ table: inout FlowTable, _ model: inout Model, _ tick: UInt64,
        _ random: inout SeededRandom
    ) {
        let key = key(&random)
        let found = table.find(key)
        let place = model.place(of: key)
        #expect(found == place.map { model.live[$0].index })
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<6:
            if let place, let found {
                table.touch(found, tick: tick)
                guard model.live[place].tick != tick else { return }
                var entry = model.live.remove(at: place)
                entry.tick = tick
                model.live.append(entry)
                return
            }
            let index = table.insert(flow(key, tick: tick))
            #expect((index == nil) == (model.live.count + model.hidden.count == capacity))
            guard let index else { return }
            model.live.append(Model.Entry(key: key, index: index, tick: tick))
        case 6..<8:
            guard let place else { return }
            let entry = model.live.remove(at: place)
            table.hide(entry.index)
            model.hidden.append(entry.index)
        default:
            guard let index = model.hidden.popLast() else { return }
            let generation = table.generation(of: index)
            table.release(index)
            let stale = table.find(index, generation: generation)
            #expect(stale == nil, "a completion for the last tenant is known as stale")
        }
    }

    private static func check(_ table: borrowing FlowTable, _ model: Model) {
        let count = table.count
        #expect(count == model.live.count + model.hidden.count)
        var order: [UInt32] = []
        var next = table.oldest
        while next != Flow.none && order.count <= capacity {
            order.append(next)
            next = table[next].pointee.newer
        }
        #expect(order == model.live.map(\.index), "in the order of last use")
        for source in UInt32(0)..<4 {
            let address = IPAddress(v4: 0x0a00_0000 | source)
            let count = table.countOfSource(address)
            #expect(Int(count) == model.live.count { $0.key.client == address })
        }
    }

    @Test("a table does what a list would", arguments: [UInt64(1), 2, 3])
    func againstModel(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var table = FlowTable(capacity: Self.capacity)
        var model = Model()
        var isFull = false
        for step in UInt64(0)..<2_000 {
            Self.step(&table, &model, step / 3, &random)
            Self.check(table, model)
            isFull = isFull || table.count == Self.capacity
        }
        #expect(isFull, "seed \(seed) fills the table")
    }

    @Test("a flow is hidden once, and released only when hidden")
    func misuse() async {
        await #expect(processExitsWith: .failure) {
            var random = SeededRandom(seed: 1)
            var table = FlowTable(capacity: 2)
            guard let index = table.insert(Self.flow(Self.key(&random), tick: 0)) else { return }
            table.hide(index)
            table.hide(index)
        }
        await #expect(processExitsWith: .failure) {
            var random = SeededRandom(seed: 1)
            var table = FlowTable(capacity: 2)
            guard let index = table.insert(Self.flow(Self.key(&random), tick: 0)) else { return }
            table.release(index)
        }
    }
}
