import Primitives
import Wire

/// A request of a simulation and the answer that it asks for. Its path says everything, so that
/// whichever endpoint gets it knows what must come and what to answer.
struct RequestScript {
    enum Framing: Int, CaseIterable {
        case length, chunked, untilClose
    }

    /// From which its body follows.
    let number: UInt64
    var bodyBytes = 0
    var bodyFraming = Framing.length
    var answerBytes = 100
    var answerFraming = Framing.length
    var isHead = false
    var isHTTP10 = false
    /// Waits for an interim answer before it sends its body.
    var expectsContinue = false
    /// Both ends speak another protocol after the heads: so many bytes each.
    var isUpgrade = false
    /// The last of its connection, which the client says.
    var closes = false

    /// From which the body of the answer follows.
    var answerNumber: UInt64 { number + (1 << 32) }

    var method: HTTPMethod { isHead ? .head : bodyBytes > 0 ? .post : .get }

    var head: [UInt8] {
        var text = isHead ? "HEAD" : bodyBytes > 0 ? "POST" : "GET"
        text += " /\(number)/\(bodyBytes)/\(answerBytes)/\(answerFraming.rawValue)"
        text += "/\(isUpgrade ? 1 : 0) HTTP/1.\(isHTTP10 ? 0 : 1)\r\nhost: a.example.com\r\n"
        text += "x-hop: secret\r\nconnection: "
        text +=
            isUpgrade
            ? "upgrade, x-hop\r\nupgrade: pattern\r\n" : closes ? "close, x-hop\r\n" : "x-hop\r\n"
        if expectsContinue { text += "expect: 100-continue\r\n" }
        if bodyBytes > 0 { text += Self.field(bodyFraming, bodyBytes) }
        return Array((text + "\r\n").utf8)
    }

    /// - Parameter path: of a request that an endpoint got.
    init?(path: String, method: HTTPMethod) {
        let parts = path.split(separator: "/").compactMap { UInt64($0) }
        guard parts.count == 5, let framing = Framing(rawValue: Int(parts[3])) else { return nil }
        number = parts[0]
        bodyBytes = Int(parts[1])
        answerBytes = Int(parts[2])
        answerFraming = framing
        isUpgrade = parts[4] == 1
        isHead = method == .head
    }

    init(number: UInt64) { self.number = number }

    static func field(_ framing: Framing, _ count: Int) -> String {
        switch framing {
        case .length: "content-length: \(count)\r\n"
        case .chunked: "transfer-encoding: chunked\r\n"
        case .untilClose: ""
        }
    }

    /// A body as it stands in a message.
    static func body(
        _ framing: Framing, sender: UInt64, count: Int, chunk: () -> Int
    ) -> [UInt8] {
        guard framing == .chunked else { return pattern(sender, 0, count) }
        var bytes: [UInt8] = []
        var place = 0
        while place < count {
            let size = min(max(chunk(), 1), count - place)
            bytes += Array((String(size, radix: 16) + "\r\n").utf8)
            bytes += pattern(sender, place, size) + Array("\r\n".utf8)
            place += size
        }
        return bytes + Array("0\r\nx-sum: \(count)\r\n\r\n".utf8)
    }

    static func pattern(_ sender: UInt64, _ start: Int, _ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let left = count - bytes.count
            bytes += BytePattern.with(sender, from: start + bytes.count, count: left) { Array($0) }
        }
        return bytes
    }

    static func draw(
        _ random: inout SeededRandom, number: UInt64, isHTTP10: Bool
    ) -> RequestScript {
        func size() -> Int {
            // The longest are spliced.
            let sizes = [
                1..<200, 1..<200, 200..<5_000, 200..<5_000, 5_000..<120_000, 120_000..<500_000,
            ]
            return Int.random(in: sizes.randomElement(using: &random)!, using: &random)
        }
        var script = RequestScript(number: number)
        script.isHTTP10 = isHTTP10
        if Int.random(in: 0..<3, using: &random) == 0 {
            script.bodyBytes = size()
            if !isHTTP10 {
                script.bodyFraming = Bool.random(using: &random) ? .length : .chunked
                script.expectsContinue = Int.random(in: 0..<4, using: &random) == 0
            }
        } else {
            script.isHead = Int.random(in: 0..<8, using: &random) == 0
        }
        script.answerBytes = Int.random(in: 0..<5, using: &random) == 0 ? 0 : size()
        script.answerFraming = Bool.random(using: &random) ? .length : .chunked
        return script
    }
}

/// Checks the body of one message as it comes.
struct BodyCheck {
    private var reader: ChunkedReader?
    private var left: Int?
    private let sender: UInt64
    private(set) var count = 0
    private(set) var violation: String?

    init(_ framing: BodyFraming, sender: UInt64) {
        self.sender = sender
        switch framing {
        case .none: left = 0
        case .length(let count): left = Int(count)
        case .chunked: reader = ChunkedReader()
        case .untilClose: break
        }
    }

    /// The end of the stream is the body's.
    var isOpen: Bool { reader == nil && left == nil }

    /// - Returns: whether the body is whole.
    mutating func take(_ inbox: inout [UInt8]) -> Bool {
        guard reader == nil else { return takeChunks(&inbox) }
        let taken = min(left ?? .max, inbox.count)
        check(inbox[..<taken])
        inbox.removeFirst(taken)
        guard let left else { return false }
        self.left = left - taken
        return self.left == 0
    }

    private mutating func takeChunks(_ inbox: inout [UInt8]) -> Bool {
        guard var reader else { return false }
        var place = 0
        let bytes = inbox
        var isWhole = false
        var isReading = true
        bytes.withUnsafeBytes { raw in
            while isReading {
                switch reader.next(raw, from: &place) {
                case .data(let range): check(bytes[range])
                case .trailerLine: break
                case .needsMore: isReading = false
                case .ended: (isReading, isWhole) = (false, true)
                case .malformed:
                    violation = "its chunks are malformed"
                    isReading = false
                }
            }
        }
        self.reader = reader
        inbox.removeFirst(place)
        return isWhole
    }

    private mutating func check(_ bytes: ArraySlice<UInt8>) {
        let isRight = bytes.withUnsafeBytes {
            BytePattern.matches($0, sender: sender, from: count)
        }
        if !isRight { violation = "other bytes than were sent, after \(count)" }
        count += bytes.count
    }
}
