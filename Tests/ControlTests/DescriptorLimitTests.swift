import Testing

@testable import Control

@Suite("Descriptor limit")
struct DescriptorLimitTests {
    @Test("two descriptors a connection are left after the reserve")
    func derivation() throws {
        let share = try DescriptorLimit(descriptors: 20_000)
            .share(listeners: 3, workers: 2, pipesMax: 64, asked: nil)
        // 64 + 256 + 3 × 2 + 2 × (2 × 64 + 8) = 598
        #expect(share.connectionsMax == (20_000 - 598) / 2)
        #expect(share.pipesMax == 64)
        #expect(share.derivation == "20000 descriptors less 598 reserved, 2 a connection")
    }

    @Test("pipes take at most a quarter of few descriptors")
    func fewDescriptors() throws {
        let share = try DescriptorLimit(descriptors: 1024)
            .share(listeners: 1, workers: 16, pipesMax: 64, asked: nil)
        #expect(share.pipesMax == 8)
        #expect(share.connectionsMax == (1024 - 64 - 64 - 16 - 16 * 24) / 2)
    }

    @Test(
        "one connection is allowed however few descriptors there are", arguments: [0, 10, 64, 80])
    func atLeastOne(descriptors: Int) throws {
        let share = try DescriptorLimit(descriptors: descriptors)
            .share(listeners: 1, workers: 1, pipesMax: 64, asked: nil)
        #expect(share.connectionsMax == 1)
        #expect(share.pipesMax >= 1)
    }

    @Test("an enormous limit gives a table that memory can hold")
    func enormous() throws {
        let share = try DescriptorLimit(descriptors: Int(Int32.max))
            .share(listeners: 1, workers: 1, pipesMax: 64, asked: nil)
        #expect(share.connectionsMax == 1_000_000)
    }

    @Test("what is asked for is given when the descriptors suffice, exactly up to the last one")
    func asked() throws {
        let limit = DescriptorLimit(descriptors: 1000)
        let most = try limit.share(listeners: 1, workers: 1, pipesMax: 8, asked: nil).connectionsMax
        let share = try limit.share(listeners: 1, workers: 1, pipesMax: 8, asked: most)
        #expect(share.connectionsMax == most)
        #expect(throws: StartFailure.self) {
            try limit.share(listeners: 1, workers: 1, pipesMax: 8, asked: most + 1)
        }
    }

    @Test(
        "asking for too many names the command that allows them, and it does allow them",
        arguments: [100, 300, 1024])
    func askedTooMany(descriptors: Int) throws {
        let error = #expect(throws: StartFailure.self) {
            try DescriptorLimit(descriptors: descriptors)
                .share(listeners: 1, workers: 1, pipesMax: 64, asked: 100_000)
        }
        let text = try #require(error?.description)
        let parts = text.split(separator: "`")
        let command = try #require(parts.dropFirst().first)
        #expect(command.hasPrefix("ulimit -n "))
        let needed = try #require(Int(command.dropFirst("ulimit -n ".count)))
        let share = try DescriptorLimit(descriptors: needed)
            .share(listeners: 1, workers: 1, pipesMax: 64, asked: 100_000)
        #expect(share.connectionsMax == 100_000)
    }
}
