import Primitives

/// The pipes that bulk transfers are spliced through: made when first needed, kept when given back
/// empty, never more than a maximum, because the kernel budgets their pages per user (`pipe(7)`).
/// Owned by one worker.
public struct PipePool: ~Copyable {
    /// Pipes that exist, in use or waiting, at most.
    public let countMax: Int
    public let capacityWanted: Int
    public private(set) var inUseCount = 0
    private var idle: [Pipe] = []

    public init(countMax: Int, capacityWanted: Int) {
        precondition(countMax >= 0 && capacityWanted > 0)
        self.countMax = countMax
        self.capacityWanted = capacityWanted
        idle.reserveCapacity(countMax)
    }

    deinit {
        assert(inUseCount == 0 && idle.isEmpty, "pipes are drained before the pool goes")
    }

    public var idleCount: Int { idle.count }

    /// An empty pipe; nil when there are as many as allowed or the kernel gives none.
    public mutating func take<R: Ring & ~Copyable>(from ring: inout R) -> Pipe? {
        guard inUseCount < countMax else { return nil }
        if let pipe = idle.popLast() {
            inUseCount += 1
            return pipe
        }
        guard case .success(let pipe) = ring.makePipe(capacity: capacityWanted) else { return nil }
        // A pipe of a page or two moves less at a time than a buffer: copying is the better way.
        guard pipe.capacity >= Self.capacityMin else {
            Self.close(pipe, ring: &ring)
            return nil
        }
        inUseCount += 1
        return pipe
    }

    public static let capacityMin = 65_536

    /// - Parameter isEmpty: a pipe with bytes in it would give them to its next user: it is closed.
    public mutating func give<R: Ring & ~Copyable>(_ pipe: Pipe, isEmpty: Bool, ring: inout R) {
        precondition(inUseCount > 0, "a pipe is given back once")
        inUseCount -= 1
        if isEmpty {
            idle.append(pipe)
        } else {
            Self.close(pipe, ring: &ring)
        }
    }

    /// Closes the pipes that wait, at most `countKept` stay.
    public mutating func trim<R: Ring & ~Copyable>(countKept: Int, ring: inout R) {
        while idle.count > countKept, let pipe = idle.popLast() {
            Self.close(pipe, ring: &ring)
        }
    }

    private static func close<R: Ring & ~Copyable>(_ pipe: Pipe, ring: inout R) {
        _ = ring.close(pipe.readEnd)
        _ = ring.close(pipe.writeEnd)
    }
}
