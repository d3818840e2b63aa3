import Testing

@testable import HTTP2

@Suite("What a peer may do too often")
struct FloodGuardTests {
    typealias Header = FrameBoundary.Header

    struct Row: CustomTestStringConvertible {
        let header: Header
        /// Nil = it may do so for ever.
        let flood: HTTP2Flood?

        init(_ type: UInt8, _ flags: UInt8 = 0, length: UInt32 = 0, _ flood: HTTP2Flood?) {
            header = Header(length: length, type: type, flags: flags, stream: 1)
            self.flood = flood
        }

        var testDescription: String { "\(header)" }
    }

    private static let table: [Row] = [
        Row(FloodGuard.FrameType.data, 0, .emptyData),
        Row(FloodGuard.FrameType.data, 1, nil),
        Row(FloodGuard.FrameType.data, length: 1, nil),
        Row(FloodGuard.FrameType.headers, 5, length: 10, nil),
        Row(FloodGuard.FrameType.priority, length: 5, .priorities),
        Row(FloodGuard.FrameType.resetStream, length: 4, .resets),
        Row(FloodGuard.FrameType.settings, length: 6, .settings),
        Row(FloodGuard.FrameType.settings, 1, nil),
        Row(FloodGuard.FrameType.ping, length: 8, .pings),
        Row(FloodGuard.FrameType.ping, 1, length: 8, nil),
        Row(FloodGuard.FrameType.windowUpdate, length: 4, nil),
        Row(FloodGuard.FrameType.continuation, 0, .continuations),
        Row(200, length: 4, .unknownFrames),
    ]

    @Test("each kind has its allowance, and no more", arguments: table)
    func allowance(row: Row) {
        var guarding = FloodGuard(sectionBytesMax: 1_000)
        for _ in 0..<FloodGuard.allowance { #expect(guarding.note(row.header) == nil) }
        #expect(guarding.note(row.header) == row.flood)
    }

    @Test("honest work pays for what costs more than it brings")
    func payment() {
        let reset = Header(length: 4, type: FloodGuard.FrameType.resetStream, flags: 0, stream: 1)
        let ping = Header(length: 8, type: FloodGuard.FrameType.ping, flags: 0, stream: 0)
        var guarding = FloodGuard(sectionBytesMax: 1_000)
        for _ in 0..<10_000 {
            guarding.noteFinished()
            #expect(guarding.note(reset) == nil)
            guarding.noteSecond()
            #expect(guarding.note(ping) == nil)
        }
        guarding.noteFinished()
        guarding.noteFinished()
        // And no more than the allowance is ever saved up.
        var refused = 0
        for _ in 0...FloodGuard.allowance where guarding.note(reset) != nil { refused += 1 }
        #expect(refused == 1)
    }

    @Test("a field section has a length, over all of its frames")
    func sections() {
        var guarding = FloodGuard(sectionBytesMax: 1_000)
        let begin = Header(length: 600, type: FloodGuard.FrameType.headers, flags: 0, stream: 1)
        let more = Header(length: 400, type: FloodGuard.FrameType.continuation, flags: 0, stream: 1)
        #expect(guarding.note(begin) == nil)
        #expect(guarding.note(more) == nil)
        #expect(guarding.note(more) == .continuations)
        #expect(guarding.note(begin) == nil)
        let long = Header(length: 1_001, type: FloodGuard.FrameType.headers, flags: 4, stream: 3)
        #expect(guarding.note(long) == .continuations)
    }
}
