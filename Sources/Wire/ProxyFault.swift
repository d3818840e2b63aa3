/// Why a PROXY protocol header was refused. The peer caused it, so it is a value: the listener
/// counts it and closes the connection (§2.1: anything that does not match exactly must be
/// discarded and the connection aborted).
public enum ProxyFault: UInt8, Error, Hashable, Sendable, CaseIterable {
    // MARK: Version 1
    case lineTooLong
    case loneLineBreak
    case unknownProtocol
    case fieldMissing
    case fieldSurplus
    case badSourceAddress
    case badDestinationAddress
    case badSourcePort
    case badDestinationPort

    // MARK: Version 2
    case unknownVersion
    case unknownCommand
    case unknownFamily
    case unknownTransport
    case familyWithoutTransport
    case headerTooLong
    case addressesTruncated
    case tlvTruncated
    case badChecksumLength
    case repeatedChecksum
    case wrongChecksum
}

extension ProxyFault: CustomStringConvertible {
    /// One sentence without its full stop, to stand in a log line.
    public var description: String {
        switch self {
        case .lineTooLong: "the PROXY v1 line has no CRLF within 107 bytes"
        case .loneLineBreak: "the PROXY v1 line holds a CR or LF that is not part of its CRLF"
        case .unknownProtocol: "the PROXY v1 protocol is not TCP4, TCP6 or UNKNOWN"
        case .fieldMissing: "the PROXY v1 line ends before its four addresses and ports"
        case .fieldSurplus: "the PROXY v1 line goes on after its four addresses and ports"
        case .badSourceAddress: "the PROXY v1 source address is not one of the announced family"
        case .badDestinationAddress:
            "the PROXY v1 destination address is not one of the announced family"
        case .badSourcePort: "the PROXY v1 source port is not a decimal number from 0 to 65535"
        case .badDestinationPort:
            "the PROXY v1 destination port is not a decimal number from 0 to 65535"
        case .unknownVersion: "the PROXY binary header's version is not 2"
        case .unknownCommand: "the PROXY v2 command is neither LOCAL nor PROXY"
        case .unknownFamily: "the PROXY v2 address family is not UNSPEC, INET, INET6 or UNIX"
        case .unknownTransport: "the PROXY v2 transport is not UNSPEC, STREAM or DGRAM"
        case .familyWithoutTransport:
            "the PROXY v2 address family and transport are not both given or both UNSPEC"
        case .headerTooLong: "the PROXY v2 header is longer than the limit"
        case .addressesTruncated: "the PROXY v2 header is too short for its address family"
        case .tlvTruncated: "a PROXY v2 TLV runs past the end of the header"
        case .badChecksumLength: "the PROXY v2 CRC32C TLV does not have four bytes"
        case .repeatedChecksum: "the PROXY v2 header has more than one CRC32C TLV"
        case .wrongChecksum: "the PROXY v2 header does not match its CRC32C"
        }
    }
}
