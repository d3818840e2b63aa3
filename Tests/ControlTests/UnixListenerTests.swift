import CLinux
import Engine
import Kernel
import Primitives
import Routing
import Testing

@testable import Control

@Suite("Unix listeners")
struct UnixListenerTests {
    private func sockets(
        _ path: String, workers: Int = 1
    ) throws(ListenerFailure) -> ListenerSockets {
        let listener = ListenerPlan(
            name: "default/edge/unix", addresses: [.unix(path: path)],
            transport: .tcp(TCPListenerPlan()))
        return try ListenerSockets(
            plan: Plan(listeners: [listener]), workers: workers, features: .all,
            directory: .unattended(workers: workers))
    }

    private func close(_ sockets: borrowing ListenerSockets) {
        for worker in sockets.workers {
            for descriptor in Self.descriptors(worker) { _ = apus_close(descriptor) }
        }
    }

    private static func descriptors(_ worker: WorkerPlan) -> [Descriptor] {
        worker.listeners.flatMap(\.sockets).compactMap { socket in
            guard case .opened(let descriptor, _, _) = socket else { return nil }
            return descriptor
        }
    }

    private func failure(_ path: String) -> ListenerFailure.Cause? {
        do throws(ListenerFailure) {
            let made = try sockets(path)
            close(made)
            return nil
        } catch {
            return error.cause
        }
    }

    private func connects(_ path: String) -> Bool {
        let client = apus_socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { _ = apus_close(client) }
        var raw = SocketAddress.unix(path: path).raw
        return apus_connect(client, &raw.storage, raw.length) == 0
    }

    @Test("the file goes with its listener, and not before")
    func fileOfListener() throws {
        let directory = try TemporaryDirectory()
        func listener(_ name: String) -> ListenerPlan {
            ListenerPlan(
                name: "default/edge/\(name)", addresses: [.unix(path: "\(directory.path)/\(name)")],
                transport: .tcp(TCPListenerPlan()))
        }
        var made = try sockets("\(directory.path)/a")
        for (listeners, files) in [(["a", "b"], [true, true]), (["b"], [false, true])] {
            let first = made.workers
            let failures = made.replace(
                with: Plan(listeners: listeners.map(listener)), drainDeadline: 0, settled: 0)
            #expect(failures.isEmpty)
            #expect([directory.has("a"), directory.has("b")] == files)
            for descriptor in first.flatMap(Self.descriptors) { _ = apus_close(descriptor) }
        }
        close(made)
    }

    @Test("workers share one socket, and its file goes with the process")
    func file() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/in.sock"
        var made = try sockets(path, workers: 2)
        #expect(Set(made.workers.map { Self.descriptors($0)[0] }).count == 2)
        #expect(connects(path))
        // Either worker can take it: the queue is one.
        let accepted = apus_accept(Self.descriptors(made.workers[1])[0], 0)
        #expect(accepted >= 0)
        _ = apus_close(accepted)
        close(made)
        #expect(directory.has("in.sock"))
        made.removeFiles()
        #expect(!directory.has("in.sock"))
    }

    @Test("the file of a dead process is replaced")
    func stale() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/in.sock"
        let dead = apus_socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var raw = SocketAddress.unix(path: path).raw
        #expect(apus_bind(dead, &raw.storage, raw.length) == 0)
        _ = apus_close(dead)
        #expect(directory.has("in.sock"))
        let made = try sockets(path)
        #expect(connects(path))
        close(made)
    }

    @Test("a path where a live process listens is in use")
    func live() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/in.sock"
        let first = try sockets(path)
        #expect(failure(path) == .system(Errno(rawValue: EADDRINUSE)))
        #expect(connects(path))
        close(first)
    }

    @Test("a file that is no socket is neither removed nor replaced")
    func foreignFile() throws {
        let directory = try TemporaryDirectory()
        try directory.write("in.sock", "precious")
        #expect(failure(directory.path + "/in.sock") == .noSocket)
        let files = try ConfigurationFiles.read([directory.path + "/in.sock"])
        #expect(files.map(\.text) == ["precious"])
    }

    @Test("a socket that another process put there meanwhile is left alone")
    func replaced() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/in.sock"
        var first = try sockets(path)
        close(first)
        unlink(path)
        try directory.write("in.sock", "another's")
        first.removeFiles()
        #expect(directory.has("in.sock"))
    }

    @Test("an abstract name needs no file, and is in use while its socket lives")
    func abstract() throws {
        let name = "@apus-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let first = try sockets(name)
        #expect(connects(name))
        #expect(failure(name) == .system(Errno(rawValue: EADDRINUSE)))
        close(first)
        #expect(failure(name) == nil)
    }

    @Test("a directory that does not exist is told")
    func missingDirectory() {
        #expect(failure("/nonexistent/in.sock") == .system(Errno(rawValue: ENOENT)))
    }
}
