import Testing

@testable import Manifest

@Suite("Durations")
struct DurationTextTests {
    @Test(
        "a GEP-2257 duration is read to the millisecond",
        arguments: [
            ("0s", 0), ("1ms", 1), ("10s", 10_000), ("1h30m", 5_400_000), ("1h1m1s1ms", 3_661_001),
            ("90m", 5_400_000), ("99999h", 359_996_400_000), ("00001s", 1_000), ("1s1s", 2_000),
            ("2ms3h", 10_800_002),
        ] as [(String, UInt64)])
    func valid(text: String, milliseconds: UInt64) {
        #expect(DurationText.milliseconds(text) == milliseconds)
    }

    @Test(
        "anything else is none",
        arguments: [
            "", "1", "s", "1.5s", "-1s", "+1s", "1us", "1ns", "1d", "1S", "1 s", " 1s", "1s ",
            "100000s", "1h1m1s1ms1s", "1h1", "ms1", "1m s", "١s",
        ])
    func invalid(text: String) {
        #expect(DurationText.milliseconds(text) == nil)
    }
}
