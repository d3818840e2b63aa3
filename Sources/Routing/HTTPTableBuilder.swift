/// The parts of a `HTTPTable` while it is made of a plan's candidates.
struct HTTPTableBuilder {
    /// Where a candidate belongs.
    private struct Place: Hashable {
        var group: Int
        var path: HTTPMatch.Path
    }

    private(set) var hosts: [HostPattern] = []
    private(set) var expressionMembers: [Range<Int>] = []
    private(set) var exactPaths = ByteTable()
    private(set) var prefixes = ByteTable()
    private(set) var buckets: [HTTPTable.Bucket] = []
    private(set) var members: [Int32] = []
    private(set) var conditions: [HTTPTable.Conditions] = []
    private(set) var fields: [HTTPTable.Field] = []
    private(set) var expressions: [HTTPTable.Expression] = []
    private(set) var text: [UInt8] = []
    private var expressionPlaces: [String: Int32] = [:]

    mutating func add(_ candidates: [HTTPCandidate], compile: (String) -> HTTPTable.Expression?) {
        for candidate in candidates { add(candidate.match, compile) }
        var groupOf: [HostPattern: Int] = [:]
        var expressionsOf: [[Int32]] = []
        var bucketOf: [Place: Int] = [:]
        var inBucket: [(place: Place, candidates: [Int32])] = []
        for index in candidates.placesByPrecedence {
            let candidate = candidates[index]
            let group = groupOf[candidate.host] ?? hosts.count
            if group == hosts.count {
                groupOf[candidate.host] = group
                hosts.append(candidate.host)
                expressionsOf.append([])
            }
            if case .expression = candidate.match.path {
                expressionsOf[group].append(Int32(index))
                continue
            }
            let place = Place(group: group, path: candidate.match.path)
            if let bucket = bucketOf[place] {
                inBucket[bucket].candidates.append(Int32(index))
            } else {
                bucketOf[place] = inBucket.count
                inBucket.append((place, [Int32(index)]))
            }
        }
        for list in expressionsOf { expressionMembers.append(addMembers(list)) }
        for (place, list) in inBucket {
            let members = addMembers(list)
            let shorter = shorterPrefix(of: place) { bucketOf[$0] }
            switch place.path {
            case .exact(let path): insert(path, place.group, into: \.exactPaths)
            case .prefix(let path): insert(path, place.group, into: \.prefixes)
            case .expression: break
            }
            buckets.append(HTTPTable.Bucket(members: members, shorter: shorter))
        }
    }

    private mutating func insert(
        _ path: String, _ group: Int, into table: WritableKeyPath<Self, ByteTable>
    ) {
        self[keyPath: table].insert(
            Array(path.utf8), group: UInt32(group), value: Int32(buckets.count))
    }

    private mutating func addMembers(_ list: [Int32]) -> Range<Int> {
        members += list
        return (members.count - list.count)..<members.count
    }

    private func shorterPrefix(of place: Place, find: (Place) -> Int?) -> Int32 {
        guard case .prefix(var path) = place.path else { return -1 }
        while let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) {
            path = String(path[..<slash])
            if let found = find(Place(group: place.group, path: .prefix(path))) {
                return Int32(found)
            }
        }
        return -1
    }

    // MARK: - Conditions

    private mutating func add(_ match: HTTPMatch, _ compile: (String) -> HTTPTable.Expression?) {
        var path: Int32 = -1
        if case .expression(let text) = match.path { path = addExpression(text, compile) }
        let method = addText(match.method ?? "")
        conditions.append(
            HTTPTable.Conditions(
                method: method, path: path, headers: addFields(match.headers, compile),
                query: addFields(match.query, compile)))
    }

    private mutating func addFields(
        _ list: [HTTPMatch.Field], _ compile: (String) -> HTTPTable.Expression?
    ) -> Range<Int> {
        let start = fields.count
        for field in list {
            let name = addText(field.name)
            switch field.value {
            case .exact(let value):
                fields.append(
                    HTTPTable.Field(name: name, value: addText(value), expression: -1))
            case .expression(let text):
                let expression = addExpression(text, compile)
                fields.append(
                    HTTPTable.Field(name: name, value: addText(""), expression: expression))
            }
        }
        return start..<fields.count
    }

    private mutating func addText(_ string: String) -> HTTPTable.Part {
        let offset = text.count
        text += string.utf8
        return HTTPTable.Part(offset: UInt32(offset), count: UInt32(text.count - offset))
    }

    /// Equal expressions are compiled once.
    private mutating func addExpression(
        _ text: String, _ compile: (String) -> HTTPTable.Expression?
    ) -> Int32 {
        if let place = expressionPlaces[text] { return place }
        let place = Int32(expressions.count)
        expressions.append(compile(text) ?? { _ in false })
        expressionPlaces[text] = place
        return place
    }
}
