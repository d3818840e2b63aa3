import CLinux
import Kernel
import Primitives

/// The loop of the health thread: waits for commands, sockets and time, and does what the directory
/// says. Lives on that thread only.
final class HealthLoop {
    private let inbox: HealthInbox
    private let publish: @Sendable ([HealthCheck: HealthVerdict]) -> Void
    private let directory: CheckDirectory
    private let epoll: Int32
    /// By the directory's numbers.
    private var attempts: [Attempt?] = []
    private var events = [epoll_event](repeating: epoll_event(), count: 256)
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    private let desk = SecureDesk()
    private var isStopping = false

    /// The inbox's number among the events; no check has it.
    private static let inboxNumber = UInt64.max

    /// - Throws: EMFILE or ENFILE.
    init(
        _ settings: HealthThread.Settings, _ inbox: HealthInbox,
        _ publish: @escaping @Sendable ([HealthCheck: HealthVerdict]) -> Void
    ) throws(Errno) {
        self.inbox = inbox
        self.publish = publish
        directory = CheckDirectory(
            limits: .init(checksMax: settings.checksMax, flyingMax: settings.flyingMax),
            seed: settings.seed ?? .random(in: 0...UInt64.max), now: Self.now)
        epoll = apus_epoll()
        if let errno = Errno(result: Int(epoll)) { throw errno }
        let result = apus_epoll_add(
            epoll, inbox.wakeup.descriptor, EPOLLIN.rawValue, Self.inboxNumber)
        precondition(result == 0, "an eventfd can be waited for")
    }

    deinit {
        if epoll >= 0 { _ = apus_close(epoll) }
        buffer.deallocate()
    }

    private static var now: UInt64 { apus_monotonic() / 1_000_000 }

    func run() {
        while true {
            inbox.takeAll().forEach(perform)
            if isStopping { return }
            for number in directory.takeAbandoned() { attempts[number] = nil }
            directory.tick(now: Self.now)
            endExpired()
            startSome()
            let changes = directory.takeChanges()
            if !changes.isEmpty { publish(changes) }
            wait()
        }
    }

    private func perform(_ command: HealthInbox.Command) {
        switch command {
        case .want(let checks):
            directory.want(checks, now: Self.now)
            desk.keep(Set(checks.compactMap(\.tls)))
        case .report(let receive): receive(directory.report(now: Self.now))
        case .stop: isStopping = true
        }
    }

    // MARK: - Attempts

    private func endExpired() {
        for number in directory.takeExpired() {
            guard let attempt = attempts[number] else {
                preconditionFailure("who is under way has an attempt")
            }
            finish(number, attempt.expire())
        }
    }

    /// As many as may be under way, and no more a turn: those that end at once make room at once.
    private func startSome() {
        for _ in 0..<directory.limits.flyingMax {
            guard let start = directory.nextStart(now: Self.now) else { return }
            begin(start)
        }
    }

    private func begin(_ start: CheckDirectory.Start) {
        let attempt: Attempt
        do throws(Errno) {
            attempt = try Attempt(start.check, desk)
        } catch {
            return finish(start.number, CheckOutcome(error, isConnected: false))
        }
        if let outcome = attempt.start(buffer) { return finish(start.number, outcome) }
        // Whatever came since is told at once: adding looks for it (`epoll_ctl(2)`).
        let interest =
            EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        let result = apus_epoll_add(epoll, attempt.descriptor, interest, UInt64(start.number))
        if let errno = Errno(result: Int(result)) {
            return finish(start.number, CheckOutcome(errno, isConnected: false))
        }
        while attempts.count <= start.number { attempts.append(nil) }
        precondition(attempts[start.number] == nil, "one attempt a check")
        attempts[start.number] = attempt
    }

    private func finish(_ number: Int, _ outcome: CheckOutcome) {
        if number < attempts.count { attempts[number] = nil }
        directory.finish(number, outcome, now: Self.now)
    }

    // MARK: - Waiting

    private func wait() {
        let now = Self.now
        let deadline = directory.hasStart ? now : directory.deadline ?? .max
        // Below zero would mean for ever; a look once a day does no harm.
        let pause = Int32(min(deadline > now ? deadline - now : 0, 86_400_000))
        let count = apus_epoll_wait(epoll, &events, Int32(events.count), pause)
        precondition(count >= 0 || count == -EINTR, "epoll_wait(2) waits")
        for place in 0..<Int(max(count, 0)) {
            let event = events[place]
            if event.data.u64 == Self.inboxNumber {
                inbox.wakeup.wait()
                continue
            }
            let number = Int(event.data.u64)
            // Closed descriptors tell nothing more, and none was opened in between.
            guard let attempt = attempts[number] else {
                preconditionFailure("an event has its attempt")
            }
            if let outcome = attempt.process(event.events, buffer) { finish(number, outcome) }
        }
    }
}
