/// What will happen at which virtual time: a binary heap, in which events of the same time keep
/// the order in which they were added, so that a seed always replays the same way. Owned by the
/// kernel.
struct EventQueue {
    private struct Event {
        var time: UInt64
        var sequence: UInt64
        var action: () -> Void

        func isBefore(_ other: Event) -> Bool {
            time != other.time ? time < other.time : sequence < other.sequence
        }
    }

    private var heap: [Event] = []
    private var sequence: UInt64 = 0

    var count: Int { heap.count }
    var nextTime: UInt64? { heap.first?.time }

    mutating func add(at time: UInt64, _ action: @escaping () -> Void) {
        heap.append(Event(time: time, sequence: sequence, action: action))
        sequence += 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes the earliest event out.
    mutating func pop() -> (time: UInt64, action: () -> Void)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return (first.time, first.action) }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].isBefore(heap[least]) {
                least = child
            }
            guard least != parent else { return (first.time, first.action) }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
