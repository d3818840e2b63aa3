extension HTTPFilter.PathEdit {
    /// A path in place of another one (`HTTPPathModifier`).
    /// - Parameter match: what the request matched by. A prefix is replaced by whole segments, and
    ///   its edit leaves paths that matched otherwise as they are; admission refuses such rules.
    public func apply(to path: UnsafeRawBufferPointer, matched match: HTTPMatch.Path) -> [UInt8] {
        switch self {
        case .full(let text):
            return text.hasPrefix("/") ? Array(text.utf8) : [UInt8(ascii: "/")] + text.utf8
        case .prefix(let text):
            guard case .prefix(let prefix) = match, path.hasSegments(Array(prefix.utf8)) else {
                return Array(path)
            }
            var edited = Array(text.utf8)
            // `/xyz/` and `/xyz` mean the same, and `/` nothing.
            if edited.last == UInt8(ascii: "/") { edited.removeLast() }
            edited += path[prefix.utf8.count...]
            // As when nothing is left.
            if edited.first != UInt8(ascii: "/") { edited.insert(UInt8(ascii: "/"), at: 0) }
            return edited
        }
    }
}

extension HTTPFilter.Redirect {
    /// The `Location` of the answer (RFC 9110 section 10.2.2), always a whole URL.
    ///
    /// Without a port of its own, the port is the scheme's own if the scheme is given, else the
    /// listener's; 80 is not written with `http`, nor 443 with `https`. The query goes along,
    /// unless the new path brings one.
    /// - Parameter scheme: of the request.
    /// - Parameter port: of the listener.
    public func location(
        for head: borrowing some HTTPRequestHead & ~Copyable, scheme: String, port: UInt16,
        matched match: HTTPMatch.Path
    ) -> [UInt8] {
        let target = self.scheme ?? scheme
        let wellKnown = Self.wellKnownPort(of: target)
        let targetPort = self.port ?? (self.scheme == nil ? port : wellKnown ?? port)
        var location = Array(target.utf8) + Array("://".utf8)
        if let host {
            location += host.utf8
        } else if let host = head.host {
            location += host
        }
        if targetPort != wellKnown { location += ":\(targetPort)".utf8 }
        let path = self.path?.apply(to: head.path, matched: match) ?? Array(head.path)
        location += path
        if !head.query.isEmpty, !path.contains(UInt8(ascii: "?")) {
            location.append(UInt8(ascii: "?"))
            location += head.query
        }
        return location
    }

    private static func wellKnownPort(of scheme: String) -> UInt16? {
        switch scheme {
        case "http": 80
        case "https": 443
        default: nil
        }
    }
}

extension HTTPFilter.Rewrite {
    /// The path and query that the endpoint is asked for.
    public func target(
        for head: borrowing some HTTPRequestHead & ~Copyable, matched match: HTTPMatch.Path
    ) -> [UInt8] {
        var target = path?.apply(to: head.path, matched: match) ?? Array(head.path)
        if !head.query.isEmpty {
            target.append(UInt8(ascii: "?"))
            target += head.query
        }
        return target
    }
}

extension HTTPFilter.HeaderEdit {
    /// The lines of a head after the edit: what is set stands where the first line of its name
    /// stood, what is added is a line of its own at the end (the same as one joined to the line
    /// before it, RFC 9110 section 5.3).
    public func apply(to lines: [Field]) -> [Field] {
        var edited = lines
        for field in set {
            let first = edited.firstIndex { Self.isSame($0.name, field.name) }
            edited = edited.enumerated().filter { place, line in
                place == first || !Self.isSame(line.name, field.name)
            }.map(\.element)
            if let first { edited[first] = field } else { edited.append(field) }
        }
        edited += add
        edited.removeAll { line in remove.contains { Self.isSame(line.name, $0) } }
        return edited
    }

    /// Header names in any case (RFC 9110 section 5.1).
    private static func isSame(_ left: String, _ right: String) -> Bool {
        left.utf8.lazy.map(\.lowercase).elementsEqual(right.utf8.lazy.map(\.lowercase))
    }
}
