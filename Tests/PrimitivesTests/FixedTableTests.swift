import Primitives
import Testing

@Suite struct FixedTableTests {
    /// A key whose hashes collide as much as `spread` lets them.
    private struct Key: TableKey, Hashable {
        var number: UInt32
        var spread: UInt32

        func hash(seed: UInt64) -> UInt64 {
            var mixer = WordMixer(seed: seed)
            mixer.mix(UInt64(number % spread))
            return mixer.state
        }
    }

    @Test(
        "a table does what a dictionary does, however its keys collide",
        arguments: [1, 2, 7, 1_000] as [UInt32])
    func model(spread: UInt32) {
        let capacity = 60
        var table = FixedTable<Key, UInt64>(capacity: capacity, seed: UInt64(spread))
        var model: [Key: UInt64] = [:]
        var random = SeededRandom(seed: UInt64(spread))
        var countPeak = 0
        for step in 0..<6_000 {
            let key = Key(number: .random(in: 0..<100, using: &random), spread: spread)
            let isSet = Int.random(in: 0..<10, using: &random) < (step / 300 % 2 == 0 ? 8 : 2)
            if !isSet {
                table.remove(key)
                model[key] = nil
            } else if model[key] != nil || model.count < capacity {
                let value = random.next()
                table.set(key, value)
                model[key] = value
            }
            #expect(table.find(key) == model[key], "step \(step)")
            guard step % 20 == 0 else { continue }
            let wrong = (0..<100 as Range<UInt32>).first {
                let key = Key(number: $0, spread: spread)
                return table.find(key) != model[key]
            }
            #expect(wrong == nil, "step \(step)")
            #expect(table.count == model.count)
            countPeak = max(countPeak, model.count)
        }
        #expect(countPeak == capacity)
    }

    @Test("another seed spreads the same keys otherwise")
    func seeds() {
        func places(_ seed: UInt64) -> [UInt64] {
            (0..<64).map { Key(number: $0, spread: .max).hash(seed: seed) >> 1 & 63 }
        }
        #expect(places(1) != places(2))
        // 64 keys in 64 places leave about 64/e of them empty; a poor mix leaves far more.
        #expect(Set(places(1)).count > 32 && Set(places(2)).count > 32)
    }

    @Test("one key too many traps")
    func overflow() async {
        await #expect(processExitsWith: .failure) {
            var table = FixedTable<Key, Int>(capacity: 1, seed: 0)
            table.set(Key(number: 1, spread: 9), 1)
            table.set(Key(number: 1, spread: 9), 2)
            table.set(Key(number: 2, spread: 9), 3)
        }
    }
}
