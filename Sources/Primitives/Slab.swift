import CLinux

/// A fixed table of trivial elements with generations. Its memory is reserved at start and costs
/// nothing until a slot is first used; slots given back are used again first, so that the memory
/// in use stays small and warm. A slot's generation changes each time it is given back, so that a
/// completion for its last tenant is known as stale. Owned by one thread.
///
/// A released element's bytes keep what they held; `claim` leaves it to the caller to set them.
public struct Slab<Element: BitwiseCopyable>: ~Copyable {
    private struct Slot {
        /// Even while free, odd while in use; so both are seen by one comparison.
        var stamp: UInt32
        var element: Element
    }

    /// The bits of a generation that a token carries.
    public static var generationMask: UInt32 { 0xff_ffff }

    public let capacity: Int
    public private(set) var count = 0
    /// The most slots that were ever in use together.
    public private(set) var countPeak = 0
    private let slots: UnsafeMutablePointer<Slot>
    private let free: UnsafeMutablePointer<UInt32>
    private var freeCount = 0
    private var fresh = 0

    /// - Parameter firstGeneration: for tests of the wrap.
    public init(capacity: Int, firstGeneration: UInt32 = 0) {
        precondition(capacity > 0 && capacity <= Int(UInt32.max))
        self.capacity = capacity
        self.firstStamp = firstGeneration << 1
        slots = Self.map(capacity)
        free = Self.map(capacity)
    }

    private let firstStamp: UInt32

    private static func map<T>(_ count: Int) -> UnsafeMutablePointer<T> {
        guard let memory = apus_map(count * MemoryLayout<T>.stride) else {
            fatalError("no address space for a table of \(count) entries")
        }
        return memory.bindMemory(to: T.self, capacity: count)
    }

    deinit {
        apus_unmap(slots, capacity * MemoryLayout<Slot>.stride)
        apus_unmap(free, capacity * MemoryLayout<UInt32>.stride)
    }

    /// A free slot's index; nil when all are in use.
    public mutating func claim() -> UInt32? {
        let index: UInt32
        if freeCount > 0 {
            freeCount -= 1
            index = free[freeCount]
        } else if fresh < capacity {
            index = UInt32(fresh)
            fresh += 1
            slots[Int(index)].stamp = firstStamp
        } else {
            return nil
        }
        assert(slots[Int(index)].stamp & 1 == 0, "a free slot has an even stamp")
        (slots + Int(index)).pointee.stamp |= 1
        count += 1
        countPeak = max(countPeak, count)
        return index
    }

    /// - Precondition: the slot is in use.
    public mutating func release(_ index: UInt32) {
        precondition(isLive(index), "a slot is released once")
        // Adding one to an odd stamp makes it even and steps the generation above it.
        (slots + Int(index)).pointee.stamp &+= 1
        free[freeCount] = index
        freeCount += 1
        count -= 1
    }

    public func isLive(_ index: UInt32) -> Bool {
        Int(index) < fresh && slots[Int(index)].stamp & 1 == 1
    }

    /// The lower 24 bits of the slot's generation, as tokens carry them.
    @inlinable
    public func generation(of index: UInt32) -> UInt32 {
        stamp(of: index) >> 1 & Self.generationMask
    }

    @usableFromInline
    func stamp(of index: UInt32) -> UInt32 {
        precondition(Int(index) < fresh, "an index comes from claim()")
        return slots[Int(index)].stamp
    }

    /// The element in a live slot of that generation; nil when the slot is free or another's.
    @inline(__always)
    public func find(_ index: UInt32, generation: UInt32) -> UnsafeMutablePointer<Element>? {
        guard Int(index) < fresh else { return nil }
        let stamp = slots[Int(index)].stamp
        guard stamp & 1 == 1, stamp >> 1 & Self.generationMask == generation else { return nil }
        return pointer(index)
    }

    /// - Precondition: the slot is in use.
    @inline(__always)
    public subscript(_ index: UInt32) -> UnsafeMutablePointer<Element> {
        precondition(isLive(index), "a slot is used only while it is claimed")
        return pointer(index)
    }

    @inline(__always)
    private func pointer(_ index: UInt32) -> UnsafeMutablePointer<Element> {
        let slot = UnsafeMutableRawPointer(slots + Int(index))
        return (slot + MemoryLayout<Slot>.offset(of: \.element)!)
            .assumingMemoryBound(to: Element.self)
    }

    /// The first slot in use at or after `index`; nil at the end. For walks over all of them.
    public func firstLive(from index: UInt32) -> UInt32? {
        (Int(index)..<max(fresh, Int(index))).first { isLive(UInt32($0)) }.map { UInt32($0) }
    }
}
