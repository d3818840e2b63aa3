/// Why a ClientHello was refused. The peer caused it, so it is a value: the listener counts it,
/// answers with an alert and closes the connection.
public enum ClientHelloFault: UInt8, Error, Hashable, Sendable, CaseIterable {
    /// A record is empty or longer than 2^14 bytes (RFC 8446 section 5.1).
    case recordLength
    /// Another kind of record stands between those of the hello.
    case recordInterrupted
    /// The first message is another one.
    case otherMessage
    /// The hello is longer than the reader allows.
    case tooLong
    /// A field or a list reaches past the end of what it is in.
    case truncated
    /// Something stands behind the last field.
    case surplus
    /// A list whose length is not that of its items, or which must not be empty.
    case listLength
    /// An extension comes twice (RFC 8446 section 4.2).
    case repeatedExtension
    /// The server's name has a length or bytes that no name has (RFC 6066 section 3).
    case serverName
}

extension ClientHelloFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .recordLength: "a TLS record of the hello is empty or too long"
        case .recordInterrupted: "another record interrupts the hello"
        case .otherMessage: "the first TLS message is no hello"
        case .tooLong: "the hello is too long"
        case .truncated: "a field of the hello reaches past its end"
        case .surplus: "something stands behind the hello's last field"
        case .listLength: "a list of the hello has a wrong length"
        case .repeatedExtension: "an extension comes twice"
        case .serverName: "the server's name is none"
        }
    }
}
