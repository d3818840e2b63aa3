import Primitives
import Testing

@Suite struct SeededRandomTests {
    @Test("the numbers are those of SplitMix64's authors")
    func vectors() {
        var random = SeededRandom(seed: 1_234_567)
        let numbers = (0..<5).map { _ in random.next() }
        #expect(
            numbers == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973,
                9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ])
    }

    @Test("the same seed gives the same numbers, another seed others")
    func seeds() {
        func numbers(_ seed: UInt64) -> [Int] {
            var random = SeededRandom(seed: seed)
            return (0..<100).map { _ in Int.random(in: 0..<1_000_000, using: &random) }
        }
        #expect(numbers(1) == numbers(1))
        #expect(numbers(1) != numbers(2))
    }
}
