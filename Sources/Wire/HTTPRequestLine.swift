/// Methods that are told apart; others are forwarded as they are. Case matters (RFC 9110 section
/// 9.1).
public enum HTTPMethod: UInt8, BitwiseCopyable, Hashable, Sendable {
    case other, get, head, post, put, delete, connect, options, trace, patch

    /// Empty for `other`.
    public var name: StaticString {
        switch self {
        case .other: ""
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .connect: "CONNECT"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .patch: "PATCH"
        }
    }

    /// RFC 9110 section 9.2.2; what is not known may be anything.
    public var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .other, .post, .connect, .patch: false
        }
    }

    public init(_ name: UnsafeRawBufferPointer) {
        self = Self.candidate(name)
        let text = self.name
        for place in 0..<text.utf8CodeUnitCount where name[place] != text.utf8Start[place] {
            self = .other
            return
        }
    }

    /// The only one that a name of this length and first byte may be.
    private static func candidate(_ name: UnsafeRawBufferPointer) -> HTTPMethod {
        switch name.count {
        case 3: name[0] == UInt8(ascii: "G") ? .get : .put
        case 4: name[0] == UInt8(ascii: "P") ? .post : .head
        case 5: name[0] == UInt8(ascii: "P") ? .patch : .trace
        case 6: .delete
        case 7: name[0] == UInt8(ascii: "O") ? .options : .connect
        default: .other
        }
    }
}

/// A request's head without its fields (RFC 9112 section 3), and what these say about the message.
/// Trivial: places are those of the bytes that it was read from.
public struct HTTPRequestLine: BitwiseCopyable, Sendable {
    /// RFC 9112 section 3.2.
    public enum TargetForm: UInt8, BitwiseCopyable, Sendable {
        case origin
        case absoluteHTTP, absoluteHTTPS
        /// `CONNECT` only; there is no path.
        case authority
        /// `*`, `OPTIONS` only; there is no path.
        case asterisk
    }

    public internal(set) var method = HTTPMethod.other
    public internal(set) var methodName = HTTPSpan.empty
    public internal(set) var targetForm = TargetForm.origin
    /// All of the target, as it was sent.
    public internal(set) var target = HTTPSpan.empty
    /// Host with or without a port, of the target or else of `Host`; empty = there is none, as
    /// HTTP/1.0 allows.
    public internal(set) var authority = HTTPSpan.empty
    /// Up to the question mark; empty = `/` is meant, which an absolute form need not say.
    public internal(set) var path = HTTPSpan.empty
    /// Behind the question mark; nil = there is no question mark.
    public internal(set) var query: HTTPSpan?
    public internal(set) var version = HTTPVersion.http11
    /// From the first byte, empty lines before the request included, to the empty line's end.
    public internal(set) var headBytes: UInt32 = 0
    /// How many of the table's fields are this head's.
    public internal(set) var fieldCount: UInt16 = 0
    public internal(set) var framing = BodyFraming.none
    public internal(set) var connection: ConnectionOptions = []
    /// Whether the client will send another request on its connection.
    public internal(set) var keepsAlive = true
    /// The client holds its content back until it sees 100 (RFC 9110 section 10.1.1).
    public internal(set) var expectsContinue = false
    /// It asks for another protocol, and says so in both fields.
    public internal(set) var isUpgrade = false
}

/// A response's head without its fields (RFC 9112 section 4), and what these say about the message.
public struct HTTPStatusLine: BitwiseCopyable, Sendable {
    /// 100 to 599.
    public internal(set) var status: UInt16 = 0
    /// Empty as often as not.
    public internal(set) var reason = HTTPSpan.empty
    public internal(set) var version = HTTPVersion.http11
    /// From the first byte to the empty line's end.
    public internal(set) var headBytes: UInt32 = 0
    /// How many of the table's fields are this head's.
    public internal(set) var fieldCount: UInt16 = 0
    public internal(set) var framing = BodyFraming.none
    public internal(set) var connection: ConnectionOptions = []
    /// Whether the endpoint will answer another request on its connection.
    public internal(set) var keepsAlive = true

    /// 1xx but 101: another head follows, the answer itself.
    public var isInterim: Bool { status < 200 && status != 101 }
    /// 101: what follows is another protocol's.
    public var isSwitch: Bool { status == 101 }
    /// 2xx to `CONNECT`: what follows is a tunnel (RFC 9110 section 9.3.6).
    public internal(set) var isTunnel = false
}
