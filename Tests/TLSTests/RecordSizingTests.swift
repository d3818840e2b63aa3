import Routing
import Testing

@testable import TLS

@Suite("How large records are")
struct RecordSizingTests {
    /// A write: when, of how many bytes, and what its records carry.
    private struct Row {
        let milliseconds: UInt64
        let count: Int
        let expected: Int
    }

    private static let small = RecordSizing.smallBytes
    private static let large = TLSSession.recordBytesMax

    private func check(_ rows: [Row]) {
        var sizing = RecordSizing()
        for (number, row) in rows.enumerated() {
            let size = sizing.recordBytes(
                for: row.count, nowNanoseconds: row.milliseconds * 1_000_000)
            #expect(size == row.expected, "row \(number)")
        }
    }

    @Test(
        "the first 64 KiB of a burst go in small records, however they are cut, the rest in large")
    func burst() {
        check([
            Row(milliseconds: 5_000, count: 65_535, expected: Self.small),
            Row(milliseconds: 5_000, count: 1, expected: Self.small),
            Row(milliseconds: 5_000, count: 1, expected: Self.large),
            Row(milliseconds: 5_999, count: 65_536, expected: Self.large),
        ])
        for piece in [1, 7, 1_369, 16_384, 65_535, 65_536, 1_000_000] {
            var sizing = RecordSizing()
            var written = 0
            while written < 200_000 {
                let size = sizing.recordBytes(for: piece, nowNanoseconds: 9_000_000_000)
                #expect(size == (written < 65_536 ? Self.small : Self.large), "\(written)")
                written += piece
            }
        }
    }

    @Test(
        "a second of silence begins a new burst, less does not, and time within a burst counts not")
    func silence() {
        check([
            Row(milliseconds: 0, count: 65_536, expected: Self.small),
            Row(milliseconds: 0, count: 1, expected: Self.large),
            Row(milliseconds: 999, count: 1, expected: Self.large),
            Row(milliseconds: 1_998, count: 1, expected: Self.large),
            Row(milliseconds: 2_998, count: 65_536, expected: Self.small),
            Row(milliseconds: 3_000, count: 16_384, expected: Self.large),
            Row(milliseconds: 4_000, count: 16_384, expected: Self.small),
            Row(milliseconds: 4_500, count: 49_152, expected: Self.small),
            Row(milliseconds: 4_600, count: 16_384, expected: Self.large),
        ])
    }

    @Test("a write of nothing begins nothing")
    func nothing() {
        check([
            Row(milliseconds: 0, count: 0, expected: Self.small),
            Row(milliseconds: 0, count: 65_536, expected: Self.small),
            Row(milliseconds: 0, count: 0, expected: Self.large),
        ])
    }

    @Test("a small record with its overhead is no more than a segment carries")
    func segment() throws {
        for version in [TLSSettings.Version.v1_2, .v1_3] {
            let server = try TestPlans.server { $0.settings.versionMax = version }
            let talk = Conversation(try TestPlans.client(), server)
            talk.shakeHands()
            try #require(talk.isEstablished)
            _ = talk.readClient()
            let bytes = [UInt8](repeating: 1, count: Self.small)
            #expect(talk.writeServer(bytes, recordBytesMax: Self.small) == nil)
            // 1,500 of Ethernet, less 40 of IPv6, 20 of TCP and 12 of its time stamps.
            #expect(talk.client.inbox.count <= 1_428)
        }
    }

    @Test("records of one session become larger again")
    func regrowth() throws {
        let talk = Conversation(try TestPlans.client(), try TestPlans.server())
        talk.shakeHands()
        try #require(talk.isEstablished)
        _ = talk.readClient()
        for (size, records) in [(1_000, 66), (Self.large, 4), (Self.small, 48), (Self.large, 4)] {
            let bytes = [UInt8](repeating: 1, count: 65_536)
            #expect(talk.writeServer(bytes, recordBytesMax: size) == nil)
            // Each has a head of five bytes, a tag of sixteen and its type.
            #expect(talk.client.inbox.count == 65_536 + 22 * records, "\(size)")
            #expect(talk.readClient().bytes.count == 65_536)
        }
    }
}
