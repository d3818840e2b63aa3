import CLinux
import Glibc
import Kernel
import Primitives

/// The loop of the resolver's thread: waits for commands, sockets and time, and does what the
/// directory says. Lives on that thread only.
final class ResolverLoop {
    private let inbox: ResolverInbox
    private let publish: @Sendable ([Lookup: Resolution]) -> Void
    private let checkMilliseconds: UInt64
    private let directory: Directory
    private var files: SystemFiles
    private var nextCheck: UInt64
    private var isStopping = false
    /// With a query each.
    private var busy: [QueryChannel] = []
    private var idle: [QueryChannel] = []
    /// What poll(2) is given, and whose descriptors these are after the first. Kept for their
    /// memory.
    private var events: [pollfd] = []
    private var owners: [QueryChannel] = []

    /// After the burst at start a few channels do; each is some 80 KB of c-ares' tables, and making
    /// one costs more than a query.
    private static let idleMax = 8

    init(
        _ settings: ResolverThread.Settings, _ inbox: ResolverInbox,
        _ publish: @escaping @Sendable ([Lookup: Resolution]) -> Void
    ) {
        self.inbox = inbox
        self.publish = publish
        checkMilliseconds = max(settings.checkMilliseconds, 1)
        files = SystemFiles(
            configurationPath: settings.configurationPath, hostsPath: settings.hostsPath)
        let (system, hosts) = files.load()
        var limits = Directory.Limits()
        limits.namesMax = settings.namesMax
        limits.flyingMax = settings.flyingMax
        limits.flyingPerGroupMax = max(settings.flyingMax * 3 / 4, 1)
        limits.timeoutMilliseconds = settings.timeoutMilliseconds
        let now = Self.now
        nextCheck = now + checkMilliseconds
        directory = Directory(
            system: system, hosts: hosts, limits: limits, seed: .random(in: 0...UInt64.max),
            now: now)
    }

    private static var now: UInt64 { apus_monotonic() / 1_000_000 }

    func run() {
        while true {
            inbox.takeAll().forEach(perform)
            if isStopping { return }
            checkFiles()
            directory.tick(now: Self.now)
            sendAll()
            let changes = directory.takeChanges()
            if !changes.isEmpty { publish(changes) }
            wait()
            takeReplies()
        }
    }

    private func perform(_ command: ResolverInbox.Command) {
        switch command {
        case .want(let lookups): directory.want(lookups, now: Self.now)
        case .report(let receive): receive(directory.report(now: Self.now))
        case .stop: isStopping = true
        }
    }

    private func checkFiles() {
        guard Self.now >= nextCheck else { return }
        nextCheck = Self.now + checkMilliseconds
        guard files.hasChanged() else { return }
        let (system, hosts) = files.load()
        directory.change(system: system, hosts: hosts, now: Self.now)
    }

    // MARK: - Queries

    /// Sends what the directory wants sent; what fails at once makes it want more.
    private func sendAll() {
        while true {
            let sends = directory.takeSends()
            guard !sends.isEmpty else { return }
            sends.forEach(start)
            takeReplies()
        }
    }

    private func start(_ send: Directory.Send) {
        do throws(ChannelFailure) {
            let channel = try channel(for: send)
            channel.start(send, now: Self.now)
            busy.append(channel)
        } catch {
            directory.receive(.failed(.local(error.number)), query: send.query, now: Self.now)
        }
    }

    private func channel(for send: Directory.Send) throws(ChannelFailure) -> QueryChannel {
        while let channel = idle.popLast() {
            if channel.suits(send) { return channel }
        }
        return try QueryChannel(
            usesTCP: send.usesTCP, timeoutMilliseconds: send.timeoutMilliseconds)
    }

    private func takeReplies() {
        var replies: [(query: Int, reply: Directory.Reply)] = []
        busy.removeAll { channel in
            guard let reply = channel.takeReply() else { return false }
            replies.append(reply)
            idle.append(channel)
            return true
        }
        for (query, reply) in replies { directory.receive(reply, query: query, now: Self.now) }
    }

    // MARK: - Waiting

    private func wait() {
        if busy.isEmpty, idle.count > Self.idleMax { idle.removeLast(idle.count - Self.idleMax) }
        var deadline = min(nextCheck, directory.deadline ?? .max)
        events.removeAll(keepingCapacity: true)
        owners.removeAll(keepingCapacity: true)
        events.append(pollfd(fd: inbox.wakeup.descriptor, events: Int16(POLLIN), revents: 0))
        for channel in busy {
            deadline = min(deadline, channel.deadline ?? .max)
            for interest in channel.interests {
                events.append(pollfd(fd: interest.descriptor, events: interest.events, revents: 0))
                owners.append(channel)
            }
        }
        let start = Self.now
        let timeout = Int32(clamping: deadline > start ? deadline - start : 0)
        let count = poll(&events, nfds_t(events.count), timeout)
        let now = Self.now
        if count > 0 {
            if events[0].revents != 0 { inbox.wakeup.wait() }
            for (event, owner) in zip(events.dropFirst(), owners) where event.revents != 0 {
                owner.process(event.fd, event.revents, now: now)
            }
        } else {
            precondition(count == 0 || errno == EINTR, "poll(2) waits")
        }
        for channel in busy {
            if let deadline = channel.deadline, deadline <= now { channel.expire(now: now) }
        }
    }
}
