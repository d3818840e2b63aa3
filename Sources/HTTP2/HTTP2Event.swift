/// What a session has to tell. Streams are named by their place in the session, which is good until
/// the event after `closed` is asked for.
public enum HTTP2Event {
    /// A head is whole; its text is `HTTP2Session.head`, until the next call of `receive`.
    /// - Parameter isLast: nothing follows it.
    case head(stream: UInt32, isLast: Bool)
    /// A head was longer than is allowed; its text is not there.
    case headTooLong(stream: UInt32)
    /// Content. Valid as long as the bytes that `receive` was given; who has used it calls
    /// `consume`.
    case data(stream: UInt32, bytes: UnsafeRawBufferPointer)
    /// The peer says no more by this stream. Trailers are in `HTTP2Session.trailers`, until the
    /// next call of `receive`.
    case ended(stream: UInt32)
    /// The stream is over, and its place is another's after this.
    /// - Parameter error: RFC 9113 section 7; 0 = both sides had ended.
    case closed(stream: UInt32, error: UInt32)
    /// So much has left of what waited that more can be written.
    case drained(stream: UInt32)
    /// The peer's first settings are known, and so is how many streams it takes.
    case settled
    /// The peer takes no more streams on this connection.
    case goingAway
}

/// RFC 9113 section 7.
public enum HTTP2Error {
    public static let none: UInt32 = 0
    public static let protocolError: UInt32 = 1
    public static let internalError: UInt32 = 2
    public static let refusedStream: UInt32 = 7
    public static let cancel: UInt32 = 8
    public static let enhanceYourCalm: UInt32 = 11
    public static let http11Required: UInt32 = 13
}
