/// The worker's unit of time for deadlines: 2^23 ns, about 8.4 ms, so that a shift makes one from
/// the clock.
enum Tick {
    static let shift: UInt64 = 23
    /// About as many as a second has.
    static let perSecond: UInt64 = 1_000_000_000 >> shift

    static func at(nanoseconds: UInt64) -> UInt64 { nanoseconds >> shift }

    static func nanoseconds(_ tick: UInt64) -> UInt64 { tick << shift }

    /// Rounded up, so that no time-out is early.
    static func count(milliseconds: UInt32) -> UInt64 {
        (UInt64(milliseconds) * 1_000_000 + (1 << shift) - 1) >> shift
    }
}
