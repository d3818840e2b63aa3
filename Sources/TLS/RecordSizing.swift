/// How much plaintext one record to a peer gets: as much as a segment carries at the beginning of
/// a burst, as much as a record may have once the burst is seen to be large. Pure; a value in the
/// slot of the connection.
///
/// A record is of use to its reader only when it is whole. The first bytes of a burst leave in a
/// window of ten segments or so (RFC 6928), and of one record of 16 KiB the reader would have
/// nothing before the next window; small ones are read as they come. They cost up to a tenth more
/// of bytes and of work, so a transfer pays that for its first 64 KiB only. After silence the
/// window is small again (RFC 5681 section 4.1), and so are the records.
public struct RecordSizing: BitwiseCopyable, Equatable, Sendable {
    /// With the record's overhead (22 bytes of TLS 1.3, 29 of TLS 1.2 with AEAD) and the headers of
    /// IPv6 and TCP no more than the 1,500 bytes of Ethernet, or of a tunnel that takes 30 of them.
    public static let smallBytes = 1_369
    /// Plaintext of a burst that goes into small records.
    public static let burstBytes = 65_536
    /// After as much silence the next write begins a burst.
    public static let silenceNanoseconds: UInt64 = 1_000_000_000

    /// Of the burst, and no more than `burstBytes`.
    private var bytesWritten: Int32 = 0
    private var writtenNanoseconds: UInt64 = 0

    public init() {}

    /// - Parameters:
    ///   - count: plaintext that one `TLSSession.write` is about to make records of.
    ///   - nowNanoseconds: of a clock that does not go back.
    /// - Returns: what each of them may carry.
    public mutating func recordBytes(for count: Int, nowNanoseconds: UInt64) -> Int {
        precondition(count >= 0)
        precondition(nowNanoseconds >= writtenNanoseconds, "the clock goes forward")
        if nowNanoseconds - writtenNanoseconds >= Self.silenceNanoseconds { bytesWritten = 0 }
        writtenNanoseconds = nowNanoseconds
        guard bytesWritten < Self.burstBytes else { return TLSSession.recordBytesMax }
        bytesWritten += Int32(min(count, Self.burstBytes - Int(bytesWritten)))
        return Self.smallBytes
    }
}
