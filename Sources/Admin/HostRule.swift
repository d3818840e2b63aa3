import Primitives

/// Which names the admin server answers to. A page in a browser may make its own name resolve to
/// 127.0.0.1 and then ask as if it were this server ("DNS rebinding"); it cannot make the browser
/// send another Host than that name. A value.
struct HostRule: Hashable, Sendable {
    /// Where the server listens.
    let address: SocketAddress

    /// - Parameters:
    ///   - host: as it came, with a port or without; the port does not matter: a tunnel changes it.
    ///   - local: the address of this connection at our side.
    func allows(_ host: String?, local: SocketAddress?) -> Bool {
        // No browser leads a page to a Unix socket, and clients make up a name for it.
        if case .unix = address { return true }
        // A request without one (HTTP/1.0) comes from no browser.
        guard let host else { return true }
        let name = Self.withoutPort(host)
        if ["localhost", "localhost."].contains(host.hasPrefix("[") ? "" : name.lowercased()) {
            return true
        }
        guard let asked = IPAddress(name)?.unmapped else { return false }
        if asked == .loopbackIPv6 || asked.isIPv4 && asked.v4 >> 24 == 127 { return true }
        return [address, local].contains { place in
            if case .ip(let own, _) = place { own.unmapped == asked } else { false }
        }
    }

    /// RFC 3986 §3.2: an IPv6 address stands in brackets.
    private static func withoutPort(_ host: String) -> Substring {
        if host.hasPrefix("[") {
            guard let end = host.lastIndex(of: "]") else { return "" }
            return host[host.index(after: host.startIndex)..<end]
        }
        guard let colon = host.lastIndex(of: ":") else { return host[...] }
        return host[..<colon]
    }
}
