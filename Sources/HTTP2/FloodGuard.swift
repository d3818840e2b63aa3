/// What a peer may do too often (RFC 9113 section 10.5). Each ends its connection with
/// ENHANCE_YOUR_CALM.
public enum HTTP2Flood: UInt8, BitwiseCopyable, CaseIterable, Sendable {
    /// Requests that are taken back at once (CVE-2023-44487).
    case resets
    case pings
    case settings
    /// Frames of DATA without data that end nothing.
    case emptyData
    case priorities
    /// A field section that does not end (CVE-2024-27316 and others).
    case continuations
    /// Types that nobody knows, which are to be passed over.
    case unknownFrames
}

/// Counts the frames that cost more than they bring. Pure.
///
/// What is allowed grows with what the peer does honestly, so that a long connection is not ended
/// for what it did over hours.
struct FloodGuard: BitwiseCopyable, Hashable {
    /// RFC 9113 section 6.
    enum FrameType {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let priority: UInt8 = 2
        static let resetStream: UInt8 = 3
        static let settings: UInt8 = 4
        static let pushPromise: UInt8 = 5
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let windowUpdate: UInt8 = 8
        static let continuation: UInt8 = 9
    }

    /// How many of a kind are let pass beyond those that honest work pays for.
    static let allowance: Int32 = 100
    /// Bytes of one field section's frames.
    let sectionBytesMax: UInt32

    private var resets = Self.allowance
    private var others = Self.allowance
    private var sectionBytes: UInt32 = 0

    init(sectionBytesMax: UInt32) {
        self.sectionBytesMax = sectionBytesMax
    }

    /// A frame's header has come.
    /// - Returns: what there is too much of.
    mutating func note(_ header: FrameBoundary.Header) -> HTTP2Flood? {
        let isLast = header.flags & 1 != 0
        let isWhole = header.flags & 4 != 0
        let isAnswer = header.flags & 1 != 0
        switch header.type {
        case FrameType.data:
            if header.length > 0 || isLast {
                pay(1)
                return nil
            }
            return charge(.emptyData)
        case FrameType.headers:
            sectionBytes = header.length
            return sectionBytes > sectionBytesMax ? .continuations : nil
        case FrameType.continuation:
            sectionBytes += header.length
            if sectionBytes > sectionBytesMax { return .continuations }
            // Each but the last has to carry something.
            return header.length == 0 && !isWhole ? charge(.continuations) : nil
        case FrameType.resetStream:
            resets -= 1
            return resets < 0 ? .resets : nil
        case FrameType.ping: return isAnswer ? nil : charge(.pings)
        case FrameType.settings: return isAnswer ? nil : charge(.settings)
        case FrameType.priority: return charge(.priorities)
        case FrameType.windowUpdate, FrameType.goAway, FrameType.pushPromise: return nil
        default: return charge(.unknownFrames)
        }
    }

    /// A stream has come to its end as it should.
    mutating func noteFinished() {
        resets = min(resets + 1, Self.allowance)
        pay(4)
    }

    /// A second has passed: who pings now and then to see whether the other is there may do so for
    /// ever.
    mutating func noteSecond() {
        pay(2)
    }

    private mutating func pay(_ count: Int32) {
        others = min(others + count, Self.allowance)
    }

    private mutating func charge(_ flood: HTTP2Flood) -> HTTP2Flood? {
        others -= 1
        return others < 0 ? flood : nil
    }
}
