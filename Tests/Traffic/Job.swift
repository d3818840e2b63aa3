import CLinux
import Synchronization

/// Work on a thread of its own: peers block, and the threads of Swift's concurrency must not.
public final class Job<Value: Sendable>: Sendable {
    private struct State {
        var thread: pthread_t?
        var result: Result<Value, any Error>?
    }

    private let state = Mutex(State())

    public init(_ body: @escaping @Sendable () throws -> Value) {
        let start = Unmanaged.passRetained(
            ThreadStart { [self] in
                let result = Result { try body() }
                state.withLock { $0.result = result }
            })
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<ThreadStart>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, start.toOpaque())
        precondition(failure == 0, "no thread: \(failure)")
        let made = thread
        state.withLock { $0.thread = made }
    }

    /// A thread that nobody joins would keep its stack.
    deinit {
        if let thread = state.withLock({ $0.thread }) { pthread_detach(thread) }
    }

    /// Waits for the end. Once only.
    public func join() throws -> Value {
        let thread = state.withLock { $0.thread.take() }
        guard let thread else { preconditionFailure("joined twice") }
        pthread_join(thread, nil)
        let result = state.withLock { $0.result }
        guard let result else { preconditionFailure("a job ended without a result") }
        return try result.get()
    }
}

/// What a thread starts with, whatever its job's type.
private final class ThreadStart {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}
