import Primitives

/// Consistent hashing as Google's load balancer does it (Eisenbud and others, NSDI 2016, section
/// 3.4): a table in which each entry holds its share of the places, and in which few places change
/// hands when an entry comes or goes. A lookup is one division. Immutable; owned by who picks.
public struct Maglev: Sendable {
    /// Places in what the table was made of; empty = there is no entry with a weight.
    private let table: [UInt32]

    /// - Parameter entries: a key that stays the entry's own from table to table, and its weight; 0
    ///   = no places. Their order does not matter.
    /// - Parameter size: a prime number (`isSize`), much greater than the count of entries.
    public init(_ entries: [(key: UInt64, weight: UInt32)], size: UInt32) {
        precondition(Self.isSize(size), "steps of every length must reach every place")
        let present = entries.indices.filter { entries[$0].weight > 0 }
            .sorted { (entries[$0].key, $0) < (entries[$1].key, $1) }
        guard let weightMax = present.map({ UInt64(entries[$0].weight) }).max() else {
            table = []
            return
        }
        var turns = present.map { Turn(entries[$0].key, size: UInt64(size)) }
        var table = [UInt32](repeating: .max, count: Int(size))
        var free = Int(size)
        while free > 0 {
            for index in turns.indices where free > 0 {
                // The heaviest has a place each round, the others as much less often.
                turns[index].credit += UInt64(entries[present[index]].weight)
                guard turns[index].credit >= weightMax else { continue }
                turns[index].credit -= weightMax
                while table[turns[index].place] != .max { turns[index].advance() }
                table[turns[index].place] = UInt32(present[index])
                free -= 1
            }
        }
        self.table = table
    }

    /// One entry's walk over the table: its own permutation of all places.
    private struct Turn {
        private(set) var place: Int
        private let step: Int
        private let size: Int
        var credit: UInt64 = 0

        init(_ key: UInt64, size: UInt64) {
            var random = SeededRandom(seed: key)
            self.size = Int(size)
            place = Int(random.next() % size)
            step = size > 2 ? Int(random.next() % (size - 1)) + 1 : 1
        }

        mutating func advance() {
            place += step
            if place >= size { place -= size }
        }
    }

    /// - Returns: the entry's place among those that the table was made of; nil = there is none.
    public func pick(_ hash: UInt64) -> Int? {
        guard !table.isEmpty else { return nil }
        return Int(table[Int(hash % UInt64(table.count))])
    }

    /// What the table size may be: a prime number from 2 to 5,000,011 (BackendTrafficPolicy
    /// `spec.loadBalancer.consistentHash.tableSize`).
    public static func isSize(_ size: UInt32) -> Bool {
        guard size >= 2, size <= sizeMax else { return false }
        var divisor: UInt32 = 2
        while divisor * divisor <= size {
            if size % divisor == 0 { return false }
            divisor += 1
        }
        return true
    }

    public static let sizeMax: UInt32 = 5_000_011
}
