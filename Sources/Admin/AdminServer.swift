import CLinux
import Control
import Kernel
import Primitives

/// Answers who looks inside, on a thread of its own: HTTP/1.1, GET and HEAD, one request a
/// connection, a few visitors at a time. It changes nothing, and what it reads are words that the
/// workers write anyway. Lives as long as the process.
public struct AdminServer: ~Copyable {
    private let socket: AdminSocket
    private let pages: Pages
    private var visitors: [Visitor] = []
    /// Out of descriptors: accepting waits for the next second.
    private var isPaused = false

    private static let pauseMilliseconds: Int32 = 1_000
    /// Added to the thread's own (`nice(2)`): who moves bytes goes first.
    private static let niceness: Int32 = 10

    /// - Throws: EAGAIN when there may be no more threads.
    public static func start(_ socket: AdminSocket, _ insight: Insight) throws(Errno) {
        try PosixThread.start(name: "apus-admin") {
            // On Linux this is the calling thread's alone (`setpriority(2)`, "Notes").
            _ = apus_set_niceness(niceness)
            var server = AdminServer(socket, Pages(insight, at: socket.address))
            server.run()
        }
    }

    init(_ socket: AdminSocket, _ pages: Pages) {
        self.socket = socket
        self.pages = pages
    }

    private mutating func run() {
        while true { turn() }
    }

    private mutating func turn() {
        let isOpen = !isPaused && visitors.count < AdminSocket.visitorsMax
        // poll(2) passes over a negative descriptor.
        var watched = [
            pollfd(
                fd: isOpen ? socket.descriptor : -1, events: Int16(POLLIN), revents: 0)
        ]
        watched += visitors.map { pollfd(fd: $0.descriptor, events: $0.events, revents: 0) }
        // An error can only be EINTR; then there is nothing to see.
        let count = poll(&watched, nfds_t(watched.count), timeout)
        isPaused = false
        let (now, pages) = (apus_monotonic(), pages)
        for place in visitors.indices {
            if count > 0, watched[place + 1].revents != 0 {
                let local = visitors[place].localAddress
                visitors[place].advance(now: now) { pages.answer($0, local: local) }
            }
            if now >= visitors[place].deadline { visitors[place].close() }
        }
        visitors.removeAll { $0.isGone }
        if count > 0, watched[0].revents != 0 { accept(now: now) }
    }

    /// Milliseconds until somebody's patience is over; -1 = nobody is there.
    private var timeout: Int32 {
        let now = apus_monotonic()
        let next = visitors.map(\.deadline).min()
        let left = next.map { $0 > now ? Int32(clamping: ($0 - now) / 1_000_000 + 1) : 0 }
        return isPaused ? min(left ?? .max, Self.pauseMilliseconds) : left ?? -1
    }

    private mutating func accept(now: UInt64) {
        while visitors.count < AdminSocket.visitorsMax {
            let flags = SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
            let result = apus_accept(socket.descriptor, Int32(flags))
            switch -result {
            case EAGAIN: return
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                isPaused = true
                return
            default:
                // Below 0 the client went away while it waited (`accept(2)`, error handling).
                if result >= 0 { visitors.append(Visitor(result, now: now)) }
            }
        }
    }
}
