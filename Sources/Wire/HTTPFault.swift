/// Why a head or chunked content was refused. The peer caused it, so it is a value: of a client's
/// request it becomes a response with `status`, of an endpoint's response a 502.
public enum HTTPFault: UInt8, Error, BitwiseCopyable, Hashable, Sendable, CaseIterable {
    /// The first byte begins no method: TLS, or another protocol.
    case notHTTP
    /// More empty lines before the request than are allowed (RFC 9112 section 2.2).
    case emptyLines
    /// RFC 9110 section 9.1: a token and one space.
    case badMethod
    /// RFC 9112 section 3.2.
    case badTarget
    /// RFC 9112 section 2.3.
    case badVersion
    /// RFC 9112 section 4.
    case badStatus
    /// RFC 9110 section 5.1: a name is a token.
    case badFieldName
    /// The name has an underscore, and that is configured to be refused.
    case underscore
    /// RFC 9112 section 5.1.
    case whitespaceBeforeColon
    /// RFC 9110 section 5.5: control bytes.
    case badFieldValue
    /// RFC 9112 section 5.2.
    case obsoleteFolding
    /// RFC 9112 section 2.2: lines end with CR and LF.
    case bareLineFeed
    case bareCarriageReturn
    /// RFC 9112 section 3.2.
    case missingHost, severalHosts
    /// No host with or without a port (RFC 9110 section 7.2); user information is none.
    case badHost
    /// The target's authority and `Host` differ (RFC 9112 section 3.2.2).
    case conflictingHosts
    /// RFC 9112 section 6.3: no number, or beyond 2^63 - 1.
    case badContentLength
    /// `Content-Length` comes more than once, be the values equal or not.
    case conflictingLengths
    /// `Content-Length` with `Transfer-Encoding` (RFC 9112 section 6.1).
    case lengthAndChunked
    /// RFC 9112 sections 6.1, 7: `chunked` is not the last, or not the only time.
    case badTransferEncoding
    /// Other codings before `chunked`.
    case unknownTransferEncoding
    /// `Connection` is no list of tokens, or names a field that a message cannot do without.
    case badConnection
    /// RFC 9110 section 10.1.1.
    case badExpectation
    case versionNotSupported
    case targetTooLong
    case headTooLong
    case tooManyFields
    /// RFC 9112 section 7.1: no size, or beyond 2^63 - 1, or no line end where one belongs.
    case badChunk
    /// RFC 9112 section 7.1.1.
    case badChunkExtension
    case chunkExtensionsTooLong
    /// A trailer field that would change how the message is read (RFC 9110 section 6.5.1).
    case forbiddenTrailer
    case trailersTooLong
    /// Whoever reads the path would read it in another way than this forwarder.
    case badPath

    /// Of the answer to a request that is refused for it.
    public var status: UInt16 {
        switch self {
        case .badExpectation: 417
        case .targetTooLong: 414
        case .headTooLong, .tooManyFields, .trailersTooLong: 431
        case .unknownTransferEncoding: 501
        case .versionNotSupported: 505
        default: 400
        }
    }
}

extension HTTPFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notHTTP: "it does not begin as HTTP"
        case .emptyLines: "too many empty lines stand before the request"
        case .badMethod: "the method is no token"
        case .badTarget: "the request target is malformed"
        case .badVersion: "the version is malformed"
        case .badStatus: "the status is no number from 100 to 599"
        case .badFieldName: "a field's name is no token"
        case .underscore: "a field's name has an underscore"
        case .whitespaceBeforeColon: "white space stands before a field's colon"
        case .badFieldValue: "a field's value has a control byte"
        case .obsoleteFolding: "a line begins with white space"
        case .bareLineFeed: "a line ends without a carriage return"
        case .bareCarriageReturn: "a carriage return stands without a line feed"
        case .missingHost: "there is no Host"
        case .severalHosts: "there is more than one Host"
        case .badHost: "the host is malformed"
        case .conflictingHosts: "the target and Host name different hosts"
        case .badContentLength: "Content-Length is no number"
        case .conflictingLengths: "Content-Length comes more than once"
        case .lengthAndChunked: "there are both Content-Length and Transfer-Encoding"
        case .badTransferEncoding: "Transfer-Encoding is malformed"
        case .unknownTransferEncoding: "Transfer-Encoding is another than chunked"
        case .badConnection: "Connection is malformed"
        case .badExpectation: "Expect is another than 100-continue"
        case .versionNotSupported: "the version is neither HTTP/1.0 nor HTTP/1.1"
        case .targetTooLong: "the request target is too long"
        case .headTooLong: "the head is too long"
        case .tooManyFields: "there are too many fields"
        case .badChunk: "a chunk's size or end is malformed"
        case .badChunkExtension: "a chunk's extension has a byte that none has"
        case .chunkExtensionsTooLong: "the chunks' extensions are too long"
        case .forbiddenTrailer: "a trailer field belongs in the head"
        case .trailersTooLong: "the trailers are too long"
        case .badPath: "the path can be read in two ways"
        }
    }
}
