import Kernel
import Primitives

/// The flows of a worker: by key, by slot, and in the order of their last use. Owned by one worker.
struct FlowTable: ~Copyable {
    let capacity: Int
    private var slots: Slab<Flow>
    private var places: FixedTable<FlowKey, UInt32>
    private var sources: FixedTable<IPAddress, UInt32>
    private(set) var oldest = Flow.none
    private var newest = Flow.none
    /// The flow of the last datagram: bursts need no lookup.
    private var last = Flow.none

    init(capacity: Int) {
        self.capacity = capacity
        var random = SystemRandomNumberGenerator()
        slots = Slab(capacity: capacity)
        places = FixedTable(capacity: capacity, seed: random.next())
        sources = FixedTable(capacity: capacity, seed: random.next())
    }

    var count: Int { slots.count }

    @inline(__always)
    subscript(_ index: UInt32) -> UnsafeMutablePointer<Flow> { slots[index] }

    @inline(__always)
    func find(_ index: UInt32, generation: UInt32) -> UnsafeMutablePointer<Flow>? {
        slots.find(index, generation: generation)
    }

    @inline(__always)
    func generation(of index: UInt32) -> UInt32 { slots.generation(of: index) }

    func firstLive(from index: UInt32) -> UInt32? { slots.firstLive(from: index) }

    /// The live flow of a key.
    @inline(__always)
    mutating func find(_ key: FlowKey) -> UInt32? {
        if last != Flow.none, slots[last].pointee.key == key { return last }
        guard let index = places.find(key) else { return nil }
        last = index
        return index
    }

    func countOfSource(_ address: IPAddress) -> UInt32 { sources.find(address) ?? 0 }

    /// - Returns: nil when all slots are in use.
    mutating func insert(_ flow: Flow) -> UInt32? {
        guard let index = slots.claim() else { return nil }
        slots[index].pointee = flow
        places.set(flow.key, index)
        sources.set(flow.key.client, countOfSource(flow.key.client) + 1)
        link(index)
        return index
    }

    /// Notes that a flow was used.
    @inline(__always)
    mutating func touch(_ index: UInt32, tick: UInt64) {
        guard slots[index].pointee.lastActivity != tick else { return }
        slots[index].pointee.lastActivity = tick
        guard newest != index else { return }
        unlink(index)
        link(index)
    }

    /// Takes a flow out of sight: its key is free again, its slot not yet.
    mutating func hide(_ index: UInt32) {
        let key = slots[index].pointee.key
        precondition(slots[index].pointee.isLive, "a flow is hidden once")
        slots[index].pointee.isLive = false
        places.remove(key)
        let left = countOfSource(key.client) - 1
        if left == 0 { sources.remove(key.client) } else { sources.set(key.client, left) }
        unlink(index)
        if last == index { last = Flow.none }
    }

    /// - Precondition: the flow is hidden.
    mutating func release(_ index: UInt32) {
        precondition(!slots[index].pointee.isLive)
        slots.release(index)
    }

    private mutating func link(_ index: UInt32) {
        slots[index].pointee.older = newest
        slots[index].pointee.newer = Flow.none
        if newest == Flow.none { oldest = index } else { slots[newest].pointee.newer = index }
        newest = index
    }

    private mutating func unlink(_ index: UInt32) {
        let (older, newer) = (slots[index].pointee.older, slots[index].pointee.newer)
        if older == Flow.none { oldest = newer } else { slots[older].pointee.newer = newer }
        if newer == Flow.none { newest = older } else { slots[newer].pointee.older = older }
    }
}
