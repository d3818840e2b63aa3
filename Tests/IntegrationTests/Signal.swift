import Glibc

/// Something that happens once, on another thread.
final class Signal: Sendable {
    private let ends: (reader: Int32, writer: Int32)

    init() {
        var pair: [Int32] = [0, 0]
        precondition(pipe2(&pair, O_CLOEXEC) == 0)
        ends = (pair[0], pair[1])
    }

    deinit {
        close(ends.reader)
        close(ends.writer)
    }

    @Sendable func set() {
        var byte: UInt8 = 1
        precondition(write(ends.writer, &byte, 1) == 1)
    }

    /// Waits for it, a minute at most.
    func wait() throws {
        var event = pollfd(fd: ends.reader, events: Int16(POLLIN), revents: 0)
        guard poll(&event, 1, 60_000) == 1 else {
            throw ChildProcess.Failure(description: "waited a minute for what never happened")
        }
    }
}
