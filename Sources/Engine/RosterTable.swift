/// A table whose entries keep their numbers as long as they are in it; numbers that became free
/// are used again, and it grows as needed. Unlike a `Slab` its elements may hold references. A
/// pointer into it is good until the next `insert`. Owned by one worker's roster.
struct RosterTable<Element>: ~Copyable {
    private(set) var count = 0
    private var capacity: Int
    private var elements: UnsafeMutablePointer<Element>
    private var isUsed: [Bool]
    private var free: [UInt32] = []

    init() {
        capacity = 8
        elements = .allocate(capacity: capacity)
        isUsed = Array(repeating: false, count: capacity)
        free = (0..<UInt32(capacity)).reversed()
    }

    deinit {
        for index in 0..<capacity where isUsed[index] {
            (elements + index).deinitialize(count: 1)
        }
        elements.deallocate()
    }

    mutating func insert(_ element: Element) -> UInt32 {
        if free.isEmpty { grow() }
        let index = free.removeLast()
        (elements + Int(index)).initialize(to: element)
        isUsed[Int(index)] = true
        count += 1
        return index
    }

    private mutating func grow() {
        let grown = UnsafeMutablePointer<Element>.allocate(capacity: 2 * capacity)
        // Without a free number every entry is in use.
        grown.moveInitialize(from: elements, count: capacity)
        elements.deallocate()
        elements = grown
        isUsed += Array(repeating: false, count: capacity)
        free = (UInt32(capacity)..<UInt32(2 * capacity)).reversed()
        capacity *= 2
    }

    mutating func remove(_ index: UInt32) {
        precondition(isUsed[Int(index)], "an entry is removed once")
        (elements + Int(index)).deinitialize(count: 1)
        isUsed[Int(index)] = false
        free.append(index)
        count -= 1
    }

    @inline(__always)
    subscript(_ index: UInt32) -> UnsafeMutablePointer<Element> {
        precondition(isUsed[Int(index)], "an entry is used only while it is in the table")
        return elements + Int(index)
    }

    /// The first entry at or after `index`; nil at the end.
    func first(from index: UInt32) -> UInt32? {
        (min(Int(index), capacity)..<capacity).first { isUsed[$0] }.map(UInt32.init)
    }
}
