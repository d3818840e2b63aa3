/// A request's head in memory of its own: what `apus explain` asks about, and tests. Owned by who
/// made it; one allocation.
public struct HTTPRequest: ~Copyable, HTTPRequestHead {
    private struct Part {
        var offset: Int
        var count: Int
    }

    private let bytes: UnsafeMutableRawBufferPointer
    private let parts: [Part]
    private let hasAuthority: Bool
    public let scheme: String

    /// - Parameter target: a path, and a query behind a question mark; what is behind a `#` is none
    ///   of the server's business (RFC 9110 section 4.2.5).
    public init(
        method: String = "GET", scheme: String = "http", authority: String?, target: String = "/",
        headers: [(name: String, value: String)] = []
    ) {
        let sent = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let halves = sent.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var texts = [method, authority ?? "", String(halves[0])]
        texts.append(halves.count > 1 ? String(halves[1]) : "")
        for header in headers { texts += [header.name, header.value] }
        bytes = .allocate(byteCount: texts.reduce(0) { $0 + $1.utf8.count }, alignment: 1)
        var offset = 0
        var places: [Part] = []
        for text in texts {
            UnsafeMutableRawBufferPointer(rebasing: bytes[offset...]).copyBytes(from: text.utf8)
            places.append(Part(offset: offset, count: text.utf8.count))
            offset += text.utf8.count
        }
        parts = places
        hasAuthority = authority != nil
        self.scheme = scheme
    }

    /// - Parameter url: `https://host:port/path?query`; nil = it is no URL of HTTP.
    public init?(
        method: String, url: String, headers: [(name: String, value: String)] = []
    ) {
        guard
            let (scheme, rest) = Self.schemes.lazy.compactMap({ scheme in
                url.hasPrefix(scheme + "://") ? (scheme, url.dropFirst(scheme.count + 3)) : nil
            }).first
        else { return nil }
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        guard end > rest.startIndex else { return nil }
        let target = rest[end...]
        self.init(
            method: method, scheme: scheme, authority: String(rest[..<end]),
            target: target.hasPrefix("/") ? String(target) : "/" + target, headers: headers)
    }

    private static var schemes: [String] { ["http", "https"] }

    deinit { bytes.deallocate() }

    private func part(_ index: Int) -> UnsafeRawBufferPointer {
        let part = parts[index]
        return UnsafeRawBufferPointer(
            rebasing: bytes[part.offset..<(part.offset + part.count)])
    }

    public var method: UnsafeRawBufferPointer { part(0) }
    public var authority: UnsafeRawBufferPointer? { hasAuthority ? part(1) : nil }
    public var path: UnsafeRawBufferPointer { part(2) }
    public var query: UnsafeRawBufferPointer { part(3) }
    public var headerCount: Int { (parts.count - 4) / 2 }
    public func headerName(_ index: Int) -> UnsafeRawBufferPointer { part(4 + 2 * index) }
    public func headerValue(_ index: Int) -> UnsafeRawBufferPointer { part(5 + 2 * index) }
}
