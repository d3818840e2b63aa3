import Primitives

/// Where the admin server listens, as `--admin` and an ApusConfig say it: `127.0.0.1:19000`,
/// `[::1]:19000`, `unix:/run/apus.sock`, `unix:@name` or `off`. A value.
public enum AdminAddress: Hashable, Sendable {
    case off
    case at(SocketAddress)

    /// Envoy's own in Envoy Gateway, so that what people type by habit answers.
    public static let standard = AdminAddress.at(.ip(.loopbackIPv4, port: 19_000))

    /// What a text may be, for messages.
    public static let forms = "ADDRESS:PORT (an IPv6 address in brackets), unix:PATH or off"

    /// Port 0 lets the system choose one. Nil for what is none of the forms.
    public init?(_ text: String) {
        if text == "off" {
            self = .off
            return
        }
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard (path.hasPrefix("/") || path.hasPrefix("@")) && path.utf8.count > 1,
                path.utf8.count <= SocketAddress.unixPathBytesMax, !path.utf8.contains(0)
            else { return nil }
            self = .at(.unix(path: path))
            return
        }
        guard let colon = text.lastIndex(of: ":"),
            text[text.index(after: colon)...].allSatisfy({ ("0"..."9").contains($0) }),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        let host = text[..<colon]
        let isBracketed = host.first == "[" && host.last == "]"
        guard let address = IPAddress(isBracketed ? host.dropFirst().dropLast() : host),
            address.isIPv4 != isBracketed
        else { return nil }
        self = .at(.ip(address, port: port))
    }
}

extension AdminAddress: CustomStringConvertible {
    public var description: String {
        switch self {
        case .off: "off"
        case .at(let address): "\(address)"
        }
    }
}
