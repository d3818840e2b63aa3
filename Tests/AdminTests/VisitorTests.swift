import Glibc
import Primitives
import Testing
import Traffic

@testable import Admin

@Suite("Visitors of the admin server")
struct VisitorTests {
    private static let second: UInt64 = 1_000_000_000

    /// The visitor and the peer's side of its connection.
    private static func visitor() throws -> (Visitor, peer: Socket) {
        let listener = try Socket.listening(on: Looks.address(0))
        let peer = try Socket.connected(to: listener.localAddress)
        let accepted = try listener.accept()
        let own = dup(accepted.descriptor)
        #expect(own >= 0 && fcntl(own, F_SETFL, O_NONBLOCK) == 0)
        return (Visitor(own, now: 0), peer)
    }

    /// Waits for what the visitor waits for.
    private static func await(_ visitor: Visitor) {
        var event = pollfd(fd: visitor.descriptor, events: visitor.events, revents: 0)
        #expect(poll(&event, 1, 60_000) == 1)
    }

    private static func answer(_ bytes: [UInt8]) -> [UInt8]? {
        bytes.last == UInt8(ascii: "\n") ? Array("you said ".utf8) + bytes : nil
    }

    @Test("are answered when they have said all, and are gone when they go")
    func whole() throws {
        var (visitor, peer) = try Self.visitor()
        for piece in ["a", "b", "c\n"] {
            try peer.write(piece)
            Self.await(visitor)
            visitor.advance(now: Self.second, Self.answer)
        }
        // What is said after that does not matter, and does not break the answer.
        try peer.write("more\n")
        #expect(String(decoding: try peer.readToEnd(), as: UTF8.self) == "you said abc\n")
        Self.await(visitor)
        visitor.advance(now: Self.second, Self.answer)
        #expect(!visitor.isGone)
        peer.close()
        Self.await(visitor)
        visitor.advance(now: Self.second, Self.answer)
        #expect(visitor.isGone)
        visitor.advance(now: Self.second, Self.answer)
        visitor.close()
        #expect(visitor.isGone)
    }

    @Test("that go without having asked are gone")
    func silent() throws {
        var (visitor, peer) = try Self.visitor()
        visitor.advance(now: 0, Self.answer)
        #expect(!visitor.isGone)
        peer.close()
        Self.await(visitor)
        visitor.advance(now: 0, Self.answer)
        #expect(visitor.isGone)
    }

    @Test("have a time for the whole request, however often they say a little")
    func slowRequest() throws {
        var (visitor, peer) = try Self.visitor()
        #expect(visitor.deadline == 10 * Self.second)
        try peer.write("a")
        Self.await(visitor)
        visitor.advance(now: 9 * Self.second, Self.answer)
        #expect(visitor.deadline == 10 * Self.second)
        try peer.write("\n")
        Self.await(visitor)
        visitor.advance(now: 9 * Self.second, Self.answer)
        #expect(visitor.deadline == 19 * Self.second, "and then one for the answer")
        visitor.close()
    }

    @Test("that are slow get a long answer in pieces, and time for each")
    func slowAnswer() throws {
        var (visitor, peer) = try Self.visitor()
        // More than any socket's buffers hold.
        let long = [UInt8](repeating: 7, count: 64 << 20)
        try peer.write("a")
        Self.await(visitor)
        visitor.advance(now: Self.second) { _ in long }
        #expect(visitor.events == Int16(POLLOUT))
        #expect(visitor.deadline == 11 * Self.second)
        var (now, received) = (Self.second, 0)
        while received < long.count {
            let count = try peer.read(max: 1 << 20).count
            received += count
            #expect(count > 0)
            guard visitor.events == Int16(POLLOUT) else { continue }
            var event = pollfd(fd: visitor.descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&event, 1, 0) == 1 else { continue }
            now += Self.second
            visitor.advance(now: now) { _ in nil }
        }
        #expect(visitor.deadline > 11 * Self.second)
        #expect(try peer.read().isEmpty)
        visitor.close()
    }
}
