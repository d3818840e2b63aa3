import CLinux
import Kernel
import Primitives
import Synchronization

/// Keeps names resolved, on a thread of its own. Made by the control side, which says what is
/// wanted; changes are told to `publish` on the resolver's thread. Ends with its last reference.
public final class ResolverThread: Sendable {
    /// Where the system's files are, and what the resolver may use.
    public struct Settings: Sendable {
        public var configurationPath = "/etc/resolv.conf"
        public var hostsPath = "/etc/hosts"
        /// How often the two files are looked at.
        public var checkMilliseconds: UInt64 = 1_000
        /// Names, targets of services included.
        public var namesMax = 65_536
        /// Queries under way.
        public var flyingMax = 64
        /// For each message to servers that a lookup names itself.
        public var timeoutMilliseconds = SystemConfiguration.timeoutDefault

        public init() {}
    }

    // MARK: Immutable after start
    private let inbox: ResolverInbox

    /// - Parameter publish: what changed, on the resolver's thread; it must not wait.
    /// - Throws: EMFILE, ENFILE, or EAGAIN when there may be no more threads.
    public init(
        _ settings: Settings = Settings(),
        publish: @escaping @Sendable ([Lookup: Resolution]) -> Void
    ) throws(Errno) {
        let inbox = try ResolverInbox()
        self.inbox = inbox
        try PosixThread.start(name: "apus-resolver") {
            ResolverLoop(settings, inbox, publish).run()
        }
    }

    deinit { stop() }

    // MARK: Any thread

    /// Replaces the set of what is wanted. What stays wanted keeps its answers, and nothing is told
    /// of it.
    public func want(_ lookups: Set<Lookup>) { inbox.put(.want(lookups)) }

    /// Asks for a report, which is made and received on the resolver's thread.
    public func report(_ receive: @escaping @Sendable (ResolverReport) -> Void) {
        inbox.put(.report(receive))
    }

    /// Ends the thread; nothing is published after what it is doing now.
    public func stop() { inbox.put(.stop) }
}

/// What the resolver's thread is asked to do. Shared by the thread and its owner, so that the
/// thread does not keep the owner alive.
final class ResolverInbox: Sendable {
    enum Command: Sendable {
        case want(Set<Lookup>)
        case report(@Sendable (ResolverReport) -> Void)
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
