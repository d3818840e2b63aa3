import Routing
import Testing

@testable import HTTP2

/// Two sessions in memory, and what each was told.
final class SessionPair {
    enum Told: Equatable {
        case head(UInt32, String, isLast: Bool)
        case headTooLong(UInt32)
        case data(UInt32, Int)
        case ended(UInt32, trailers: String)
        case closed(UInt32, UInt32)
        case drained(UInt32)
        case settled, goingAway
        case failed
    }

    let client: HTTP2Session
    let server: HTTP2Session
    /// What is not consumed at once keeps its window closed.
    var consumes = true
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8_192, alignment: 16)

    init(
        client: HTTP2Plan = HTTP2Plan(), server: HTTP2Plan = HTTP2Plan(), headBytesMax: Int = 8_192
    ) {
        self.client = HTTP2Session(.client, client, headBytesMax: headBytesMax)
        self.server = HTTP2Session(.server, server, headBytesMax: headBytesMax)
    }

    deinit { memory.deallocate() }

    /// Carries everything both ways until nobody has anything to say.
    /// - Returns: what the client and the server were told.
    @discardableResult
    func run() -> (client: [Told], server: [Told]) {
        var told: (client: [Told], server: [Told]) = ([], [])
        var isBusy = true
        while isBusy {
            let toServer = carry(from: client, to: server, &told.client, &told.server)
            let toClient = carry(from: server, to: client, &told.server, &told.client)
            isBusy = toServer || toClient
        }
        return told
    }

    private func carry(
        from sender: HTTP2Session, to receiver: HTTP2Session, _ own: inout [Told],
        _ told: inout [Told]
    ) -> Bool {
        let count = sender.output(into: memory)
        note(sender, &own)
        receive(Array(memory[..<count]), receiver, &told)
        return count > 0
    }

    func receive(_ bytes: [UInt8], _ receiver: HTTP2Session, _ told: inout [Told]) {
        bytes.withUnsafeBytes { bytes in
            var place = 0
            while place < bytes.count {
                switch receiver.receive(
                    UnsafeRawBufferPointer(rebasing: bytes[place...]), second: 0)
                {
                case .taken(let count): place += count
                case .failed:
                    told.append(.failed)
                    place = bytes.count
                }
                note(receiver, &told)
            }
        }
    }

    private func note(_ session: HTTP2Session, _ told: inout [Told]) {
        while let event = session.nextEvent() {
            switch event {
            case .head(let stream, let isLast):
                if session.role == .server { session.setUser(stream, of: stream) }
                told.append(
                    .head(stream, String(decoding: session.head, as: UTF8.self), isLast: isLast))
            case .headTooLong(let stream): told.append(.headTooLong(stream))
            case .data(let stream, let bytes):
                told.append(.data(stream, bytes.count))
                if consumes { session.consume(stream, bytes.count) }
            case .ended(let stream):
                told.append(
                    .ended(stream, trailers: String(decoding: session.trailers, as: UTF8.self)))
            case .closed(let stream, let error): told.append(.closed(stream, error))
            case .drained(let stream): told.append(.drained(stream))
            case .settled: told.append(.settled)
            case .goingAway: told.append(.goingAway)
            }
        }
    }

    func ask(
        _ head: String = "GET / HTTP/1.1\r\nhost: a\r\n\r\n", isLast: Bool = true
    ) throws
        -> UInt32
    {
        var bytes = Array(head.utf8)
        return try #require(
            bytes.withUnsafeMutableBytes {
                client.submitRequest($0, isSecure: false, isLast: isLast, user: 1)
            })
    }

    func answer(_ stream: UInt32, _ head: String = "HTTP/1.1 200 OK\r\n\r\n", isLast: Bool) {
        var bytes = Array(head.utf8)
        bytes.withUnsafeMutableBytes { server.submitAnswer($0, by: stream, isLast: isLast) }
    }

    static func write(_ count: Int, to stream: UInt32, of session: HTTP2Session) {
        [UInt8](repeating: 0x61, count: count).withUnsafeBytes { session.write($0, to: stream) }
    }
}
