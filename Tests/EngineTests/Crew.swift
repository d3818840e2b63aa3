import Kernel
import Primitives

/// Threads that do the same together, for tests of what several threads share.
enum Crew {
    /// Runs `body` on so many threads, each with its number, and waits for all of them.
    static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
        let ends = try (0..<count).map { _ in try Wakeup() }
        for (number, end) in ends.enumerated() {
            try PosixThread.start(name: "crew") {
                body(number)
                end.signal()
            }
        }
        for end in ends { end.wait() }
    }
}
