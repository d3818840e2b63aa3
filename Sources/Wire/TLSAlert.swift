/// What a server says before it closes a connection that it has not spoken TLS on: a record with
/// one fatal alert (RFC 8446 section 6, RFC 6066 section 3).
public enum TLSAlert: UInt8, Hashable, Sendable {
    case decodeError = 50
    case internalError = 80
    case unrecognizedName = 112

    public typealias Record = (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8)

    /// Type, the version that every client takes (RFC 8446 section 5.1), length; level, alert.
    public var record: Record { (21, 3, 3, 0, 2, 2, rawValue) }
}
