import func CLinux.apus_pidfd_open
import Glibc
import Synchronization
import Traffic

/// A program that a test started, with what it printed. Killed with its last reference.
final class ChildProcess: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var lines: [String] = []
        var isSilent = false
        var exitCode: Int32?
    }

    let command: String
    let pid: pid_t
    private let pidfd: Int32
    private let output: Output

    /// What the reading thread shares with the process, so that it does not keep the process.
    private final class Output: Sendable {
        let state = Mutex(State())
        /// One byte is written for each line, so that a waiter waits for an event.
        let bell: (reader: Int32, writer: Int32)

        init() {
            var ends: [Int32] = [0, 0]
            precondition(pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0)
            bell = (ends[0], ends[1])
        }

        deinit {
            close(bell.reader)
            close(bell.writer)
        }

        func note(_ change: (inout State) -> Void) {
            state.withLock { change(&$0) }
            var byte: UInt8 = 1
            // A full pipe wakes the waiter just as well.
            _ = write(bell.writer, &byte, 1)
        }
    }

    /// - Parameter command: a program, found along PATH, and its arguments.
    init(_ command: [String]) throws {
        self.command = command.joined(separator: " ")
        var ends: [Int32] = [0, 0]
        precondition(pipe2(&ends, O_CLOEXEC) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        // Threads of Swift's concurrency block signals, and a child would inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var pid = pid_t()
        let failure = posix_spawnp(&pid, command[0], &actions, &attributes, &arguments, environ)
        close(ends[1])
        guard failure == 0 else {
            close(ends[0])
            throw Failure(description: "\(command[0]) cannot be started: errno \(failure)")
        }
        self.pid = pid
        pidfd = apus_pidfd_open(pid)
        precondition(pidfd >= 0)
        let output = Output()
        self.output = output
        let reader = ends[0]
        _ = Job { Self.read(reader, into: output) }
    }

    deinit {
        defer { close(pidfd) }
        guard exitCode == nil else { return }
        // Some have processes of their own to end.
        kill(pid, SIGTERM)
        if !isOver(within: 1_000) {
            kill(pid, SIGKILL)
            _ = isOver(within: 60_000)
        }
    }

    private static func read(_ descriptor: Int32, into output: Output) {
        defer { close(descriptor) }
        var held: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            guard count > 0 else { break }
            held += piece[..<count]
            while let end = held.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: held[..<end], as: UTF8.self)
                held.removeSubrange(...end)
                output.note { $0.lines.append(line) }
            }
        }
        let rest = String(decoding: held, as: UTF8.self)
        output.note {
            if !rest.isEmpty { $0.lines.append(rest) }
            $0.isSilent = true
        }
    }

    var lines: [String] { output.state.withLock { $0.lines } }
    var log: String { lines.joined(separator: "\n") }

    /// Waits for a line of output that contains `text`.
    @discardableResult
    func awaitLine(containing text: String) throws -> String {
        var seen = 0
        while true {
            let (lines, isSilent) = output.state.withLock { ($0.lines, $0.isSilent) }
            if let line = lines[seen...].first(where: { $0.contains(text) }) { return line }
            seen = lines.count
            if isSilent {
                throw Failure(description: "\(command) ended without '\(text)':\n\(log)")
            }
            try awaitBell("'\(text)'")
        }
    }

    private func awaitBell(_ what: String) throws {
        var event = pollfd(fd: output.bell.reader, events: Int16(POLLIN), revents: 0)
        guard poll(&event, 1, 60_000) == 1 else {
            throw Failure(description: "\(command): no \(what) for a minute:\n\(log)")
        }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        _ = Glibc.read(output.bell.reader, &bytes, bytes.count)
    }

    /// Waits until nothing can print any more.
    func awaitEnd() throws {
        while !output.state.withLock({ $0.isSilent }) { try awaitBell("end") }
    }

    func signal(_ number: Int32) {
        precondition(exitCode == nil)
        kill(pid, number)
    }

    /// What the process ended with; nil before it was waited for.
    var exitCode: Int32? { output.state.withLock { $0.exitCode } }

    /// Waits for the end, for a minute and a half unless told otherwise; a death by signal is 128
    /// and the signal's number, as shells count.
    @discardableResult
    func wait(seconds: Int32 = 90) throws -> Int32 {
        guard isOver(within: seconds * 1_000), let exitCode else {
            throw Failure(description: "\(command) does not end:\n\(log)")
        }
        return exitCode
    }

    /// The end of a process is an event of its pidfd (`pidfd_open(2)`).
    private func isOver(within milliseconds: Int32) -> Bool {
        guard exitCode == nil else { return true }
        var end = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        var status: Int32 = 0
        guard poll(&end, 1, milliseconds) == 1, waitpid(pid, &status, WNOHANG) == pid else {
            return exitCode != nil
        }
        let signal = status & 0x7f
        let code = signal == 0 ? (status >> 8) & 0xff : 128 + signal
        output.state.withLock { $0.exitCode = code }
        return true
    }

    // MARK: proc(5)

    var descriptorCount: Int {
        guard let folder = opendir("/proc/\(pid)/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return count - 2
    }

    var residentBytes: Int {
        let status = TemporaryFolder.text(of: "/proc/\(pid)/status") ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 * 1024 } ?? 0
    }
}
