/// What the resolver did since it was started. Owned by the directory; copied into its report.
public struct ResolverCounters: Hashable, Sendable {
    /// Messages, each to one server.
    public var sent: UInt64 = 0
    public var found: UInt64 = 0
    public var absent: UInt64 = 0
    public var timedOut: UInt64 = 0
    /// Otherwise.
    public var failed: UInt64 = 0
    /// Records of answers that did not belong to the question.
    public var recordsIgnored: UInt64 = 0
    /// Lookups for which there was no room.
    public var refused: UInt64 = 0

    public init() {}
}
