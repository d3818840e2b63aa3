import Primitives

/// Which faults a simulated kernel injects and how often, each in parts of `whole`. Chosen from the
/// seed as a swarm (Groce et al. 2012): in one run most faults are off and a few are frequent,
/// because faults that are all on hide each other. A value of the kernel.
public struct FaultProfile: Hashable, Sendable {
    public typealias Rate = Int
    public static let whole: Rate = 1024

    // MARK: What a correct worker recovers from without a connection noticing

    /// A read gives less than there is.
    public var shortRead: Rate = 0
    /// A write takes less than there is room for.
    public var shortWrite: Rate = 0
    /// A write says EAGAIN although there was room; the room is announced a little later.
    public var sendWouldBlock: Rate = 0
    /// `splice(2)` says EAGAIN: a pipe's slots are used up by small fragments, or a lock is held.
    public var spliceWouldBlock: Rate = 0
    public var spliceShort: Rate = 0
    /// A poll reports an event that is gone when the worker looks.
    public var spuriousPoll: Rate = 0
    /// A woken operation runs a while later, so that others overtake it.
    public var lateCompletion: Rate = 0
    /// A cancel comes too late: its target goes on to its natural end first.
    public var cancelTooLate: Rate = 0
    /// A multishot operation ends with an ordinary result, as it does when the completion queue
    /// overflows.
    public var multishotEnds: Rate = 0
    /// An end of stream takes a provided buffer with it.
    public var endOfStreamTakesBuffer: Rate = 0
    /// `io_uring_enter(2)` returns early, as after a signal.
    public var waitInterrupted: Rate = 0
    /// `F_SETPIPE_SZ` is refused and the pipe is small (`pipe(7)`, pipe-user-pages-soft).
    public var pipeShrunk: Rate = 0
    /// `pipe2(2)` says EMFILE or ENFILE.
    public var pipeRefused: Rate = 0
    /// A `setsockopt(2)` fails.
    public var optionRefused: Rate = 0
    /// An accept says EMFILE, ENFILE, ENOMEM or ECONNABORTED; the connection waits in the queue.
    public var acceptRefused: Rate = 0
    /// Sending several datagrams at once (`UDP_SEGMENT`) is refused with EIO or EINVAL.
    public var segmentationRefused: Rate = 0

    // MARK: What costs a connection or a datagram

    /// `socket(2)` says EMFILE, ENFILE or ENOMEM.
    public var socketRefused: Rate = 0
    public var connectRefused: Rate = 0
    public var connectUnreachable: Rate = 0
    /// Nobody answers a connect; it fails with ETIMEDOUT after two minutes.
    public var connectUnanswered: Rate = 0
    /// A connection is reset from both sides, as by a firewall that forgot it, at some point.
    public var resetUnderway: Rate = 0
    public var datagramLost: Rate = 0

    // MARK: How the kernel is, rather than what fails

    /// A multishot receive tries again after each result (Linux 6.1), instead of only when the
    /// socket is known to hold more; it then sees the end of the buffers earlier.
    public var receivesUntilEmpty = false
    /// The longest time that a segment is under way.
    public var latencyNanosecondsMax: UInt64 = 50_000

    public init() {}

    public static let none = FaultProfile()

    private static var recoverable: [WritableKeyPath<FaultProfile, Rate>] {
        [
            \.shortRead, \.shortWrite, \.sendWouldBlock, \.spliceWouldBlock, \.spliceShort,
            \.spuriousPoll, \.lateCompletion, \.cancelTooLate, \.multishotEnds,
            \.endOfStreamTakesBuffer, \.waitInterrupted, \.pipeShrunk, \.pipeRefused,
            \.optionRefused, \.acceptRefused, \.segmentationRefused,
        ]
    }

    private static var destructive: [WritableKeyPath<FaultProfile, Rate>] {
        [
            \.socketRefused, \.connectRefused, \.connectUnreachable, \.connectUnanswered,
            \.resetUnderway, \.datagramLost,
        ]
    }

    /// True while nothing is injected that can end a connection or lose a datagram.
    public var isRecoverable: Bool {
        Self.destructive.allSatisfy { self[keyPath: $0] == 0 }
    }

    /// A random choice of faults: about a third of them are on.
    public static func swarm(from random: inout SeededRandom, destructive: Bool) -> FaultProfile {
        var profile = FaultProfile()
        profile.receivesUntilEmpty = Bool.random(using: &random)
        profile.latencyNanosecondsMax = [0, 5_000, 50_000, 2_000_000].randomElement(using: &random)!
        for path in recoverable where Int.random(in: 0..<3, using: &random) == 0 {
            profile[keyPath: path] = [10, 50, 200, 500].randomElement(using: &random)!
        }
        guard destructive else { return profile }
        for path in Self.destructive where Int.random(in: 0..<3, using: &random) == 0 {
            profile[keyPath: path] = [10, 50, 200].randomElement(using: &random)!
        }
        return profile
    }
}
