import CLinux
import Primitives

/// An endless stream of bytes that both ends can make from one seed, so that every byte received is
/// compared with the one that was due at its place: stronger than a hash, and it says where.
///
/// It repeats after a prime number of bytes, so that no two buffers or pipes that change places
/// hold the same.
public struct Pattern: Sendable {
    static let period = 1_048_573

    /// Two periods, so that any piece of up to one period lies in a row.
    private let bytes: [UInt8]

    public init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var words = [UInt64](repeating: 0, count: Self.period / 8 + 1)
        for place in words.indices { words[place] = random.next() }
        let period = words.withUnsafeBytes { Array($0.prefix(Self.period)) }
        bytes = period + period
    }

    public func withBytes<Result>(
        at offset: Int, count: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        precondition(count <= Self.period)
        let start = offset % Self.period
        return try bytes.withUnsafeBytes {
            try body(UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
        }
    }

    public func piece(at offset: Int, count: Int) -> [UInt8] {
        withBytes(at: offset, count: count) { Array($0) }
    }

    /// The place in the stream of the first byte that is not as due.
    public func firstDifference(_ received: UnsafeRawBufferPointer, at offset: Int) -> Int? {
        guard let base = received.baseAddress else { return nil }
        return withBytes(at: offset, count: received.count) { due in
            guard memcmp(base, due.baseAddress!, due.count) != 0 else { return nil }
            return zip(received, due).enumerated().first { $1.0 != $1.1 }.map { offset + $0.offset }
        }
    }
}
