import Kernel
import Primitives
import Synchronization

/// Checks endpoints, on a thread of its own. Made by the control side, which says what is wanted;
/// changes of verdicts are told to `publish` on that thread. Ends with its last reference.
public final class HealthThread: Sendable {
    public struct Settings: Sendable {
        public var checksMax = 65_536
        /// Checks under way, each with a descriptor. Those that find an endpoint dead are so for
        /// their whole time-out: with 256 and a second, 256 dead endpoints are tried a second, and
        /// where there are more, all checks come later.
        public var flyingMax = 256
        /// Of what spreads checks over time; nil = another each time.
        public var seed: UInt64?

        public init() {}
    }

    // MARK: Immutable after start
    private let inbox: HealthInbox

    /// - Parameter publish: verdicts that changed, on the health thread; it must not wait.
    /// - Throws: EMFILE, ENFILE, or EAGAIN when there may be no more threads.
    public init(
        _ settings: Settings = Settings(),
        publish: @escaping @Sendable ([HealthCheck: HealthVerdict]) -> Void
    ) throws(Errno) {
        let inbox = try HealthInbox()
        self.inbox = inbox
        let start = HealthLoopStart(try HealthLoop(settings, inbox, publish))
        try PosixThread.start(name: "apus-health") { start.loop.run() }
    }

    deinit { stop() }

    // MARK: Any thread

    /// Replaces the set of what is wanted. What stays wanted keeps its verdict and its schedule,
    /// and nothing is told of it; what is new is checked at once, or within its initial jitter.
    public func want(_ checks: Set<HealthCheck>) { inbox.put(.want(checks)) }

    /// Asks for a report, which is made and received on the health thread.
    public func report(_ receive: @escaping @Sendable (HealthReport) -> Void) {
        inbox.put(.report(receive))
    }

    /// Ends the thread; nothing is published after what it is doing now.
    public func stop() { inbox.put(.stop) }
}

/// Takes the loop to its thread: it is made where descriptors that are missing can be told, and
/// used there only.
private final class HealthLoopStart: @unchecked Sendable {
    let loop: HealthLoop

    init(_ loop: HealthLoop) { self.loop = loop }
}

/// What the health thread is asked to do. Shared by the thread and its owner, so that the thread
/// does not keep the owner alive.
final class HealthInbox: Sendable {
    enum Command: Sendable {
        case want(Set<HealthCheck>)
        case report(@Sendable (HealthReport) -> Void)
        case stop
    }

    // MARK: Immutable after start
    let wakeup: Wakeup

    // MARK: Any thread
    private let commands = Mutex<[Command]>([])

    init() throws(Errno) {
        wakeup = try Wakeup()
    }

    func put(_ command: Command) {
        commands.withLock { $0.append(command) }
        wakeup.signal()
    }

    func takeAll() -> [Command] {
        commands.withLock { commands in
            defer { commands = [] }
            return commands
        }
    }
}
