import Wire

/// Why a server gave no usable answer. The world caused it: the last good answer is kept, and the
/// question is asked again.
public enum LookupFailure: Hashable, Sendable {
    case timedOut
    /// The server cannot be reached, or closed the connection.
    case unreachable
    /// A response code other than "no error" and "no such name" (RFC 1035 §4.1.1).
    case code(UInt8)
    case malformed(DNSFault)
    /// Names that stand for each other in a circle.
    case aliasLoop
    /// More aliases in a row than are followed.
    case aliasChainTooLong
    /// By TCP as well.
    case truncated
    /// No name can be made of the text, or it is too long with its search domain.
    case nameInvalid
    /// More names are wanted than the resolver holds.
    case namesMax
    /// No socket or no memory here, as a number of c-ares.
    case local(Int32)
}

extension LookupFailure: CustomStringConvertible {
    /// One sentence without its full stop.
    public var description: String {
        switch self {
        case .timedOut: "no server answered in time"
        case .unreachable: "the server cannot be reached"
        case .code(DNSMessage.ResponseCode.formatError): "the server answered FORMERR"
        case .code(DNSMessage.ResponseCode.serverFailure): "the server answered SERVFAIL"
        case .code(DNSMessage.ResponseCode.notImplemented): "the server answered NOTIMP"
        case .code(DNSMessage.ResponseCode.refused): "the server answered REFUSED"
        case .code(let code): "the server answered with code \(code)"
        case .malformed(let fault): fault.description
        case .aliasLoop: "the names' aliases (CNAME) lead in a circle"
        case .aliasChainTooLong: "more than \(AnswerReader.aliasesMax) aliases (CNAME) in a row"
        case .truncated: "the answer is truncated by TCP as well"
        case .nameInvalid: "the name is no domain name"
        case .namesMax: "more names than the resolver holds"
        case .local(let number): "the query could not be sent (c-ares: \(number))"
        }
    }
}
