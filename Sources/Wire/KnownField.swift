/// Fields that mean something to a forwarder, told apart once while a head is read.
public enum KnownField: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
    case none
    case te
    case via
    case date, host
    case accept, cookie, expect, origin, server
    case referer, trailer, upgrade
    case location
    case forwarded
    case connection, keepAlive, setCookie, userAgent
    case contentType, xRequestID
    case authorization
    case contentLength, http2Settings
    case acceptEncoding, xForwardedFor
    case contentEncoding, proxyConnection, xForwardedHost, xForwardedPort
    case transferEncoding, xForwardedProto
    case proxyAuthenticate
    case proxyAuthorization

    /// Lowercase; empty for `none`.
    public var name: StaticString {
        switch self {
        case .none: ""
        case .te: "te"
        case .via: "via"
        case .date: "date"
        case .host: "host"
        case .accept: "accept"
        case .cookie: "cookie"
        case .expect: "expect"
        case .origin: "origin"
        case .server: "server"
        case .referer: "referer"
        case .trailer: "trailer"
        case .upgrade: "upgrade"
        case .location: "location"
        case .forwarded: "forwarded"
        case .connection: "connection"
        case .keepAlive: "keep-alive"
        case .setCookie: "set-cookie"
        case .userAgent: "user-agent"
        case .contentType: "content-type"
        case .xRequestID: "x-request-id"
        case .authorization: "authorization"
        case .contentLength: "content-length"
        case .http2Settings: "http2-settings"
        case .acceptEncoding: "accept-encoding"
        case .xForwardedFor: "x-forwarded-for"
        case .contentEncoding: "content-encoding"
        case .proxyConnection: "proxy-connection"
        case .xForwardedHost: "x-forwarded-host"
        case .xForwardedPort: "x-forwarded-port"
        case .transferEncoding: "transfer-encoding"
        case .xForwardedProto: "x-forwarded-proto"
        case .proxyAuthenticate: "proxy-authenticate"
        case .proxyAuthorization: "proxy-authorization"
        }
    }

    /// In any case.
    /// - Parameter name: a token.
    @inline(__always)
    public init(name: UnsafeRawBufferPointer) {
        self = Self.candidate(name)
        let text = self.name
        if self != .none, !Self.isEqual(name, text.utf8Start) { self = .none }
    }

    /// The only one that a name of this length, first and last byte may be.
    @inline(__always)
    private static func candidate(_ name: UnsafeRawBufferPointer) -> KnownField {
        guard 2...19 ~= name.count else { return .none }
        let first = name[0] | 0x20
        switch name.count {
        case 2: return .te
        case 3: return .via
        case 4: return first == 0x64 ? .date : .host
        case 6:
            switch first {
            case 0x61: return .accept
            case 0x63: return .cookie
            case 0x65: return .expect
            case 0x6f: return .origin
            default: return .server
            }
        case 7: return first == 0x72 ? .referer : first == 0x74 ? .trailer : .upgrade
        case 8: return .location
        case 9: return .forwarded
        case 10:
            switch first {
            case 0x63: return .connection
            case 0x6b: return .keepAlive
            case 0x73: return .setCookie
            default: return .userAgent
            }
        case 12: return first == 0x78 ? .xRequestID : .contentType
        case 13: return .authorization
        case 14: return first == 0x68 ? .http2Settings : .contentLength
        case 15: return first == 0x78 ? .xForwardedFor : .acceptEncoding
        case 16:
            guard first == 0x78 else { return first == 0x70 ? .proxyConnection : .contentEncoding }
            return name[12] | 0x20 == 0x68 ? .xForwardedHost : .xForwardedPort
        case 17: return first == 0x78 ? .xForwardedProto : .transferEncoding
        case 18: return .proxyAuthenticate
        case 19: return .proxyAuthorization
        default: return .none
        }
    }

    /// Of tokens only letters have another case, and no two of their bytes differ in bit 5 alone
    /// but letters and those that no known name has.
    @inline(__always)
    private static func isEqual(
        _ name: UnsafeRawBufferPointer, _ text: UnsafePointer<UInt8>
    ) -> Bool {
        let text = UnsafeRawPointer(text)
        let count = name.count
        guard count >= 8 else {
            for place in 0..<count
            where name[place] | 0x20 != text.load(fromByteOffset: place, as: UInt8.self) {
                return false
            }
            return true
        }
        var place = 0
        while true {
            let one = name.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            let other = text.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            if one | 0x2020_2020_2020_2020 != other { return false }
            if place + 8 == count { return true }
            place = min(place + 8, count - 8)
        }
    }
}
