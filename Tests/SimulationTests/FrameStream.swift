import HTTP2
import Routing

/// One end of a connection that carries HTTP/2: a session over a stream of bytes. Owned by the
/// actor that speaks through it.
final class FrameStream {
    let stream: MessageStream
    let session: HTTP2Session
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var hasFailed = false

    init(_ role: HTTP2Session.Role, _ plan: HTTP2Plan, over stream: MessageStream) {
        self.stream = stream
        session = HTTP2Session(role, plan, headBytesMax: 16 << 10)
        memory = .allocate(byteCount: 32 << 10, alignment: 16)
    }

    deinit { memory.deallocate() }

    /// Understands what has come.
    func understand(_ body: (HTTP2Event) -> Void) {
        while !stream.inbox.isEmpty, !hasFailed {
            let inbox = stream.inbox
            let taken = inbox.withUnsafeBytes { bytes in
                guard case .taken(let count) = session.receive(bytes, second: 0) else {
                    hasFailed = true
                    return bytes.count
                }
                // What an event points to is in these bytes.
                while let event = session.nextEvent() { body(event) }
                return count
            }
            stream.inbox.removeFirst(taken)
        }
    }

    /// Says what is to be said.
    func flush(_ body: (HTTP2Event) -> Void) {
        while true {
            let count = session.output(into: memory)
            while let event = session.nextEvent() { body(event) }
            guard count > 0 else { return }
            stream.send(Array(memory[..<count]))
        }
    }

    static func withText<T>(_ text: String, _ body: (UnsafeMutableRawBufferPointer) -> T) -> T {
        var bytes = Array(text.utf8)
        return bytes.withUnsafeMutableBytes { body($0) }
    }

    func write(_ bytes: [UInt8], to place: UInt32) {
        bytes.withUnsafeBytes { session.write($0, to: place) }
    }
}
