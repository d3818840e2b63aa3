import CLinux

/// A key of a `FixedTable`.
public protocol TableKey: BitwiseCopyable, Equatable {
    /// Well mixed, and different for each seed, so that nobody who chooses keys can make them
    /// collide.
    func hash(seed: UInt64) -> UInt64
}

/// A hash table of a fixed size for trivial keys and values: linear probing, at most half full, and
/// no tombstones (what follows a removed entry moves up; Knuth, TAOCP 3, 6.4, algorithm R). Its
/// memory costs nothing until it is used. Owned by one thread.
public struct FixedTable<Key: TableKey, Value: BitwiseCopyable>: ~Copyable {
    private struct Entry: BitwiseCopyable {
        /// 0 = empty.
        var mark: UInt64
        var key: Key
        var value: Value
    }

    public let capacity: Int
    public private(set) var count = 0
    private let seed: UInt64
    private let mask: Int
    private let entries: UnsafeMutablePointer<Entry>

    public init(capacity: Int, seed: UInt64) {
        precondition(capacity > 0)
        self.capacity = capacity
        self.seed = seed
        var places = 8
        while places < 2 * capacity { places *= 2 }
        mask = places - 1
        guard let memory = apus_map(places * MemoryLayout<Entry>.stride) else {
            fatalError("no address space for a table of \(capacity) entries")
        }
        entries = memory.bindMemory(to: Entry.self, capacity: places)
    }

    deinit {
        apus_unmap(entries, (mask + 1) * MemoryLayout<Entry>.stride)
    }

    @inline(__always)
    private func mark(_ key: Key) -> UInt64 {
        key.hash(seed: seed) | 1
    }

    @inline(__always)
    private func place(_ key: Key, _ mark: UInt64) -> (place: Int, isFound: Bool) {
        var place = Int(truncatingIfNeeded: mark >> 1) & mask
        while entries[place].mark != 0 {
            if entries[place].mark == mark && entries[place].key == key { return (place, true) }
            place = (place + 1) & mask
        }
        return (place, false)
    }

    @inline(__always)
    public func find(_ key: Key) -> Value? {
        let (place, isFound) = place(key, mark(key))
        return isFound ? entries[place].value : nil
    }

    /// Sets the value of a key, new or not.
    /// - Precondition: a new key finds room.
    public mutating func set(_ key: Key, _ value: Value) {
        let mark = mark(key)
        let (place, isFound) = place(key, mark)
        if !isFound {
            precondition(count < capacity, "a table is sized for all keys there can be")
            count += 1
        }
        entries[place] = Entry(mark: mark, key: key, value: value)
    }

    /// Removes a key; nothing happens when it is not there.
    public mutating func remove(_ key: Key) {
        let (start, isFound) = place(key, mark(key))
        guard isFound else { return }
        count -= 1
        var hole = start
        var next = (hole + 1) & mask
        while entries[next].mark != 0 {
            let home = Int(truncatingIfNeeded: entries[next].mark >> 1) & mask
            // Moves up unless its home lies cyclically between the hole and itself.
            if (next - home) & mask >= (next - hole) & mask {
                entries[hole] = entries[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        entries[hole].mark = 0
    }
}

/// Mixes words for `TableKey.hash`: folded 128-bit products (as wyhash).
public struct WordMixer {
    public private(set) var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    @inline(__always)
    public mutating func mix(_ word: UInt64) {
        let product = (state ^ word).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15 | 1)
        state = product.high ^ product.low ^ (word << 1 | word >> 63)
    }
}
