import CLinux
import Primitives

/// What went wrong with bytes on their way.
public enum TransferFailure: Error, CustomStringConvertible {
    case different(at: Int, seed: UInt64)
    case tooShort(Int, due: Int, seed: UInt64)
    case tooLong(Int, due: Int, seed: UInt64)

    public var description: String {
        switch self {
        case .different(let place, let seed): "byte \(place) is not as sent (seed \(seed))"
        case .tooShort(let count, let due, let seed):
            "the stream ended after \(count) of \(due) bytes (seed \(seed))"
        case .tooLong(let count, let due, let seed):
            "\(count) bytes came, \(due) were sent (seed \(seed))"
        }
    }
}

/// A stream of so many bytes of a seed's pattern, sent and checked in chunks of random sizes.
public struct Transfer: Sendable {
    public let seed: UInt64
    public let count: Int
    let pattern: Pattern

    static let chunkBytesMax = 262_144

    public init(seed: UInt64, count: Int) {
        self.seed = seed
        self.count = count
        pattern = Pattern(seed: seed)
    }

    /// Sends everything; `andEnd`: and the end of the stream.
    public func send(over socket: Socket, andEnd: Bool = true) throws {
        var random = SeededRandom(seed: seed &+ 1)
        var sent = 0
        while sent < count {
            let chunk = min(count - sent, Self.chunk(&random))
            try pattern.withBytes(at: sent, count: chunk) { try socket.write($0) }
            sent += chunk
        }
        if andEnd { try socket.shutdownWrite() }
    }

    /// Sends everything, and tells once when the peer has taken nothing for a second.
    public func send(over socket: Socket, whenStalled: () -> Void) throws {
        var sent = 0
        var isTold = false
        while sent < count {
            if !isTold, try !socket.awaitRoom(milliseconds: 1_000) {
                whenStalled()
                isTold = true
            }
            let chunk = min(count - sent, 4_096)
            try pattern.withBytes(at: sent, count: chunk) { try socket.write($0) }
            sent += chunk
        }
        try socket.shutdownWrite()
    }

    /// Receives to the end of the stream, or to `count` bytes if no end is due.
    public func verify(from socket: Socket, toEnd: Bool = true) throws {
        var random = SeededRandom(seed: seed &+ 2)
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.chunkBytesMax, alignment: 16)
        defer { buffer.deallocate() }
        var received = 0
        while toEnd || received < count {
            var size = Self.chunk(&random)
            if !toEnd { size = min(size, count - received) }
            let piece = try socket.read(into: .init(rebasing: buffer[..<size]))
            if piece == 0 { break }
            if let place = pattern.firstDifference(.init(rebasing: buffer[..<piece]), at: received)
            {
                throw TransferFailure.different(at: place, seed: seed)
            }
            received += piece
        }
        if received < count { throw TransferFailure.tooShort(received, due: count, seed: seed) }
        if received > count { throw TransferFailure.tooLong(received, due: count, seed: seed) }
    }

    /// From one byte to `chunkBytesMax`, each order of magnitude as likely as the next.
    private static func chunk(_ random: inout SeededRandom) -> Int {
        let bits = Int.random(in: 0...17, using: &random)
        return Int.random(in: (1 << bits)...(2 << bits), using: &random)
    }
}

extension Socket {
    /// Sends one stream and checks another, at once.
    public func exchange(sending: Transfer, receiving: Transfer) throws {
        let sender = Job { try sending.send(over: self) }
        let received = Result { try receiving.verify(from: self) }
        // A receiver that gave up must not leave the sender waiting.
        if case .failure = received { shutdownBoth() }
        let sent = Result { try sender.join() }
        try received.get()
        try sent.get()
    }
}
