/// Why what an endpoint sent is no HTTP/1.1 response (RFC 9112). A value.
public enum HTTPFault: Error, Hashable, Sendable {
    case statusLine
    case headerField
    case headTooLong
    case contentLength
    case chunk
    /// The stream ended before the response did.
    case incomplete
}

extension HTTPFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .statusLine: "no status line of HTTP/1"
        case .headerField: "a header line without a name"
        case .headTooLong: "more than \(HTTPResponseReader.headBytesMax) bytes of header"
        case .contentLength: "Content-Length is no number, or several"
        case .chunk: "no chunk where one should be"
        case .incomplete: "incomplete"
        }
    }
}
