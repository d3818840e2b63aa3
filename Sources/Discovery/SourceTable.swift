import CLinux
import Synchronization

/// What is noted of each of many sources, of all workers together, in memory of a fixed size: one
/// word each, found by a keyed hash in a bucket of one cache line. A word says of itself whether it
/// still tells anything; one that does not is free for any source, so nothing is ever cleaned up.
/// When a bucket is full its further sources go unnoted, and are counted. Two workers that note a
/// new source at the same instant, while a third frees a word of its bucket, may give it two words:
/// both are used until they are free.
final class SourceTable: Sendable {
    /// What a source does to its word.
    enum Step {
        case write(UInt64)
        case refuse
    }

    enum Outcome: Equatable {
        case written
        case refused
        /// There was no room for the source.
        case unnoted
    }

    private static let ways = 8

    let seed: UInt64
    private let buckets: Int
    private nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let unnotedCount = Atomic<UInt64>(0)

    /// - Parameter capacity: sources, a power of two, at least 8.
    init(capacity: Int, seed: UInt64) {
        precondition(capacity >= Self.ways && capacity & (capacity - 1) == 0)
        self.seed = seed
        buckets = capacity / Self.ways
        // Zeros, which cost memory only where they are written to.
        guard let memory = apus_map(capacity * MemoryLayout<Atomic<UInt64>>.stride) else {
            fatalError("no address space for \(capacity) sources")
        }
        words = memory.bindMemory(to: Atomic<UInt64>.self, capacity: capacity)
    }

    deinit {
        apus_unmap(words, buckets * Self.ways * MemoryLayout<Atomic<UInt64>>.stride)
    }

    /// How often a source went unnoted.
    var unnoted: UInt64 { unnotedCount.load(ordering: .relaxed) }

    /// Changes a source's word.
    /// - Parameters:
    ///   - tagShift: where the tag begins.
    ///   - isFree: whether a word, by its lower bits, tells nothing any more.
    ///   - step: from the lower bits before, 0 for a source without a word, to those after.
    func change(
        _ key: UInt64, tagShift: UInt64, isFree: (UInt64) -> Bool, _ step: (UInt64) -> Step
    ) -> Outcome {
        let bucket = words + Int(key % UInt64(buckets)) * Self.ways
        let below = (UInt64(1) << tagShift) - 1
        let tag = (key / UInt64(buckets)) << tagShift
        while true {
            let (found, free) = find(bucket, tag, below, isFree)
            guard let place = found ?? free else {
                unnotedCount.wrappingAdd(1, ordering: .relaxed)
                return .unnoted
            }
            let word = bucket[place].load(ordering: .relaxed)
            let isOwn = word & ~below == tag && !isFree(word & below)
            // What was found has changed since: another word may be the source's.
            guard isOwn || found == nil && isFree(word & below) else { continue }
            guard case .write(let value) = step(isOwn ? word & below : 0) else { return .refused }
            let changed = tag | (value & below)
            guard
                bucket[place].compareExchange(
                    expected: word, desired: changed, ordering: .relaxed
                ).exchanged
            else { continue }
            return .written
        }
    }

    private func find(
        _ bucket: UnsafeMutablePointer<Atomic<UInt64>>, _ tag: UInt64, _ below: UInt64,
        _ isFree: (UInt64) -> Bool
    ) -> (found: Int?, free: Int?) {
        var free: Int?
        for place in 0..<Self.ways {
            let word = bucket[place].load(ordering: .relaxed)
            if isFree(word & below) {
                free = free ?? place
            } else if word & ~below == tag {
                return (place, nil)
            }
        }
        return (nil, free)
    }
}
