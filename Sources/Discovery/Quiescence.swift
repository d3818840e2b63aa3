import Synchronization

/// Tells when nobody can be reading any more what was taken out of sight: reclamation by quiescent
/// states (McKenney and Slingwine 1998; liburcu's `qsbr`). Each reader says once a turn of its loop
/// that it holds nothing, and before it sleeps that it is away; reading itself costs nothing. What
/// was replaced may be freed when every reader has passed such a point since, or is away.
public final class Quiescence: Sendable {
    /// One reader's place. Used by its thread alone.
    public struct Reader: Sendable {
        fileprivate nonisolated(unsafe) let word: UnsafeMutablePointer<Atomic<UInt64>>
        fileprivate let owner: Quiescence

        /// Nothing that was read before is held any more.
        @inline(__always)
        public func pass() {
            word.pointee.store(owner.epoch.load(ordering: .acquiring), ordering: .releasing)
        }

        /// Nothing is held or read until `wake()`.
        @inline(__always)
        public func sleep() {
            word.pointee.store(Quiescence.away, ordering: .releasing)
        }

        /// Before anything is read again. Sequentially consistent, as is the writer's side: either
        /// the writer sees this reader, or this reader sees what the writer has published.
        @inline(__always)
        public func wake() {
            let now = owner.epoch.load(ordering: .sequentiallyConsistent)
            word.pointee.store(now, ordering: .sequentiallyConsistent)
            atomicMemoryFence(ordering: .sequentiallyConsistent)
        }
    }

    /// A point in time after which something was out of sight.
    public struct Ticket: Hashable, Sendable {
        fileprivate let epoch: UInt64
    }

    private static let away: UInt64 = 0
    /// A cache line each: readers write theirs all the time.
    private static let stride = 64 / MemoryLayout<UInt64>.size

    fileprivate let epoch = Atomic<UInt64>(1)
    private nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt64>>
    public let readerCount: Int

    public init(readers: Int) {
        readerCount = readers
        words = .allocate(capacity: max(1, readers) * Self.stride)
        for place in 0..<max(1, readers) * Self.stride {
            (words + place).initialize(to: Atomic(Self.away))
        }
    }

    deinit {
        words.deinitialize(count: max(1, readerCount) * Self.stride)
        words.deallocate()
    }

    /// - Parameter index: each is one thread's, which starts away.
    public func reader(_ index: Int) -> Reader {
        precondition((0..<readerCount).contains(index))
        return Reader(word: words + index * Self.stride, owner: self)
    }

    /// To be called after something was taken out of sight.
    public func retire() -> Ticket {
        let result = epoch.wrappingAdd(1, ordering: .sequentiallyConsistent)
        return Ticket(epoch: result.newValue)
    }

    /// Whether what was out of sight by then can be freed.
    public func isOver(_ ticket: Ticket) -> Bool {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return (0..<readerCount).allSatisfy { index in
            let seen = words[index * Self.stride].load(ordering: .sequentiallyConsistent)
            return seen == Self.away || seen >= ticket.epoch
        }
    }
}
