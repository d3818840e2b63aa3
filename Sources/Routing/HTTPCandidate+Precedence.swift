/// Which of two matches a request takes when it fits both (HTTPRoute `spec.hostnames`,
/// `spec.rules[].matches`): by host, then by path, method, number of headers, number of query
/// parameters.
extension HTTPCandidate {
    /// Neither of two precedes the other when the Gateway API leaves it to the age and name of
    /// their routes and the place of their rules.
    public func precedes(_ other: HTTPCandidate) -> Bool {
        if host.precedence != other.host.precedence {
            return host.precedence > other.host.precedence
        }
        if match.path.precedence != other.match.path.precedence {
            return match.path.precedence > other.match.path.precedence
        }
        if (match.method == nil) != (other.match.method == nil) { return match.method != nil }
        if match.headers.count != other.match.headers.count {
            return match.headers.count > other.match.headers.count
        }
        return match.query.count > other.match.query.count
    }
}

extension [HTTPCandidate] {
    /// Places of the candidates by precedence; of equals, the one that stands first comes first.
    /// The translator puts candidates in order of their routes' age, name and rules, and sorts.
    public var placesByPrecedence: [Int] {
        indices.sorted { left, right in
            if self[left].precedes(self[right]) { return true }
            if self[right].precedes(self[left]) { return false }
            return left < right
        }
    }

    public var sortedByPrecedence: [HTTPCandidate] { placesByPrecedence.map { self[$0] } }
}

extension HTTPMatch.Path {
    /// The greater is taken. The Gateway API puts exact paths before prefixes and leaves the place
    /// of expressions to us: they stand between, as with Envoy Gateway, because whoever writes one
    /// means less than every path under a prefix. Longer ones first.
    public var precedence: (Int, Int) {
        switch self {
        case .prefix(let path): (0, path.utf8.count)
        case .expression(let text): (1, text.utf8.count)
        case .exact(let path): (2, path.utf8.count)
        }
    }
}
