import CLinux

/// A first-in-first-out queue of trivial elements with a fixed capacity; its memory costs nothing
/// until it is used. Owned by one thread.
public struct FixedQueue<Element: BitwiseCopyable>: ~Copyable {
    public let capacity: Int
    public private(set) var count = 0
    private var first = 0
    private let elements: UnsafeMutablePointer<Element>

    public init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
        guard let memory = apus_map(capacity * MemoryLayout<Element>.stride) else {
            fatalError("no address space for a queue of \(capacity) elements")
        }
        elements = memory.bindMemory(to: Element.self, capacity: capacity)
    }

    deinit {
        apus_unmap(elements, capacity * MemoryLayout<Element>.stride)
    }

    public var isEmpty: Bool { count == 0 }

    /// - Precondition: there is room; who sizes the queue sees to it.
    public mutating func append(_ element: Element) {
        precondition(count < capacity, "the queue holds what can wait at a time")
        let place = first + count
        elements[place < capacity ? place : place - capacity] = element
        count += 1
    }

    public mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = elements[first]
        first = first + 1 == capacity ? 0 : first + 1
        count -= 1
        return element
    }
}
