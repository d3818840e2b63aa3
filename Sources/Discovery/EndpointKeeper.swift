import CLinux
import Primitives

/// The thread that looks after endpoints: sleeps until a worker calls or somebody's time is over.
/// It ends with the process.
public enum EndpointKeeper {
    private static let nanosecondsPerMillisecond: UInt64 = 1_000_000

    /// - Throws: EAGAIN when there may be no more threads.
    public static func start(_ directory: EndpointDirectory) throws(Errno) {
        try PosixThread.start(name: "apus-endpoints") {
            while true { turn(directory) }
        }
    }

    private static func turn(_ directory: EndpointDirectory) {
        let now = apus_monotonic()
        let next = directory.review(now: now)
        var timeout: Int32 = -1
        if let next {
            let left = next > now ? (next - now) / nanosecondsPerMillisecond + 1 : 0
            timeout = Int32(clamping: left)
        }
        var watched = pollfd(
            fd: directory.attention.descriptor, events: Int16(POLLIN), revents: 0)
        // An error can only be EINTR; the next turn looks at everything anyway.
        _ = poll(&watched, 1, timeout)
        if watched.revents != 0 { directory.attention.clear() }
    }
}
