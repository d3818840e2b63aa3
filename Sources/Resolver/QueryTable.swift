import Primitives
import Wire

/// The queries of a directory, waiting and under way: one for each question to each group of
/// servers, whoever else wants to know. A value; owned by the directory.
struct QueryTable {
    /// What makes two questions one.
    struct Key: Hashable {
        let names: [DNSName]
        let type: DNSMessage.RecordType
        let servers: [SocketAddress]
    }

    struct Entry {
        let key: Key
        let group: Int
        let timeoutMilliseconds: UInt64
        let roundsMax: Int
        let usesTCP: Bool
        /// Records, by timer.
        var waiters: [Int]
        /// Nil while it waits for its turn.
        var query: Query?
    }

    var scheduler: QueryScheduler
    private(set) var groups: [Int: ServerGroup] = [:]
    private var groupNumbers: [[SocketAddress]: Int] = [:]
    private var entries: [Int: Entry] = [:]
    private var numbers: [Key: Int] = [:]
    private var numberNext = 0

    /// Groups of servers that no query goes to are forgotten when there are more.
    static let groupsMax = 256

    init(flyingMax: Int, flyingPerGroupMax: Int) {
        scheduler = QueryScheduler(flyingMax: flyingMax, flyingPerGroupMax: flyingPerGroupMax)
    }

    subscript(number: Int) -> Entry? {
        get { entries[number] }
        set {
            if newValue == nil, let key = entries[number]?.key, numbers[key] == number {
                numbers[key] = nil
            }
            entries[number] = newValue
        }
    }

    /// Adds a waiter to the query for this question.
    /// - Returns: the query's number; nil when there is none.
    mutating func join(_ key: Key, waiter: Int) -> Int? {
        guard let number = numbers[key] else { return nil }
        entries[number]?.waiters.append(waiter)
        return number
    }

    /// A new query, which waits for its turn.
    mutating func add(
        _ key: Key, waiter: Int, timeoutMilliseconds: UInt64, roundsMax: Int, usesTCP: Bool,
        rotates: Bool
    ) -> Int {
        numberNext += 1
        let group = groupNumber(of: key.servers, rotates: rotates)
        entries[numberNext] = Entry(
            key: key, group: group, timeoutMilliseconds: timeoutMilliseconds,
            roundsMax: roundsMax, usesTCP: usesTCP, waiters: [waiter], query: nil)
        numbers[key] = numberNext
        scheduler.add(numberNext, group: group)
        return numberNext
    }

    /// Nobody is to join this query any more.
    mutating func close(_ number: Int) {
        guard let key = entries[number]?.key, numbers[key] == number else { return }
        numbers[key] = nil
    }

    mutating func order(of group: Int, now: UInt64) -> [Int] {
        guard var servers = groups[group] else { preconditionFailure("a query has its servers") }
        defer { groups[group] = servers }
        return servers.order(now: now)
    }

    mutating func note(_ server: Int, of group: Int, isWell: Bool, now: UInt64) {
        groups[group]?.note(server, isWell: isWell, now: now)
    }

    private mutating func groupNumber(of servers: [SocketAddress], rotates: Bool) -> Int {
        if let number = groupNumbers[servers] { return number }
        if groups.count >= Self.groupsMax {
            let used = Set(entries.values.map(\.group))
            groups = groups.filter { used.contains($0.key) }
            groupNumbers = groupNumbers.filter { used.contains($0.value) }
        }
        numberNext += 1
        groups[numberNext] = ServerGroup(servers, rotates: rotates)
        groupNumbers[servers] = numberNext
        return numberNext
    }
}
