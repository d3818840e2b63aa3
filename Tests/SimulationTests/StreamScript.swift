import CLinux
import Primitives

/// What one end of a connection does. Drawn from the seed.
struct StreamScript {
    enum Ending: Equatable {
        /// Sends everything, then its end of stream; reads until the other's; closes.
        case halfClose
        /// As `halfClose`, but sends nothing before the other's end of stream has come.
        case answersWhenAsked
        /// Resets once so many bytes have come and gone.
        case resets(after: Int)
        /// Closes once so many bytes have come and gone, whatever is unread.
        case closes(after: Int)
        /// Reads nothing more once so many bytes have come.
        case stalls(after: Int)
        /// Sends everything, and then neither more nor an end.
        case lingers
        /// As `halfClose`, without the close_notify of its TLS.
        case cutsOff
        /// Sends everything, and then what is no record of its TLS.
        case garbles
    }

    /// Bytes to send, the eight that name the sender among them.
    var bytesToSend: Int
    var ending = Ending.halfClose
    var writeMax = 65_536
    var readMax = 65_536
    /// Parts in 1024 of the steps after which it rests for up to `restNanosecondsMax`.
    var restRate = 0
    var restNanosecondsMax = 1_000_000
    /// Sent before everything else: a PROXY header, well-formed or not.
    var preamble: [UInt8] = []
    var isPreambleGood = true
    /// Sent behind the preamble, and passed on: a ClientHello in its records.
    var hello: [UInt8] = []
    /// What comes is another protocol's, and not looked at.
    var isDeaf = false
    /// Where the preamble says the connection comes from.
    var preambleSource: SocketAddress?

    /// It keeps its side of the bargain: the connection should complete.
    var isCooperative: Bool {
        isPreambleGood && !isDeaf && (ending == .halfClose || ending == .answersWhenAsked)
    }

    /// - Parameter maySpeakSecond: of two ends that both wait, none would ever speak.
    static func draw(
        _ random: inout SeededRandom, maySpeakSecond: Bool, misbehaves: Bool
    ) -> StreamScript {
        let sizes = [8..<9, 9..<200, 200..<5_000, 5_000..<40_000, 40_000..<250_000]
        let size = Int.random(in: sizes.randomElement(using: &random)!, using: &random)
        var script = StreamScript(bytesToSend: size)
        script.writeMax = [7, 1_000, 16_384, 65_536].randomElement(using: &random)!
        script.readMax = [500, 4_096, 65_536].randomElement(using: &random)!
        // Tiny steps are for small streams, or a run would take too long.
        if size > 20_000 { script.writeMax = max(script.writeMax, 1_000) }
        script.restRate = [0, 0, 50, 300].randomElement(using: &random)!
        script.restNanosecondsMax = [10_000, 200_000, 5_000_000].randomElement(using: &random)!
        guard misbehaves, Int.random(in: 0..<3, using: &random) == 0 else {
            if maySpeakSecond, Int.random(in: 0..<3, using: &random) == 0 {
                script.ending = .answersWhenAsked
            }
            return script
        }
        let after = Int.random(in: 0..<(2 * size), using: &random)
        script.ending =
            [.resets(after: after), .closes(after: after), .stalls(after: after), .lingers]
            .randomElement(using: &random)!
        return script
    }
}

/// The bytes that a sender sends, known from its number and the place in the stream.
enum BytePattern {
    private static let period = 65_521
    private static let table: [UInt8] = {
        var random = SeededRandom(seed: 0xb17e)
        let once = (0..<period).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        return once + once
    }()

    private static func start(_ sender: UInt64, _ offset: Int) -> Int {
        Int((sender &* 7_919 &+ UInt64(offset)) % UInt64(period))
    }

    /// At most `period` bytes from `offset` on.
    static func with<Result>(
        _ sender: UInt64, from offset: Int, count: Int, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let first = start(sender, offset)
        return table.withUnsafeBytes {
            body(.init(rebasing: $0[first..<(first + min(count, period))]))
        }
    }

    static func matches(
        _ bytes: UnsafeRawBufferPointer, sender: UInt64, from offset: Int
    ) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = min(bytes.count - done, period)
            let isSame = with(sender, from: offset + done, count: count) {
                memcmp($0.baseAddress!, bytes.baseAddress! + done, count) == 0
            }
            guard isSame else { return false }
            done += count
        }
        return true
    }
}
