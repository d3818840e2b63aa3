/// Says which queries may go now: so many at a time in all, so many to one group of servers, and
/// the groups in turn, so that neither ten thousand names at start nor one dead server take
/// everything. Pure; owned by the directory.
struct QueryScheduler {
    private struct Line {
        var waiting: [Int] = []
        /// The first that still waits; the array is cut now and then, not at each step.
        var first = 0
        var flyingCount = 0

        var isEmpty: Bool { first == waiting.count }

        mutating func popFirst() -> Int {
            let query = waiting[first]
            first += 1
            if first > 1_024, first * 2 > waiting.count {
                waiting.removeFirst(first)
                first = 0
            }
            return query
        }
    }

    let flyingMax: Int
    let flyingPerGroupMax: Int
    private var lines: [Int: Line] = [:]
    /// Groups that have something to send and may, each once, in turn.
    private var turns: [Int] = []
    private(set) var flyingCount = 0

    init(flyingMax: Int, flyingPerGroupMax: Int) {
        precondition(flyingMax > 0 && flyingPerGroupMax > 0)
        self.flyingMax = flyingMax
        self.flyingPerGroupMax = flyingPerGroupMax
    }

    var waitingCount: Int { lines.values.reduce(0) { $0 + $1.waiting.count - $1.first } }

    mutating func add(_ query: Int, group: Int) {
        lines[group, default: Line()].waiting.append(query)
        takeTurn(group)
    }

    /// The next query to send; nil when none may go now.
    mutating func next() -> Int? {
        guard flyingCount < flyingMax, !turns.isEmpty else { return nil }
        let group = turns.removeFirst()
        guard var line = lines[group] else { preconditionFailure("a turn has its line") }
        let query = line.popFirst()
        line.flyingCount += 1
        lines[group] = line
        flyingCount += 1
        takeTurn(group)
        return query
    }

    /// A query that `next` gave is over.
    mutating func finish(group: Int) {
        guard var line = lines[group], line.flyingCount > 0 else {
            preconditionFailure("what ends was sent")
        }
        line.flyingCount -= 1
        flyingCount -= 1
        lines[group] = line.flyingCount == 0 && line.isEmpty ? nil : line
        takeTurn(group)
    }

    private mutating func takeTurn(_ group: Int) {
        guard let line = lines[group], !line.isEmpty, line.flyingCount < flyingPerGroupMax,
            !turns.contains(group)
        else { return }
        turns.append(group)
    }
}
