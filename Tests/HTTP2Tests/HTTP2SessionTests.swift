import Primitives
import Routing
import Testing

@testable import HTTP2

@Suite("Sessions of HTTP/2")
struct HTTP2SessionTests {
    /// All that one session has to send goes to the other; what that tells is given to `body`.
    private func carry(
        from sender: HTTP2Session, to receiver: HTTP2Session, _ body: (HTTP2Event) -> Void
    ) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { memory.deallocate() }
        while true {
            let count = sender.output(into: memory)
            guard count > 0 else { return }
            var rest = UnsafeRawBufferPointer(rebasing: memory[..<count])
            while rest.count > 0 {
                guard case .taken(let taken) = receiver.receive(rest, second: 0) else {
                    Issue.record("what a session sends is read")
                    return
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
                while let event = receiver.nextEvent() { body(event) }
            }
        }
    }

    private func withText<T>(_ text: String, _ body: (UnsafeMutableRawBufferPointer) -> T) -> T {
        var bytes = Array(text.utf8)
        return bytes.withUnsafeMutableBytes { body($0) }
    }

    @Test("a request with content and an answer with trailers")
    func exchange() throws {
        let client = HTTP2Session(.client, HTTP2Plan(), headBytesMax: 8192)
        let server = HTTP2Session(.server, HTTP2Plan(), headBytesMax: 8192)
        let text = "POST /a?b HTTP/1.1\r\nHost: example.com\r\nCookie: a=1\r\nX-Y: z\r\n\r\n"
        let asked = try #require(
            withText(text) { client.submitRequest($0, isSecure: false, isLast: false, user: 7) })
        "hello".utf8.withContiguousStorageIfAvailable {
            client.write(UnsafeRawBufferPointer($0), to: asked)
        }
        client.end(asked)
        var heads: [String] = []
        var body = ""
        var stream: UInt32?
        var isEnded = false
        carry(from: client, to: server) { event in
            switch event {
            case .head(let place, let isLast):
                #expect(!isLast)
                server.setUser(1, of: place)
                stream = place
                heads.append(String(decoding: server.head, as: UTF8.self))
            case .data(let place, let bytes):
                body += String(decoding: bytes, as: UTF8.self)
                server.consume(place, bytes.count)
            case .ended: isEnded = true
            case .settled: break
            default: Issue.record("\(event)")
            }
        }
        #expect(
            heads == [
                "POST /a?b HTTP/1.1\r\nhost: example.com\r\nx-y: z\r\nte: trailers\r\n"
                    + "cookie: a=1\r\n\r\n"
            ])
        #expect(body == "hello")
        #expect(isEnded)

        let answering = try #require(stream)
        withText("HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\n\r\n") {
            server.submitAnswer($0, by: answering, isLast: false)
        }
        let content = [UInt8](repeating: 0x61, count: 50_000)
        content.withUnsafeBytes { server.write($0, to: answering) }
        #expect(server.isFull(answering))
        withText("grpc-status: 0\r\n") {
            server.end(answering, trailers: UnsafeRawBufferPointer($0))
        }
        heads = []
        var count = 0
        var trailers = ""
        var isClosed = false
        carry(from: server, to: client) { event in
            switch event {
            case .head: heads.append(String(decoding: client.head, as: UTF8.self))
            case .data(let place, let bytes):
                count += bytes.count
                client.consume(place, bytes.count)
            case .settled: break
            case .ended: trailers = String(decoding: client.trailers, as: UTF8.self)
            case .closed(_, let error):
                #expect(error == HTTP2Error.none)
                isClosed = true
            default: Issue.record("\(event)")
            }
        }
        #expect(heads == ["HTTP/1.1 200 \r\ncontent-type: application/grpc\r\n\r\n"])
        #expect(count == content.count)
        #expect(trailers == "grpc-status: 0\r\n")
        #expect(isClosed)
    }
}
