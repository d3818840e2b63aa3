/// From byte strings to numbers, looked up by a hash that the caller computes while it walks its
/// own bytes. Made once, never changed; owned by the table of a listener.
///
/// The hash (FNV-1a) has no secret: its keys come from the configuration, and whoever sends
/// requests can neither add one nor make a lookup longer than the chains that are there.
struct ByteTable: Sendable {
    /// One key: its place in `bytes`, and what it stands for. `group` is part of the key.
    private struct Entry {
        var hash: UInt64
        var group: UInt32
        var offset: UInt32
        var length: UInt32
        var value: Int32
    }

    private var entries: [Entry] = []
    private var bytes: [UInt8] = []
    /// Open addressing by linear probing: places of `entries`, -1 = free. A power of two, at least
    /// twice the entries.
    private var slots: [Int32] = [-1, -1]
    /// No key is longer.
    private(set) var lengthMax = 0

    static let absent: Int32 = -1

    static func seed(group: UInt32 = 0) -> UInt64 {
        (0xcbf2_9ce4_8422_2325 ^ UInt64(group)) &* 0x0000_0100_0000_01b3
    }

    @inline(__always)
    static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    static func hash(_ key: some Sequence<UInt8>, group: UInt32 = 0) -> UInt64 {
        key.reduce(seed(group: group), step)
    }

    /// - Returns: the value that the key has now: an older one stays.
    @discardableResult
    mutating func insert(_ key: [UInt8], group: UInt32 = 0, value: Int32) -> Int32 {
        precondition(value >= 0)
        let hash = Self.hash(key, group: group)
        let old = key.withUnsafeBytes { find(hash, $0, group: group) }
        guard old == Self.absent else { return old }
        entries.append(
            Entry(
                hash: hash, group: group, offset: UInt32(bytes.count), length: UInt32(key.count),
                value: value))
        bytes += key
        lengthMax = max(lengthMax, key.count)
        if entries.count * 2 > slots.count { grow() } else { place(entries.count - 1) }
        return value
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: slots.count * 2)
        for index in entries.indices { place(index) }
    }

    private mutating func place(_ index: Int) {
        var slot = Self.fold(entries[index].hash) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(index)
    }

    /// FNV's low bits depend on the low bits of the key alone.
    @inline(__always)
    private static func fold(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash ^ (hash >> 32))
    }

    /// - Parameter hash: of `key` in `group`, by `step`.
    /// - Returns: `absent` when it is not there.
    func find(_ hash: UInt64, _ key: UnsafeRawBufferPointer, group: UInt32 = 0) -> Int32 {
        var slot = Self.fold(hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let entry = entries[Int(slots[slot])]
            if entry.hash == hash, entry.group == group, Int(entry.length) == key.count,
                isEqual(entry, key)
            {
                return entry.value
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return Self.absent
    }

    /// As `find`, of a name that is read from its end and in any case, as `HostTable` keeps them.
    func find(_ hash: UInt64, reversing name: UnsafeRawBufferPointer) -> Int32 {
        var slot = Self.fold(hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let entry = entries[Int(slots[slot])]
            if entry.hash == hash, Int(entry.length) == name.count, isReverse(entry, name) {
                return entry.value
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return Self.absent
    }

    private func isEqual(_ entry: Entry, _ key: UnsafeRawBufferPointer) -> Bool {
        let offset = Int(entry.offset)
        for place in key.indices where bytes[offset + place] != key[place] { return false }
        return true
    }

    private func isReverse(_ entry: Entry, _ name: UnsafeRawBufferPointer) -> Bool {
        let last = Int(entry.offset) + name.count - 1
        for place in name.indices where bytes[last - place] != name[place].lowercase {
            return false
        }
        return true
    }
}

extension UInt8 {
    /// ASCII letters in lower case, everything else as it is.
    @inline(__always)
    var lowercase: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }
}

extension UnsafeRawBufferPointer {
    /// Bytes of this one, `bounds` being within it.
    @inline(__always)
    func part(_ bounds: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[bounds])
    }

    func isEqual(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        for place in indices where self[place] != other[place] { return false }
        return true
    }
}
