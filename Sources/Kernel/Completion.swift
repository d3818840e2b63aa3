/// The end of an operation, or one of several results of a multishot one (a CQE, `io_uring(7)`).
public struct Completion: BitwiseCopyable, Sendable {
    public var token: Token
    /// What the system call would have returned, or -errno.
    public var result: Int32
    /// `IORING_CQE_F_*`.
    public var flags: UInt32

    @inlinable
    public init(token: Token, result: Int32, flags: UInt32 = 0) {
        self.token = token
        self.result = result
        self.flags = flags
    }

    /// A provided buffer was used, and its number is `bufferID` (`IORING_CQE_F_BUFFER`).
    public static let hasBufferFlag: UInt32 = 1 << 0
    /// The operation goes on: more completions with this token follow (`IORING_CQE_F_MORE`).
    public static let hasMoreFlag: UInt32 = 1 << 1
    public static let bufferIDShift: UInt32 = 16

    @inlinable public var hasMore: Bool { flags & Completion.hasMoreFlag != 0 }
    @inlinable public var hasBuffer: Bool { flags & Completion.hasBufferFlag != 0 }
    @inlinable public var bufferID: UInt16 { UInt16(truncatingIfNeeded: flags >> 16) }
}
