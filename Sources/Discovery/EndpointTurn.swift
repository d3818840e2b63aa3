import Primitives

/// Where one worker is in a cluster's round. It fits every set, so that a new one costs the worker
/// nothing. A value of the worker's.
public struct EndpointTurn: Sendable {
    private var place: Int
    private var random: SeededRandom

    /// - Parameter seed: each worker's is another, so that they do not all begin with the same.
    public init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        // Where the first round begins is as good as any.
        place = seed == 0 ? -1 : Int(truncatingIfNeeded: random.next() >> 32)
    }

    @inline(__always)
    mutating func next(of count: Int) -> Int {
        place += 1
        if place >= count { place %= count }
        return place
    }

    @inline(__always)
    mutating func draw(of count: Int) -> Int { Int(random.next(upperBound: UInt64(count))) }
}

/// Endpoints that a client was led to in vain. Trivial; a part of a connection's details.
public struct TriedEndpoints: BitwiseCopyable, Sendable {
    public static let countMax = 8

    private var numbers: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) =
        (0, 0, 0, 0, 0, 0, 0, 0)
    public private(set) var count = 0

    public init() {}

    public mutating func insert(_ endpoint: Endpoint) {
        precondition(count < Self.countMax)
        withUnsafeMutableBytes(of: &numbers) { bytes in
            bytes.bindMemory(to: UInt32.self)[count] = endpoint.number
        }
        count += 1
    }

    func contains(_ endpoint: Endpoint) -> Bool {
        withUnsafeBytes(of: numbers) { bytes in
            bytes.bindMemory(to: UInt32.self).prefix(count).contains(endpoint.number)
        }
    }
}
