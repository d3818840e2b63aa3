import CLinux
import Primitives
import Synchronization

/// A TCP or Unix backend: runs `serve` on a thread of its own for each connection. `stop` ends it
/// and throws what a connection threw.
public final class StreamServer: Sendable {
    public let address: SocketAddress
    private let listener: Socket
    private let state = Mutex(State())

    private struct State {
        var isStopping = false
        var acceptor: Job<Void>?
        var jobs: [Job<Void>] = []
        var accepted = 0
    }

    public init(
        on address: SocketAddress, backlog: Int32 = 1024,
        serve: @escaping @Sendable (Socket) throws -> Void
    ) throws {
        listener = try Socket.listening(on: address, backlog: backlog)
        if case .ip = address {
            self.address = try listener.localAddress
        } else {
            self.address = address
        }
        let acceptor = Job { [self] in
            while true {
                let socket: Socket
                do {
                    socket = try listener.accept()
                } catch let failure as SocketFailure where failure.isSilence {
                    continue
                } catch {
                    if state.withLock({ $0.isStopping }) { return }
                    throw error
                }
                let job = Job { try serve(socket) }
                state.withLock {
                    $0.jobs.append(job)
                    $0.accepted += 1
                }
            }
        }
        state.withLock { $0.acceptor = acceptor }
    }

    /// Connections so far.
    public var accepted: Int { state.withLock { $0.accepted } }

    /// Closes the listener and waits for the connections to be served.
    public func stop() throws {
        try halt().get()
    }

    /// As `stop`, when it does not matter how the connections ended.
    @discardableResult
    public func halt() -> Result<Void, any Error> {
        let acceptor = state.withLock {
            $0.isStopping = true
            return $0.acceptor.take()
        }
        listener.shutdownBoth()
        var result = acceptor.map { acceptor in Result { try acceptor.join() } } ?? .success(())
        listener.close()
        for job in state.withLock({ $0.jobs.take() }) {
            let ended = Result { try job.join() }
            if case .success = result { result = ended }
        }
        return result
    }
}

extension StreamServer {
    /// Sends everything back, and the end of the stream when it comes.
    public static func echo(_ socket: Socket) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 131_072, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try socket.read(into: buffer)
            if count == 0 { break }
            try socket.write(.init(rebasing: buffer[..<count]))
        }
        try socket.shutdownWrite()
    }

    /// Sends `greeting` and closes.
    public static func greet(_ greeting: String) -> @Sendable (Socket) throws -> Void {
        { try $0.write(greeting) }
    }
}

extension Array {
    fileprivate mutating func take() -> Self {
        defer { self = [] }
        return self
    }
}
