/// One stream of a session: what waits to be sent by it, and who it belongs to. Trivial; stands in
/// a table of the session's.
struct HTTP2Stream: BitwiseCopyable {
    /// Of HTTP/2: odd, growing (RFC 9113 section 5.1.1); 0 = the place is free.
    var id: Int32 = 0
    /// The caller's number; `HTTP2Session.noUser` = it has given the stream up, or has not heard
    /// of it.
    var user = HTTP2Session.noUser
    /// A request's or a final answer's head has been received: what follows are trailers.
    var isHeadRead = false
    /// The end of what the peer says was told.
    var isInputEnded = false
    /// nghttp2 waits to be told that there is more.
    var isDeferred = false
    /// No more is written by the caller.
    var isOutputEnded = false
    /// The caller was told that enough waits, and wants to hear when it has left.
    var isFull = false
    /// What the caller wrote and nghttp2 has not taken: at `outgoing + start`, `count` bytes.
    var outgoing: UnsafeMutableRawPointer?
    var capacity: UInt32 = 0
    var start: UInt32 = 0
    var count: UInt32 = 0
    /// Lines `name: value` CR LF that go behind the content, at the end of `outgoing`.
    var trailerCount: UInt32 = 0

    /// The next free place, of a free one.
    var nextFree = UInt32.max

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        guard let outgoing else { preconditionFailure("room was made") }
        (outgoing + Int(start + count)).copyMemory(from: source, byteCount: bytes.count)
        count += UInt32(bytes.count)
    }

    /// Takes bytes from the front.
    mutating func take(into target: UnsafeMutableRawBufferPointer) -> Int {
        let taken = min(target.count, Int(count))
        if taken > 0, let outgoing, let base = target.baseAddress {
            base.copyMemory(from: outgoing + Int(start), byteCount: taken)
        }
        start += UInt32(taken)
        count -= UInt32(taken)
        if count == 0, trailerCount == 0 { start = 0 }
        return taken
    }

    /// Gives the memory back where it is much.
    mutating func clear(all: Bool) {
        (start, count, trailerCount) = (0, 0, 0)
        guard all || capacity > Self.keptMax, let outgoing else { return }
        outgoing.deallocate()
        self.outgoing = nil
        capacity = 0
    }

    private static let keptMax: UInt32 = 4096

    private mutating func reserve(_ more: Int) {
        let needed = Int(start + count) + more
        guard needed > Int(capacity) else { return }
        let held = Int(count)
        if let outgoing, start > 0 {
            outgoing.copyMemory(from: outgoing + Int(start), byteCount: held)
            start = 0
            if held + more <= Int(capacity) { return }
        }
        var size = max(Int(capacity), 2048)
        while size < held + more { size *= 2 }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        if let outgoing {
            memory.copyMemory(from: outgoing, byteCount: held)
            outgoing.deallocate()
        }
        (outgoing, capacity) = (memory, UInt32(size))
    }
}
