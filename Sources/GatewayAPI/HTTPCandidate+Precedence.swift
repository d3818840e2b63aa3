import Routing

extension HTTPCandidate {
    /// The Gateway API's precedence among matches of one listener.
    func precedes(_ other: HTTPCandidate) -> Bool {
        if host.precedence != other.host.precedence {
            return host.precedence > other.host.precedence
        }
        if match.path.rank != other.match.path.rank {
            return match.path.rank > other.match.path.rank
        }
        if (match.method != nil) != (other.match.method != nil) { return match.method != nil }
        if match.headers.count != other.match.headers.count {
            return match.headers.count > other.match.headers.count
        }
        return match.query.count > other.match.query.count
    }
}

extension HTTPMatch.Path {
    fileprivate var rank: (Int, Int) {
        switch self {
        case .exact(let path): (2, path.utf8.count)
        case .expression(let text): (1, text.utf8.count)
        case .prefix(let path): (0, path.utf8.count)
        }
    }
}
