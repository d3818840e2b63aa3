import CLinux

/// Deadlines of numbered timers, in ticks: setting and cancelling cost the same however many there
/// are (Varghese and Lauck 1987, scheme 7: a wheel of wheels). Four wheels of 64 buckets each; a
/// timer in an outer wheel moves inwards when its bucket comes up. Owned by one thread.
///
/// A timer never fires early; it fires at the first `popExpired` whose tick is at or past its
/// deadline.
public struct TimerWheel: ~Copyable {
    private struct Timer: BitwiseCopyable {
        var deadline: UInt64
        var next: UInt32
        var previous: UInt32
        /// Bucket number plus one; 0 while the timer is not set.
        var home: UInt32
    }

    private static let levels = 4
    private static let bits = 6
    private static let buckets = 1 << bits
    private static let none = UInt32.max
    /// Deadlines further off are looked at again after so many ticks.
    private static let horizon = UInt64(1) << UInt64(levels * bits) - 1

    public let capacity: Int
    public private(set) var count = 0
    private var tick: UInt64
    private let timers: UnsafeMutablePointer<Timer>
    private let heads: UnsafeMutablePointer<UInt32>
    /// One bit a bucket that is not empty, one word a level.
    private let occupied: UnsafeMutablePointer<UInt64>

    /// - Parameter capacity: timers are numbered below it.
    public init(capacity: Int, now tick: UInt64) {
        precondition(capacity > 0 && capacity < Int(UInt32.max))
        self.capacity = capacity
        self.tick = tick
        guard let memory = apus_map(capacity * MemoryLayout<Timer>.stride) else {
            fatalError("no address space for \(capacity) timers")
        }
        timers = memory.bindMemory(to: Timer.self, capacity: capacity)
        heads = .allocate(capacity: Self.levels * Self.buckets)
        heads.initialize(repeating: Self.none, count: Self.levels * Self.buckets)
        occupied = .allocate(capacity: Self.levels)
        occupied.initialize(repeating: 0, count: Self.levels)
    }

    deinit {
        apus_unmap(timers, capacity * MemoryLayout<Timer>.stride)
        heads.deallocate()
        occupied.deallocate()
    }

    public func isSet(_ id: UInt32) -> Bool {
        precondition(Int(id) < capacity)
        return timers[Int(id)].home != 0
    }

    /// Sets or moves a timer. A deadline that has passed fires at the next `popExpired`.
    public mutating func set(_ id: UInt32, deadline: UInt64) {
        cancel(id)
        timers[Int(id)].deadline = deadline
        insert(id)
        count += 1
    }

    /// Forgets a timer; nothing happens when it is not set.
    public mutating func cancel(_ id: UInt32) {
        guard isSet(id) else { return }
        unlink(id)
        count -= 1
    }

    /// The next timer whose deadline is at or before `now`, which is then no longer set; nil when
    /// there is none left.
    public mutating func popExpired(now: UInt64) -> UInt32? {
        while true {
            let bucket = Int(tick & UInt64(Self.buckets - 1))
            if tick <= now, heads[bucket] != Self.none {
                let id = heads[bucket]
                unlink(id)
                if timers[Int(id)].deadline <= now {
                    count -= 1
                    return id
                }
                insert(id)
                continue
            }
            guard tick < now else { return nil }
            advance(to: now)
        }
    }

    /// The earliest tick at which a timer may be due; nil when none is set. It may be too early
    /// for timers of the outer wheels, never too late.
    public var nextTick: UInt64? {
        guard count > 0 else { return nil }
        var earliest = UInt64.max
        for level in 0..<Self.levels where occupied[level] != 0 {
            let shift = UInt64(level * Self.bits)
            let current = tick >> shift & UInt64(Self.buckets - 1)
            // An outer wheel's current bucket was emptied when it came up: what is in it now is a
            // whole lap away.
            let skipped: UInt64 = level == 0 ? 0 : 1
            let first = (current + skipped) & UInt64(Self.buckets - 1)
            let word = occupied[level]
            let rotated = word >> first | (first == 0 ? 0 : word << (64 - first))
            let distance = UInt64(rotated.trailingZeroBitCount) + skipped
            let start = (tick >> shift + distance) << shift
            earliest = min(earliest, max(start, tick))
        }
        return earliest
    }

    // MARK: - Buckets

    /// Steps to the next tick at which anything may be due, at most to `now`, and moves inwards
    /// what the outer wheels then uncover.
    private mutating func advance(to now: UInt64) {
        let step = count == 0 ? now : min(now, max(tick + 1, nextBoundary))
        tick = step
        for level in stride(from: Self.levels - 1, to: 0, by: -1) {
            let shift = UInt64(level * Self.bits)
            guard tick & (UInt64(1) << shift - 1) == 0 else { continue }
            cascade(level: level, bucket: Int(tick >> shift) & (Self.buckets - 1))
        }
    }

    /// The next occupied bucket of the innermost wheel, or the next turn of the wheel above it.
    private var nextBoundary: UInt64 {
        let lap = (tick >> UInt64(Self.bits) + 1) << UInt64(Self.bits)
        let current = tick & UInt64(Self.buckets - 1)
        let ahead = current == 63 ? 0 : occupied[0] >> (current + 1)
        guard ahead != 0 else { return lap }
        return min(lap, tick + 1 + UInt64(ahead.trailingZeroBitCount))
    }

    private mutating func cascade(level: Int, bucket: Int) {
        let home = level * Self.buckets + bucket
        var id = heads[home]
        heads[home] = Self.none
        (occupied + level).pointee &= ~(1 << UInt64(bucket))
        while id != Self.none {
            let next = timers[Int(id)].next
            insert(id)
            id = next
        }
    }

    private mutating func insert(_ id: UInt32) {
        // Never the current tick's bucket unless it is due now, or it would wait for a whole lap.
        let deadline = max(timers[Int(id)].deadline, tick)
        let distance = min(deadline - tick, Self.horizon)
        let target = tick + distance
        var level = 0
        while level < Self.levels - 1, distance >= UInt64(1) << UInt64((level + 1) * Self.bits) {
            level += 1
        }
        let bucket = Int(target >> UInt64(level * Self.bits)) & (Self.buckets - 1)
        let home = level * Self.buckets + bucket
        let head = heads[home]
        timers[Int(id)].home = UInt32(home + 1)
        timers[Int(id)].next = head
        timers[Int(id)].previous = Self.none
        if head != Self.none { timers[Int(head)].previous = id }
        heads[home] = id
        (occupied + level).pointee |= 1 << UInt64(bucket)
    }

    private mutating func unlink(_ id: UInt32) {
        let timer = timers[Int(id)]
        let home = Int(timer.home) - 1
        if timer.previous == Self.none {
            heads[home] = timer.next
        } else {
            timers[Int(timer.previous)].next = timer.next
        }
        if timer.next != Self.none { timers[Int(timer.next)].previous = timer.previous }
        if heads[home] == Self.none {
            (occupied + home / Self.buckets).pointee &= ~(1 << UInt64(home % Self.buckets))
        }
        timers[Int(id)].home = 0
    }
}
