/// What an operation carries through the kernel and back (`user_data`): which kind of operation it
/// is, which slot it belongs to, and that slot's generation, so that a completion which arrives
/// after its slot was given to somebody else is known as stale. Layout: `kind:8 | generation:24 |
/// index:32`.
public struct Token: BitwiseCopyable, Hashable, Sendable {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// - Parameter generation: its lower 24 bits count.
    @inlinable
    public init(kind: UInt8, generation: UInt32, index: UInt32) {
        rawValue =
            UInt64(kind) << 56 | UInt64(generation & Token.generationMask) << 32 | UInt64(index)
    }

    public static let generationMask: UInt32 = 0xff_ffff

    @inlinable public var kind: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 56) }
    @inlinable public var generation: UInt32 {
        UInt32(truncatingIfNeeded: rawValue >> 32) & Token.generationMask
    }
    @inlinable public var index: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}

extension Token {
    /// Of operations whose completion tells nothing, such as a cancel's own.
    public static let none = Token(rawValue: 0)
}
