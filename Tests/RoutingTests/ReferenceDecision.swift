@testable import Routing

/// How the Gateway API describes the choice of a rule, followed word by word over all candidates:
/// what `HTTPTable` is compared with. Slow on purpose.
struct ReferenceDecision {
    struct Request {
        var method: String
        var host: String
        var path: String
        var query: [(name: String, value: String)]
        var headers: [(name: String, value: String)]
    }

    let candidates: [HTTPCandidate]

    func decide(_ request: Request) -> Int? {
        var best: Int?
        for index in candidates.indices where matches(candidates[index], request) {
            if best == nil || isBefore(candidates[index], candidates[best!]) { best = index }
        }
        return best
    }

    private func matches(_ candidate: HTTPCandidate, _ request: Request) -> Bool {
        guard candidate.host.matches(request.host) else { return false }
        let match = candidate.match
        let segments = request.path.split(separator: "/", omittingEmptySubsequences: false)
        switch match.path {
        case .exact(let path): guard path == request.path else { return false }
        case .prefix(let path):
            let wanted = path.split(separator: "/", omittingEmptySubsequences: false)
            guard path.isEmpty || segments.starts(with: wanted) else { return false }
        case .expression(let text): guard request.path.contains(text) else { return false }
        }
        guard match.method == nil || match.method == request.method else { return false }
        return match.headers.allSatisfy { field in
            let values = request.headers.filter { $0.name.lowercased() == field.name }
            return !values.isEmpty
                && hasValue(values.map(\.value).joined(separator: ","), field.value)
        }
            && match.query.allSatisfy { field in
                request.query.first { $0.name == field.name }.map {
                    hasValue($0.value, field.value)
                }
                    ?? false
            }
    }

    private func hasValue(_ value: String, _ wanted: HTTPMatch.Field.Value) -> Bool {
        switch wanted {
        case .exact(let text): value == text
        case .expression(let text): value.contains(text)
        }
    }

    /// Candidates stand in the order of their routes and rules, which breaks ties.
    private func isBefore(_ left: HTTPCandidate, _ right: HTTPCandidate) -> Bool {
        let (a, b) = (rank(left), rank(right))
        for (x, y) in zip(a, b) where x != y { return x > y }
        return false
    }

    private func rank(_ candidate: HTTPCandidate) -> [Int] {
        let host: [Int] =
            switch candidate.host {
            case .exact(let name): [name.count, name.count]
            case .suffix(let suffix): [0, suffix.count + 1]
            case .any: [0, 0]
            }
        let path: [Int] =
            switch candidate.match.path {
            case .exact: [1, 0, 0, 0]
            case .expression(let text): [0, 1, text.count, 0]
            case .prefix(let text): [0, 0, 0, text.count]
            }
        return host + path + [
            candidate.match.method == nil ? 0 : 1, candidate.match.headers.count,
            candidate.match.query.count,
        ]
    }
}
