import CLinux

/// The buffers of one group: memory that costs nothing until it is used, numbered with 16 bits.
/// Some are posted to the kernel, some hold received bytes, the rest wait on a stack, the warmest
/// on top. The pool is bookkeeping only; the worker tells the ring. Owned by one worker.
public struct BufferPool: ~Copyable {
    /// What a buffer holds while bytes of a connection wait in it, and the buffer after it.
    public struct Load: BitwiseCopyable {
        public var start: UInt32
        public var end: UInt32
        public var next: UInt16
    }

    public static let none = UInt16.max
    /// Buffers are numbered below `none`.
    public static let countMax = Int(UInt16.max)

    // MARK: Immutable after start
    public let group: BufferGroup
    public let count: Int
    /// Bytes that a buffer holds.
    public let size: Int
    /// Distance between buffers. Not a power of two: buffers of which mostly the first bytes are
    /// used would otherwise share a few sets of the processor's caches.
    private let stride: Int
    private let memory: UnsafeMutableRawPointer
    private let loads: UnsafeMutablePointer<Load>
    private let stack: UnsafeMutablePointer<UInt16>
    /// Which buffers are on the stack: one given twice would be posted twice, and the bytes of one
    /// connection would reach another.
    private let isFree: UnsafeMutablePointer<Bool>

    // MARK: Worker thread only
    public private(set) var freeCount: Int
    /// The fewest free buffers since the last `trim`.
    private var freeCountLowest: Int
    /// Buffers below this place of the stack were given back to the system.
    private var trimmedCount: Int

    public init(group: BufferGroup, count: Int, size: Int) {
        precondition(count > 0 && count <= Self.countMax && size > 0)
        self.group = group
        self.count = count
        self.size = size
        stride = size + 192
        guard let memory = apus_map(count * stride),
            let loads = apus_map(count * MemoryLayout<Load>.stride)
        else { fatalError("no address space for \(count) buffers of \(size) bytes") }
        self.memory = memory
        self.loads = loads.bindMemory(to: Load.self, capacity: count)
        stack = .allocate(capacity: count)
        for place in 0..<count { stack[place] = UInt16(count - 1 - place) }
        isFree = .allocate(capacity: count)
        isFree.initialize(repeating: true, count: count)
        freeCount = count
        freeCountLowest = count
        trimmedCount = count
    }

    deinit {
        apus_unmap(memory, count * stride)
        apus_unmap(loads, count * MemoryLayout<Load>.stride)
        stack.deallocate()
        isFree.deallocate()
    }

    @inline(__always)
    public mutating func take() -> UInt16? {
        guard freeCount > 0 else { return nil }
        freeCount -= 1
        if freeCount < freeCountLowest { freeCountLowest = freeCount }
        let id = stack[freeCount]
        isFree[Int(id)] = false
        return id
    }

    @inline(__always)
    public mutating func give(_ id: UInt16) {
        precondition(Int(id) < count && !isFree[Int(id)], "a buffer is given back once")
        isFree[Int(id)] = true
        stack[freeCount] = id
        freeCount += 1
    }

    @inline(__always)
    public func address(_ id: UInt16) -> UnsafeMutableRawPointer {
        precondition(Int(id) < count)
        return memory + Int(id) * stride
    }

    @inline(__always)
    public func load(_ id: UInt16) -> UnsafeMutablePointer<Load> {
        precondition(Int(id) < count)
        return loads + Int(id)
    }

    /// Fewer than a quarter are left: time to hand them out one by one. The worker sizes the pool
    /// so that the last quarter serves every connection with one buffer each way.
    @inline(__always)
    public var isScarce: Bool { freeCount < count / 4 }

    /// Gives memory that was not needed since the last call back to the system, `buffersMax`
    /// buffers at most. Called about once a second.
    public mutating func trim(buffersMax: Int) {
        trimmedCount = min(trimmedCount, freeCountLowest)
        let end = min(freeCountLowest, trimmedCount + buffersMax)
        while trimmedCount < end {
            apus_forget_pages(address(stack[trimmedCount]), size)
            trimmedCount += 1
        }
        freeCountLowest = freeCount
    }
}
