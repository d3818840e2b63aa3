import Testing

@testable import HTTP2

@Suite("Where frames begin and end")
struct FrameBoundaryTests {
    /// SETTINGS without a payload, DATA of 5 bytes on stream 7 with the reserved bit set, PING.
    private static let frames: [UInt8] =
        [0, 0, 0, 4, 0, 0, 0, 0, 0] + [0, 0, 5, 0, 1, 0x80, 0, 0, 7, 1, 2, 3, 4, 5]
        + [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    private static let headers = [
        FrameBoundary.Header(length: 0, type: 4, flags: 0, stream: 0),
        FrameBoundary.Header(length: 5, type: 0, flags: 1, stream: 7),
        FrameBoundary.Header(length: 8, type: 6, flags: 0, stream: 0),
    ]

    @Test("however the bytes are cut, each frame is told of once", arguments: [0, 3, 24])
    func cuts(preface: Int) {
        let bytes = [UInt8](repeating: 0x20, count: preface) + Self.frames
        for size in 1...bytes.count {
            var boundary = FrameBoundary(preface: UInt32(preface))
            var found: [FrameBoundary.Header] = []
            var place = 0
            while place < bytes.count {
                let end = min(place + size, bytes.count)
                let part = bytes[place..<end].withUnsafeBytes { boundary.next($0) }
                #expect(1...(end - place) ~= part.count)
                if let header = part.header { found.append(header) }
                place += part.count
            }
            #expect(found == Self.headers)
        }
    }

    @Test("a part never reaches beyond its frame")
    func parts() {
        var boundary = FrameBoundary(preface: 0)
        var counts: [Int] = []
        var place = 0
        while place < Self.frames.count {
            let part = Self.frames[place...].withUnsafeBytes { boundary.next($0) }
            counts.append(part.count)
            place += part.count
        }
        #expect(counts == [9, 14, 17])
    }
}
