/// Which rule a request takes at one server: a `HTTPServerPlan` made ready for looking up. A
/// request costs a hash of its host and one of its path, however many candidates there are; only
/// those with the very same host and path are tried one after another, and expressions.
///
/// Made once of a plan and never changed; every worker and `apus explain` may read the same one.
public final class HTTPTable: Sendable {
    /// A compiled expression: whether it matches all of some bytes.
    public typealias Expression = @Sendable (UnsafeRawBufferPointer) -> Bool

    /// Why a candidate is not taken; the first of these that is so.
    public enum Mismatch: Hashable, Sendable {
        case host
        case path
        case method
        /// Index into `HTTPMatch.headers`.
        case header(Int)
        /// Index into `HTTPMatch.query`.
        case query(Int)
    }

    /// A part of `text`.
    struct Part {
        var offset: UInt32
        var count: UInt32
    }

    /// A header or query parameter that a request must have.
    struct Field {
        var name: Part
        var value: Part
        /// Index into `expressions`; -1 = the value is meant exactly.
        var expression: Int32
    }

    /// A candidate without its host and path.
    struct Conditions {
        /// Empty = every method.
        var method: Part
        /// Index into `expressions`; -1 = the path is no expression.
        var path: Int32
        var headers: Range<Int>
        var query: Range<Int>
    }

    /// Candidates of one host and one path, by precedence.
    struct Bucket {
        /// Places in `members`.
        var members: Range<Int>
        /// Of a prefix: the bucket of the next shorter prefix of it; -1 = there is none.
        var shorter: Int32
    }

    let plan: HTTPServerPlan
    /// Patterns are the groups of candidates.
    let groups: HostTable
    /// Of each group: its candidates with an expression for a path, as places in `members`.
    let expressionMembers: [Range<Int>]
    let exactPaths: ByteTable
    let prefixes: ByteTable
    let buckets: [Bucket]
    /// Places in `plan.candidates`.
    let members: [Int32]
    let conditions: [Conditions]
    let fields: [Field]
    let expressions: [Expression]
    /// All methods, names and values. Written before the table is shared, freed with it.
    nonisolated(unsafe) let text: UnsafeRawBufferPointer

    /// - Parameter compile: makes an expression; nil = it is none, and what needs it never matches
    ///   (the translator has refused it by then).
    public init(_ plan: HTTPServerPlan, compile: (String) -> Expression?) {
        var builder = HTTPTableBuilder()
        builder.add(plan.candidates, compile: compile)
        self.plan = plan
        groups = HostTable(builder.hosts)
        expressionMembers = builder.expressionMembers
        exactPaths = builder.exactPaths
        prefixes = builder.prefixes
        buckets = builder.buckets
        members = builder.members
        conditions = builder.conditions
        fields = builder.fields
        expressions = builder.expressions
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: builder.text.count, alignment: 1)
        bytes.copyBytes(from: builder.text)
        text = UnsafeRawBufferPointer(bytes)
    }

    deinit { text.deallocate() }

    /// The candidate that a request takes, as a place in the plan's `candidates`; nil = no route
    /// matches (404). That the server's own host stands for the request's is the caller's to see
    /// to.
    public func decide(_ head: borrowing some HTTPRequestHead & ~Copyable) -> Int? {
        var group = groups.find(head.host)
        while group != HostTable.absent {
            let found = decide(head, in: Int(group))
            if found >= 0 { return Int(found) }
            group = groups.next(after: group)
        }
        return nil
    }

    /// Why a request does not match a candidate; nil = it does, and takes it unless one before it
    /// matches too.
    public func mismatch(
        of candidate: Int, with head: borrowing some HTTPRequestHead & ~Copyable
    ) -> Mismatch? {
        let host = plan.candidates[candidate].host
        if HostTable([host]).find(head.host) == HostTable.absent { return .host }
        let path = head.path
        let hasPath =
            switch plan.candidates[candidate].match.path {
            case .exact(let text): path.elementsEqual(text.utf8)
            case .prefix(let text): path.hasSegments(Array(text.utf8))
            case .expression: expressionMatches(conditions[candidate].path, path)
            }
        return hasPath ? mismatch(conditions[candidate], head) : .path
    }

    // MARK: - One group

    private func decide(
        _ head: borrowing some HTTPRequestHead & ~Copyable, in group: Int
    ) -> Int32 {
        let path = head.path
        let (exact, prefix) = findPath(path, group: UInt32(group))
        if exact >= 0 {
            let found = first(of: buckets[Int(exact)].members, head)
            if found >= 0 { return found }
        }
        for place in expressionMembers[group] {
            let candidate = members[place]
            if expressionMatches(conditions[Int(candidate)].path, path),
                mismatch(conditions[Int(candidate)], head) == nil
            {
                return candidate
            }
        }
        var bucket = prefix
        while bucket >= 0 {
            let found = first(of: buckets[Int(bucket)].members, head)
            if found >= 0 { return found }
            bucket = buckets[Int(bucket)].shorter
        }
        return -1
    }

    /// The bucket of an exact path and that of the longest prefix, in one walk over the path.
    private func findPath(
        _ path: UnsafeRawBufferPointer, group: UInt32
    ) -> (exact: Int32, prefix: Int32) {
        var hash = ByteTable.seed(group: group)
        var longest = prefixes.find(hash, path.part(0..<0), group: group)
        let end = min(path.count, max(prefixes.lengthMax, exactPaths.lengthMax) + 1)
        for place in 0..<end {
            if path[place] == UInt8(ascii: "/"), place > 0, place <= prefixes.lengthMax {
                let found = prefixes.find(hash, path.part(0..<place), group: group)
                if found >= 0 { longest = found }
            }
            hash = ByteTable.step(hash, path[place])
        }
        guard end == path.count, end > 0 else { return (-1, longest) }
        let whole = prefixes.find(hash, path, group: group)
        return (exactPaths.find(hash, path, group: group), whole >= 0 ? whole : longest)
    }

    private func first(
        of places: Range<Int>, _ head: borrowing some HTTPRequestHead & ~Copyable
    ) -> Int32 {
        for place in places {
            let candidate = members[place]
            if mismatch(conditions[Int(candidate)], head) == nil { return candidate }
        }
        return -1
    }

    // MARK: - One candidate

    private func bytes(_ part: Part) -> UnsafeRawBufferPointer {
        text.part(Int(part.offset)..<Int(part.offset + part.count))
    }

    private func expressionMatches(_ index: Int32, _ bytes: UnsafeRawBufferPointer) -> Bool {
        expressions[Int(index)](bytes)
    }

    private func mismatch(
        _ conditions: Conditions, _ head: borrowing some HTTPRequestHead & ~Copyable
    ) -> Mismatch? {
        if conditions.method.count > 0, !head.method.isEqual(bytes(conditions.method)) {
            return .method
        }
        for index in conditions.headers where !hasHeader(fields[index], head) {
            return .header(index - conditions.headers.lowerBound)
        }
        for index in conditions.query where !hasParameter(fields[index], head) {
            return .query(index - conditions.query.lowerBound)
        }
        return nil
    }

    private func hasHeader(
        _ field: Field, _ head: borrowing some HTTPRequestHead & ~Copyable
    ) -> Bool {
        let name = bytes(field.name)
        guard field.expression >= 0 else {
            return head.hasHeader(name, value: bytes(field.value))
        }
        return head.withHeader(name, expressions[Int(field.expression)])
    }

    private func hasParameter(
        _ field: Field, _ head: borrowing some HTTPRequestHead & ~Copyable
    ) -> Bool {
        guard let value = QueryString(head.query).first(bytes(field.name)) else { return false }
        guard field.expression >= 0 else {
            return QueryString.isEqual(value, decoded: bytes(field.value))
        }
        return QueryString.decode(value).withUnsafeBytes(expressions[Int(field.expression)])
    }
}

extension UnsafeRawBufferPointer {
    /// Whether a path begins with a prefix and ends a segment with it: `/a` is a prefix of `/a` and
    /// `/a/b`, not of `/ab` (HTTPRoute `PathMatchPathPrefix`).
    func hasSegments(_ prefix: [UInt8]) -> Bool {
        guard starts(with: prefix) else { return false }
        return prefix.isEmpty || count == prefix.count || self[prefix.count] == UInt8(ascii: "/")
    }
}
