import Primitives
import Testing

@Suite struct SlabTests {
    /// What a slab should hold, kept in the simplest way.
    private struct Model {
        var live: [UInt32: (generation: UInt32, value: UInt64)] = [:]
        var stale: [(index: UInt32, generation: UInt32)] = []
        /// The same, each in one word.
        var staleTokens: Set<UInt64> = []
        var freed: [UInt32] = []
        var fresh: UInt32 = 0
        var peak = 0
    }

    /// Generations that count up to their wraps: that of a token's 24 bits, and that of the stamp.
    @Test(
        "a slab does what a dictionary with generations does",
        arguments: [0, 0xff_fff0, 0x7fff_fff0] as [UInt32])
    func model(firstGeneration: UInt32) throws {
        let capacity = 37
        var slab = Slab<UInt64>(capacity: capacity, firstGeneration: firstGeneration)
        var model = Model()
        var random = SeededRandom(seed: UInt64(firstGeneration))
        for step in 0..<20_000 {
            // Long runs of mostly claiming and of mostly releasing reach both ends.
            let isClaim = UInt64.random(in: 0..<10, using: &random) < (step / 200 % 2 == 0 ? 7 : 3)
            if isClaim {
                try claim(&slab, &model, value: random.next(), capacity: capacity)
            } else if let index = model.live.keys.sorted().randomElement(using: &random) {
                let removed = model.live.removeValue(forKey: index)
                slab.release(index)
                model.freed.append(index)
                let generation = try #require(removed).generation
                model.stale.append((index, generation))
                model.staleTokens.insert(UInt64(generation) << 32 | UInt64(index))
            }
            #expect(slab.count == model.live.count && slab.countPeak == model.peak)
            if step % 50 == 0 { check(slab, model, capacity: capacity) }
        }
        check(slab, model, capacity: capacity)
        #expect(model.peak == capacity)
    }

    private func claim(
        _ slab: inout Slab<UInt64>, _ model: inout Model, value: UInt64, capacity: Int
    ) throws {
        guard let index = slab.claim() else {
            #expect(model.live.count == capacity)
            return
        }
        // The slot given back last comes first; only then one that was never used.
        if let last = model.freed.popLast() {
            #expect(index == last)
        } else {
            #expect(index == model.fresh)
            model.fresh += 1
        }
        let generation = slab.generation(of: index)
        #expect(generation <= Slab<UInt64>.generationMask)
        try #require(model.live[index] == nil)
        model.live[index] = (generation, value)
        model.peak = max(model.peak, model.live.count)
        slab[index].pointee = value
        // Within one lap of 24 bits, no generation of a slot comes twice.
        #expect(!model.staleTokens.contains(UInt64(generation) << 32 | UInt64(index)))
    }

    private func check(_ slab: borrowing Slab<UInt64>, _ model: Model, capacity: Int) {
        for (index, expected) in model.live {
            let isLive = slab.isLive(index)
            #expect(isLive)
            #expect(slab.find(index, generation: expected.generation)?.pointee == expected.value)
        }
        let found = model.stale.suffix(500).count { index, generation in
            slab.find(index, generation: generation) != nil
        }
        #expect(found == 0, "a stale token finds nothing")
        var walked: [UInt32] = []
        var next = slab.firstLive(from: 0)
        while let index = next {
            walked.append(index)
            next = slab.firstLive(from: index + 1)
        }
        #expect(walked == model.live.keys.sorted())
        let isLivePastEnd = slab.isLive(UInt32(capacity)) || slab.isLive(.max)
        #expect(!isLivePastEnd)
        #expect(slab.find(.max, generation: 0) == nil)
    }

    @Test("a slot's generation wraps after 24 bits")
    func wrap() throws {
        var slab = Slab<UInt8>(capacity: 1, firstGeneration: 0xff_ffff)
        let claimed = slab.claim()
        let index = try #require(claimed)
        #expect(slab.generation(of: index) == 0xff_ffff)
        slab.release(index)
        #expect(slab.generation(of: index) == 0)
        let again = slab.claim()
        #expect(again == index)
        #expect(slab.generation(of: index) == 0)
        #expect(slab.find(index, generation: 0xff_ffff) == nil)
    }

    @Test("a slot is in use whatever its generation, also where the stamp wraps")
    func stampWrap() throws {
        var slab = Slab<UInt8>(capacity: 1, firstGeneration: 0x7fff_ffff)
        for _ in 0..<3 {
            let claimed = slab.claim()
            let index = try #require(claimed)
            let isLive = slab.isLive(index)
            let second = slab.claim()
            #expect(isLive && second == nil)
            slab.release(index)
            let isStillLive = slab.isLive(index)
            #expect(!isStillLive)
        }
    }

    @Test("a slot released twice traps")
    func doubleRelease() async {
        await #expect(processExitsWith: .failure) {
            var slab = Slab<UInt8>(capacity: 2)
            guard let index = slab.claim() else { return }
            slab.release(index)
            slab.release(index)
        }
    }

    @Test("a slot used after its release traps")
    func useAfterRelease() async {
        await #expect(processExitsWith: .failure) {
            var slab = Slab<UInt8>(capacity: 2)
            guard let index = slab.claim() else { return }
            slab.release(index)
            slab[index].pointee = 1
        }
    }

    @Test("an index that was never claimed traps")
    func unclaimed() async {
        await #expect(processExitsWith: .failure) {
            var slab = Slab<UInt8>(capacity: 2)
            _ = slab.claim()
            slab.release(1)
        }
        await #expect(processExitsWith: .failure) {
            let slab = Slab<UInt8>(capacity: 2)
            _ = slab.generation(of: 0)
        }
    }
}
