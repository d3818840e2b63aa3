/// Why a DNS message was refused. Whoever sent it caused it, so it is a value.
public enum DNSFault: UInt8, Error, Hashable, Sendable, CaseIterable {
    case headerTruncated
    case nameTruncated
    /// A compression pointer that does not point to something earlier (RFC 1035 §4.1.4).
    case pointerNotBackwards
    /// Label types 01 and 10, which nobody uses (RFC 6891 §5).
    case labelTypeUnknown
    case nameTooLong
    case questionTruncated
    case recordTruncated
    /// A record's data do not have the length or form of its type.
    case dataMalformed
}

extension DNSFault: CustomStringConvertible {
    /// One sentence without its full stop, to stand in a log line.
    public var description: String {
        switch self {
        case .headerTruncated: "the DNS message is shorter than its header"
        case .nameTruncated: "a name in the DNS message runs past its end"
        case .pointerNotBackwards:
            "a compression pointer in the DNS message does not point backwards"
        case .labelTypeUnknown: "a label in the DNS message has an unknown type"
        case .nameTooLong: "a name in the DNS message has more than 255 bytes"
        case .questionTruncated: "the DNS message ends within its questions"
        case .recordTruncated: "the DNS message ends within a record"
        case .dataMalformed: "a record's data do not have the form of its type"
        }
    }
}
